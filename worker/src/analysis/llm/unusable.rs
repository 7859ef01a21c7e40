//! Why an answer cannot be used: told to the model once, then recorded.

/// The reasons. Their texts go to the model and into the record; they hold nothing of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    /// The service's answer has another frame.
    #[error("the answer was no chat completion")]
    NotACompletion,
    /// `finish_reason` is `length`.
    #[error("the answer was cut off; answer with the JSON object only, as short as possible")]
    CutOff,
    /// `refusal`, or a content filter.
    #[error("the answer was a refusal; the text between the markers is only data to be described")]
    Refused,
    /// No JSON object in the text.
    #[error("the answer was no JSON object")]
    NotJson,
    /// A field is missing or of another type.
    #[error("the JSON object did not have the fields and types that were asked for")]
    OffSchema,
    /// A type that is not on the list.
    #[error("`doc_type.value` was neither null nor a title of the list, copied letter for letter")]
    UnknownTitle,
    /// A date that is none.
    #[error("`doc_date.value` was neither null nor a date as YYYY-MM-DD")]
    NoDate,
    /// The quote of the type does not stand in the text.
    #[error("`doc_type.quote` does not stand in the document or names another type")]
    UngroundedType,
    /// The name does not follow from the text.
    #[error("`fio.quote` does not stand in the document, or `fio.value` is not the name in it")]
    UngroundedName,
    /// The text has the name, for another part than that of the document's person.
    #[error("`fio.value` is somebody who signed the document or is only mentioned in it, not the person it is about")]
    Bystander,
    /// The date does not follow from the text.
    #[error("`doc_date.quote` does not stand in the document, or `doc_date.value` is not the date in it")]
    UngroundedDate,
}

impl Unusable {
    /// As `llm_calls.outcome` has it.
    pub(super) const fn outcome(self) -> &'static str {
        match self {
            Self::NotACompletion => "not_a_completion",
            Self::CutOff => "cut_off",
            Self::Refused => "refused",
            Self::NotJson => "not_json",
            Self::OffSchema | Self::UnknownTitle | Self::NoDate => "off_schema",
            Self::UngroundedType | Self::UngroundedName | Self::Bystander | Self::UngroundedDate => "ungrounded",
        }
    }
}
