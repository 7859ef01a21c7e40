//! What a run's folder holds, whoever has read it from where.

use std::collections::BTreeMap;

use chrono::NaiveDate;

/// How a folder is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `meta/manifest.json` and its like.
    Nested,
    /// `04_final.json` and its like.
    Flat,
}

/// What a file is about, whatever it was called at the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// How it ended, written last.
    Final,
    /// The nested form's own: times, the file, the status.
    Manifest,
    /// The nested form's own: what was submitted.
    Metadata,
    /// The recognised text.
    Ocr,
    /// The model's first answer.
    TypeCheck,
    /// The model's second answer.
    Extractor,
    /// The nested form's own: both answers together.
    Merged,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 7] =
        [Self::Final, Self::Manifest, Self::Metadata, Self::Ocr, Self::TypeCheck, Self::Extractor, Self::Merged];

    /// The names it went by, the newest first. What comes first and is there is it.
    #[must_use]
    pub const fn files(self, form: Form) -> &'static [&'static str] {
        match (form, self) {
            (Form::Flat, Self::Final) => &["04_final.json", "04_final.filtered.json"],
            (Form::Flat, Self::Ocr) => &["01_ocr.json", "01_ocr.filtered.json"],
            (Form::Flat, Self::TypeCheck) => &["02_llm_dtc.json", "02_llm_dtc.filtered.json"],
            (Form::Flat, Self::Extractor) => &["03_llm_ext.json", "03_llm_ext.filtered.json"],
            (Form::Flat, Self::Manifest | Self::Metadata | Self::Merged) => &[],
            (Form::Nested, Self::Final) => &["meta/final_result.json"],
            (Form::Nested, Self::Manifest) => &["meta/manifest.json"],
            (Form::Nested, Self::Metadata) => &["meta/metadata.json"],
            (Form::Nested, Self::Ocr) => &["ocr/ocr_response_filtered.json"],
            (Form::Nested, Self::TypeCheck) => {
                &["llm/doc_type_check.filtered.json", "gpt/gpt_doc_type_check_filtered.json"]
            }
            (Form::Nested, Self::Extractor) => {
                &["llm/extractor.filtered.json", "gpt/gpt_extractor_response_filtered.json"]
            }
            (Form::Nested, Self::Merged) => &["llm/merged.json", "gpt/merged.json"],
        }
    }

    /// Bytes of it, at most: what is larger is none of ours.
    #[must_use]
    pub const fn most_bytes(self) -> u64 {
        match self {
            Self::Ocr => 8 * 1024 * 1024,
            _ => 1024 * 1024,
        }
    }
}

impl Form {
    /// The folders of the nested form.
    const FOLDERS: [&str; 5] = ["meta", "ocr", "llm", "gpt", "input"];

    /// What a flat folder's document is called, up to its extension.
    pub const FLAT_DOCUMENT: &str = "00_input.";

    /// Where a nested folder's document lies.
    pub const NESTED_DOCUMENT: &str = "input/original";

    /// The form of a folder with entries of these names; none where they are those of neither.
    #[must_use]
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut nested = false;
        for name in names {
            if ["00_", "01_", "02_", "03_", "04_"].iter().any(|number| name.starts_with(number)) {
                return Some(Self::Flat);
            }
            nested |= Self::FOLDERS.contains(&name);
        }
        nested.then_some(Self::Nested)
    }
}

/// A folder's files in memory.
#[derive(Clone, Debug)]
pub struct Contents {
    /// The folder's own name.
    pub name: String,
    /// The day that the folder lies under.
    pub day: NaiveDate,
    /// How it is laid out.
    pub form: Form,
    /// The files that are there, by what they are about: name and bytes.
    pub parts: BTreeMap<Part, (&'static str, Vec<u8>)>,
    /// Whether the document is there, and not empty.
    pub has_document: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_of_the_form_that_its_names_tell() {
        assert_eq!(Form::of(["00_input.PDF"]), Some(Form::Flat));
        assert_eq!(Form::of(["meta", "04_final.json"]), Some(Form::Flat));
        assert_eq!(Form::of(["input"]), Some(Form::Nested));
        assert_eq!(Form::of(["notes.txt"]), None);
        assert_eq!(Form::of([]), None);
    }
}
