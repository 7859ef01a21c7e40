//! The error codes of a run (contract, section 1): name, integer, the status a run with it has,
//! whose fault it is and whether trying again can help, beside each other.

use serde::{Deserialize, Serialize};

use super::run::Status;

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// The document or the submission.
    ClientError,
    /// Something of ours, or a service that we call.
    ServerError,
}

macro_rules! error_codes {
    ($($variant:ident $name:literal $int:literal $status:ident $category:ident $retryable:literal
       $message:literal $detail:literal;)*) => {
        /// A stable error code. The integers are what existing callers already store: none is ever
        /// renumbered.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ErrorCode {
            $(#[doc = $detail] #[serde(rename = $name)] $variant,)*
        }

        impl ErrorCode {
            /// Every code, by its integer.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name callers see and store.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The integer that older callers store.
            pub const fn int_code(self) -> i32 {
                match self { $(Self::$variant => $int,)* }
            }

            /// The status of a run that ends with this code.
            pub const fn status(self) -> Status {
                match self { $(Self::$variant => Status::$status,)* }
            }

            /// Whose fault it is.
            pub const fn category(self) -> Category {
                match self { $(Self::$variant => Category::$category,)* }
            }

            /// Whether the same document may succeed when tried again.
            pub const fn retryable(self) -> bool {
                match self { $(Self::$variant => $retryable,)* }
            }

            /// For people, in Russian.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)* }
            }

            /// For developers, in English.
            pub const fn detail(self) -> &'static str {
                match self { $(Self::$variant => $detail,)* }
            }
        }

        impl std::str::FromStr for ErrorCode {
            type Err = UnknownErrorCode;

            fn from_str(name: &str) -> Result<Self, UnknownErrorCode> {
                match name { $($name => Ok(Self::$variant),)* _ => Err(UnknownErrorCode) }
            }
        }
    };
}

error_codes! {
    UnknownError "UNKNOWN_ERROR" 0 Error ServerError false
        "Внутренняя ошибка обработки." "The document could not be processed for a reason that has no code of its own.";
    DocDateTooOld "DOC_DATE_TOO_OLD" 2 Success ClientError false
        "Срок действия документа истёк." "The document's date lies further back than its type is valid for.";
    MultipleDocuments "MULTIPLE_DOCUMENTS" 3 Success ClientError false
        "В файле несколько разных документов." "The file holds documents of several types.";
    FioMismatch "FIO_MISMATCH" 4 Success ClientError false
        "ФИО в документе не совпадает с ФИО заявителя." "The name in the document is not the applicant's.";
    DocTypeUnknown "DOC_TYPE_UNKNOWN" 6 Success ClientError false
        "Тип документа не входит в перечень принимаемых." "The document is of none of the known types.";
    DocDateMissing "DOC_DATE_MISSING" 10 Success ClientError false
        "В документе не найдена дата." "No issue date was found in the document.";
    FioMissing "FIO_MISSING" 11 Success ClientError false
        "В документе не найдено ФИО." "No person's name was found in the document.";
    PdfTooManyPages "PDF_TOO_MANY_PAGES" 12 Error ClientError false
        "В документе больше 20 страниц." "The document has more than 20 pages.";
    FileSaveFailed "FILE_SAVE_FAILED" 13 Error ServerError true
        "Не удалось получить или сохранить файл." "The worker could not fetch or store a file.";
    DocDateInFuture "DOC_DATE_IN_FUTURE" 14 Success ClientError false
        "Дата документа ещё не наступила." "The document's date lies in the future.";
    DocumentUnreadable "DOCUMENT_UNREADABLE" 15 Error ClientError false
        "Документ не читается: файл повреждён, защищён или слишком низкого качества." "The document cannot be opened, or its words are too doubtful to use.";
    OcrFailed "OCR_FAILED" 20 Error ServerError true
        "Сбой распознавания текста." "The OCR service failed.";
    OcrEmptyPages "OCR_EMPTY_PAGES" 22 Error ClientError false
        "В документе не найдено текста." "Not one word was found on any page.";
    LlmFailed "LLM_FAILED" 23 Error ServerError true
        "Сбой сервиса анализа документа." "The model's service failed.";
    LlmInvalidResponse "LLM_INVALID_RESPONSE" 26 Error ServerError true
        "Сервис анализа дал некорректный ответ." "The model's answer did not fit its schema or was not grounded in the document.";
    TimedOut "TIMED_OUT" 30 Error ServerError true
        "Превышено время обработки." "The run's time was used up.";
    Cancelled "CANCELLED" 31 Error ClientError false
        "Обработка отменена." "The run was cancelled.";
    DocumentReused "DOCUMENT_REUSED" 32 Success ClientError false
        "Документ уже подавался для другого заявителя." "The same document was submitted for another person before; only clients that ask for it are told so as an error.";
}

/// The text is no error code.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an error code of a run")]
pub struct UnknownErrorCode;

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the contract, section 1, as it is written there.
    const CONTRACT: &str = "\
| UNKNOWN_ERROR | 0 | error | server_error | no |
| DOC_DATE_TOO_OLD | 2 | success | client_error | no |
| MULTIPLE_DOCUMENTS | 3 | success | client_error | no |
| FIO_MISMATCH | 4 | success | client_error | no |
| DOC_TYPE_UNKNOWN | 6 | success | client_error | no |
| DOC_DATE_MISSING | 10 | success | client_error | no |
| FIO_MISSING | 11 | success | client_error | no |
| PDF_TOO_MANY_PAGES | 12 | error | client_error | no |
| FILE_SAVE_FAILED | 13 | error | server_error | yes |
| DOC_DATE_IN_FUTURE | 14 | success | client_error | no |
| DOCUMENT_UNREADABLE | 15 | error | client_error | no |
| OCR_FAILED | 20 | error | server_error | yes |
| OCR_EMPTY_PAGES | 22 | error | client_error | no |
| LLM_FAILED | 23 | error | server_error | yes |
| LLM_INVALID_RESPONSE | 26 | error | server_error | yes |
| TIMED_OUT | 30 | error | server_error | yes |
| CANCELLED | 31 | error | client_error | no |
";

    /// What clients may ask for beside it, and nobody else is ever told.
    const ASKED_FOR: &str = "| DOCUMENT_REUSED | 32 | success | client_error | no |\n";

    #[test]
    fn the_codes_are_those_of_the_contract() {
        let ours: String = ErrorCode::ALL
            .iter()
            .map(|code| {
                let category = match code.category() {
                    Category::ClientError => "client_error",
                    Category::ServerError => "server_error",
                };
                let retryable = if code.retryable() { "yes" } else { "no" };
                let (name, int, status) = (code.as_str(), code.int_code(), code.status().as_str());
                format!("| {name} | {int} | {status} | {category} | {retryable} |\n")
            })
            .collect();
        assert_eq!(ours, format!("{CONTRACT}{ASKED_FOR}"));
    }

    #[test]
    fn a_name_is_read_back_as_its_code() {
        for code in ErrorCode::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
        }
        assert_eq!("DOC_DATE".parse::<ErrorCode>(), Err(UnknownErrorCode));
    }
}
