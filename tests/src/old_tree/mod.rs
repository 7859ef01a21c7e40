//! Trees of run folders as the system before this one left them, of every form and vintage: for tests of the import,
//! and in any number for measuring it (`old-tree FOLDER --runs N`). All in them is made up.

mod flat;
mod nested;
mod people;

use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Days, FixedOffset, NaiveDate, TimeDelta, TimeZone as _, Timelike as _};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

pub use people::Person;

/// How a folder was written, by when that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Vintage {
    /// To 2025-11-23: the folder `gpt/`.
    Gpt,
    /// To 2025-11-25: metadata with what was declared.
    Declared,
    /// To 2025-12-03: seconds of the stamp.
    Stamped,
    /// From 2025-12-05: a UUID in the nested form.
    NestedUuid,
    /// From 2025-12-09: flat, `01_ocr.filtered.json` with the raw answers beside.
    FlatFiltered,
    /// To 2025-12-18: flat, codes by name.
    FlatNames,
    /// From 2025-12-19: flat, codes as integers.
    FlatNumbers,
}

impl Vintage {
    /// Every one, the oldest first.
    pub const ALL: [Self; 7] = [
        Self::Gpt,
        Self::Declared,
        Self::Stamped,
        Self::NestedUuid,
        Self::FlatFiltered,
        Self::FlatNames,
        Self::FlatNumbers,
    ];

    /// Its first and last day.
    #[must_use]
    pub fn days(self) -> (NaiveDate, NaiveDate) {
        let (first, last) = match self {
            Self::Gpt => ("2025-11-03", "2025-11-23"),
            Self::Declared => ("2025-11-24", "2025-11-25"),
            Self::Stamped => ("2025-11-26", "2025-12-03"),
            Self::NestedUuid => ("2025-12-05", "2025-12-08"),
            Self::FlatFiltered => ("2025-12-09", "2025-12-11"),
            Self::FlatNames => ("2025-12-12", "2025-12-18"),
            Self::FlatNumbers => ("2025-12-19", "2026-02-28"),
        };
        let day = |text: &str| text.parse().expect("a day");
        (day(first), day(last))
    }

    /// Whether it is of the flat form.
    #[must_use]
    pub const fn is_flat(self) -> bool {
        matches!(self, Self::FlatFiltered | Self::FlatNames | Self::FlatNumbers)
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All checks held.
    Accepted,
    /// Another's name, and too old.
    Refused,
    /// An error then, a verdict now.
    SeveralDocuments,
    /// The model's answer was none: `{}` in its place.
    InvalidAnswer,
    /// No document at all.
    NotSaved,
}

impl Ending {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::Accepted, Self::Refused, Self::SeveralDocuments, Self::InvalidAnswer, Self::NotSaved];

    /// Whether it had a verdict then.
    #[must_use]
    pub const fn had_verdict(self) -> bool {
        matches!(self, Self::Accepted | Self::Refused)
    }

    /// The old names of its codes.
    #[must_use]
    pub const fn codes(self, vintage: Vintage) -> &'static [&'static str] {
        match (self, vintage) {
            (Self::Accepted, _) => &[],
            (Self::Refused, Vintage::Stamped) => &["FIO_MISMATCH", "DOC_DATE_TOO_OLD", "STAMP_NOT_PRESENT"],
            (Self::Refused, _) => &["FIO_MISMATCH", "DOC_DATE_TOO_OLD"],
            (Self::SeveralDocuments, Vintage::Gpt) => &["SINGLE_DOC_TYPE_INVALID"],
            (Self::SeveralDocuments, _) => &["MULTIPLE_DOCUMENTS"],
            (Self::InvalidAnswer, Vintage::Gpt) => &["GPT_FILTER_PARSE_ERROR"],
            (Self::InvalidAnswer, _) => &["DTC_PARSE_ERROR"],
            (Self::NotSaved, _) => &["FILE_SAVE_FAILED"],
        }
    }
}

/// An old run.
#[derive(Clone, Debug)]
pub struct OldRun {
    /// Its id of then.
    pub id: String,
    /// When it was written.
    pub vintage: Vintage,
    /// How it ended.
    pub ending: Ending,
    /// When it began, by the old server's clock.
    pub at: DateTime<FixedOffset>,
    /// Whose it is; none: uploaded by the form, which kept no name in the flat form.
    pub applicant: Option<Person>,
    /// Whom the document names.
    pub person: Person,
    /// The caller's number.
    pub external_request_id: u32,
    /// The recognised text, page by page.
    pub pages: Vec<String>,
    /// The document.
    pub document: Vec<u8>,
}

