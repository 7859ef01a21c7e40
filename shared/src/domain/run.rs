//! The words of a run (contract, section 1): status, stage, priority, checks, and what the
//! analysis of a document yields.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::page::Rect;

macro_rules! words {
    ($(#[doc = $doc_text:literal])* $name:ident { $($(#[$vdoc:meta])* $variant:ident $word:literal),* $(,)? }) => {
        $(#[doc = $doc_text])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),* }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word used on the wire and in the record.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word { $($word => Ok(Self::$variant),)* _ => Err(UnknownWord) }
            }
        }

        // By hand: the derive does not see a rename that a macro has written.
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                use utoipa::openapi::schema::{ObjectBuilder, Type};
                let doc = [$($doc_text),*].concat();
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some(doc.trim()))
                    .enum_values(Some(Self::ALL.iter().map(|value| value.as_str())))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

/// The text is none of the words that may stand here.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a known word")]
pub struct UnknownWord;

words! {
    /// Where a run stands.
    Status {
        /// Owed: a job exists.
        Processing "processing",
        /// The pipeline finished and gave a verdict.
        Success "success",
        /// The pipeline could not give one.
        Error "error",
    }
}

words! {
    /// What is being done with a run.
    Stage {
        /// Waits for a worker.
        Queued "queued",
        /// The document is fetched and looked at.
        Acquire "acquire",
        /// Its text is read.
        Read "read",
        /// Its type is found.
        Classify "classify",
        /// Name and date are found.
        Extract "extract",
        /// The checks are made.
        Validate "validate",
        /// Finished.
        Done "done",
    }
}

words! {
    /// How urgent a submission is: `high` to `normal` get 4:1 of the slots.
    Priority {
        /// Unless told.
        Normal "normal",
        /// For clients that may use it.
        High "high",
    }
}

/// The four checks; `None` where one could not be made (contract, section 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Checks {
    /// The name in the document is the applicant's.
    #[schema(required = true)]
    pub fio_match: Option<bool>,
    /// The type is one of the fifteen.
    #[schema(required = true)]
    pub doc_type_known: Option<bool>,
    /// Issue date ≤ today ≤ issue date + days of validity.
    #[schema(required = true)]
    pub doc_date_valid: Option<bool>,
    /// The file holds one type of document.
    #[schema(required = true)]
    pub single_doc_type: Option<bool>,
}

/// Where a value stands in the document.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    /// The words as they were read.
    pub text: String,
    /// Page, from 1.
    pub page: u32,
    /// Their place; none where the engine gives no places.
    pub rect: Option<Rect>,
    /// How sure the reading is, 0 to 1; none where the engine does not say.
    pub confidence: Option<f32>,
}

/// A value with the place it was found at.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<T> {
    /// The value in its normal form.
    pub value: T,
    /// What it was read from.
    pub quote: Quote,
}

/// What `classify` finds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Classification {
    /// One type of document in the file?
    pub single_doc_type: bool,
    /// The type's title: one of the fifteen, or none when it is unknown or there are several.
    pub doc_type: Option<Found<&'static super::doc_types::DocType>>,
    /// Rules and model have found different things (`domain::settle`).
    pub disputed: bool,
}

/// What the date of a document is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DateKind {
    /// The day it was issued.
    #[default]
    Issue,
    /// The first day of a leave, taken where a paper of parental leave has no issue date. It may
    /// lie in the future.
    LeaveStart,
}

/// What `extract` finds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extraction {
    /// The person the document is about, in the nominative.
    pub fio: Option<Found<String>>,
    /// Letters of the name were misread, or its words torn, and mended by the applicant's name, with which the rest
    /// agrees; the quote holds them as they were read.
    pub fio_mended: bool,
    /// The date the validity is counted from.
    pub doc_date: Option<Found<NaiveDate>>,
    /// What that date is.
    pub date_kind: DateKind,
    /// Rules and model have found different things (`domain::settle`).
    pub disputed: bool,
}

/// Both together: what the verdict is computed from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Analysis {
    /// From `classify`.
    pub classification: Classification,
    /// From `extract`.
    pub extraction: Extraction,
    /// The document tells its reader how to judge it, which was left out (`domain::instructions`).
    pub speaks_to_reader: bool,
}

/// Where the three values stand, as the record and the answer hold it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Evidence {
    /// Of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fio: Option<EvidenceItem>,
    /// Of the date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc_date: Option<EvidenceItem>,
    /// Of the type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc_type: Option<EvidenceItem>,
}

/// One quote of the evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EvidenceItem {
    /// The words as they were read.
    pub quote: String,
    /// Page, from 1.
    pub page: u32,
    /// `[x, y, width, height]` in thousandths of the upright page.
    #[serde(rename = "box")]
    pub rect: Option<[u16; 4]>,
    /// 0 to 1.
    pub confidence: Option<f32>,
}

impl From<&Quote> for EvidenceItem {
    fn from(quote: &Quote) -> Self {
        Self {
            quote: quote.text.clone(),
            page: quote.page,
            rect: quote.rect.map(|r| [r.x, r.y, r.width, r.height]),
            confidence: quote.confidence,
        }
    }
}