impl OldRun {
    /// Some run of a vintage.
    pub fn some(dice: &mut StdRng, vintage: Vintage, ending: Ending) -> Self {
        let (first, last) = vintage.days();
        let length = u64::try_from((last - first).num_days()).unwrap_or(0);
        let day = first + Days::new(dice.random_range(0..=length));
        let zone = FixedOffset::east_opt(5 * 3600).expect("an offset");
        let midnight = zone.from_local_datetime(&day.and_hms_opt(0, 0, 0).expect("a time")).single().expect("a time");
        let at = midnight + TimeDelta::microseconds(dice.random_range(0..86_400_000_000));
        let stamped = matches!(vintage, Vintage::Gpt | Vintage::Declared | Vintage::Stamped);
        let id = if stamped {
            format!("{}_{:05x}", at.format("%Y%m%d_%H%M%S"), dice.random_range(0..0x10_0000))
        } else {
            uuid::Builder::from_random_bytes(dice.random()).into_uuid().to_string()
        };
        let person = Person::some(dice);
        let pages = (0..=dice.random_range(0..8) / 7).map(|page| people::text(dice, &person, page)).collect();
        let mut document = b"%PDF-1.4\n".to_vec();
        document.extend((0..dice.random_range(600..8000)).map(|_| dice.random::<u8>()));
        Self {
            id,
            vintage,
            ending,
            at,
            applicant: (dice.random_range(0..10) > 0).then(|| person.clone()),
            person,
            external_request_id: dice.random_range(1..100_000_000),
            pages,
            document,
        }
    }

    /// The day that it lies under.
    #[must_use]
    pub fn day(&self) -> NaiveDate {
        self.at.date_naive()
    }

    /// Where it lies below the root.
    #[must_use]
    pub fn folder(&self, root: &Path) -> PathBuf {
        root.join(self.day().to_string()).join(&self.id)
    }

    /// Seconds that it took, made from its time.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        3.0 + f64::from(self.at.nanosecond() / 1_000_000) / 100.0
    }

    /// Writes its folder.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn write(&self, root: &Path) -> io::Result<PathBuf> {
        let folder = self.folder(root);
        std::fs::create_dir_all(&folder)?;
        if self.vintage.is_flat() {
            flat::write(self, &folder)?
        } else {
            nested::write(self, &folder)?
        }
        Ok(folder)
    }
}

/// So many runs, the same for the same seed: of each vintage about as many, most of them with a verdict.
pub fn runs(seed: u64, count: usize) -> impl Iterator<Item = OldRun> {
    let mut dice = StdRng::seed_from_u64(seed);
    (0..count).map(move |number| {
        let vintage = Vintage::ALL[number % Vintage::ALL.len()];
        let ending = match dice.random_range(0..20) {
            0 => Ending::SeveralDocuments,
            1 => Ending::InvalidAnswer,
            2 => Ending::NotSaved,
            3..8 => Ending::Refused,
            _ => Ending::Accepted,
        };
        OldRun::some(&mut dice, vintage, ending)
    })
}

/// A run of each vintage with each ending.
pub fn one_of_each(seed: u64) -> Vec<OldRun> {
    let mut dice = StdRng::seed_from_u64(seed);
    let all = Vintage::ALL.into_iter().flat_map(|vintage| Ending::ALL.map(|ending| (vintage, ending)));
    all.map(|(vintage, ending)| OldRun::some(&mut dice, vintage, ending)).collect()
}

/// A file as Python wrote it: indented by two, letters as they are.
fn json(folder: &Path, name: &str, value: &serde_json::Value) -> io::Result<()> {
    let path = folder.join(name);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(path, serde_json::to_string_pretty(value)?)
}

/// The pages as both forms keep them.
fn ocr(run: &OldRun) -> serde_json::Value {
    let pages = run.pages.iter().enumerate().map(|(at, text)| {
        let number = if run.vintage == Vintage::Gpt { serde_json::Value::Null } else { serde_json::json!(at + 1) };
        serde_json::json!({"page_number": number, "text": text})
    });
    serde_json::json!({ "pages": pages.collect::<Vec<_>>() })
}
