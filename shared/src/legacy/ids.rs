//! The ids of old runs, and the ids they have here.

use chrono::{DateTime, FixedOffset, NaiveDateTime, Utc};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The old server's clock: UTC+5 the year round.
pub const OLD_ZONE: FixedOffset = FixedOffset::east_opt(5 * 3600).expect("five hours are an offset");

/// What an old id is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldId {
    /// `20251126_130742_cc65e`: holds its time.
    Stamped(DateTime<Utc>),
    /// A UUID: the old ones hold no time.
    Uuid(Uuid),
}

impl OldId {
    /// Reads an id; none where it is none.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if !text.is_ascii() {
            return None;
        }
        if text.len() == uuid::fmt::Hyphenated::LENGTH {
            return text.parse().ok().map(Self::Uuid);
        }
        let (time, tail) = (text.get(..15)?, text.get(15..)?.strip_prefix('_')?);
        let hex = tail.len() == 5 && tail.bytes().all(|b| b.is_ascii_hexdigit());
        let digits = time.bytes().enumerate().all(|(at, b)| if at == 8 { b == b'_' } else { b.is_ascii_digit() });
        if !hex || !digits {
            return None;
        }
        let local = NaiveDateTime::parse_from_str(time, "%Y%m%d_%H%M%S").ok()?;
        local.and_local_timezone(OLD_ZONE).single().map(|at| Self::Stamped(at.to_utc()))
    }
}

/// The id of an old run here: a UUIDv7 of its old time, whose random part is a hash of its old id. So it is the same
/// each time that it is made.
#[must_use]
pub fn run_id(at: DateTime<Utc>, legacy_run_id: &str) -> Uuid {
    let hash: [u8; 32] = Sha256::digest(legacy_run_id.as_bytes()).into();
    let mut random = [0; 10];
    random.copy_from_slice(&hash[..10]);
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(at.timestamp_millis()).unwrap_or(0), &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamped_id_holds_its_time_in_the_old_servers_zone() {
        let at = "2025-11-26T08:07:42Z".parse().expect("a time");
        assert_eq!(OldId::read("20251126_130742_cc65e"), Some(OldId::Stamped(at)));
        assert!(matches!(OldId::read("3F2504E0-4F89-41D3-9A0C-0305E82C3301"), Some(OldId::Uuid(_))));
    }

    #[test]
    fn what_only_resembles_an_id_is_none() {
        for text in [
            "",
            "20251126_130742",
            "20251126_130742_cc65",
            "20251126_130742_cc65ex",
            "20251126_130742_cc65g",
            "20251326_130742_cc65e",
            "20251126_250742_cc65e",
            "+0251126_130742_cc65e",
            "20251126-130742_cc65e",
            "3f2504e04f8941d39a0c0305e82c3301",
            "3f2504e0-4f89-41d3-9a0c-0305e82c330x",
            "../20251126_130742_cc65e",
            "Ж0251126_130742_cc65",
        ] {
            assert_eq!(OldId::read(text), None, "{text}");
        }
    }

    #[test]
    fn the_same_run_has_the_same_id_each_time_and_another_has_another() {
        let at: DateTime<Utc> = "2025-11-26T08:07:42Z".parse().expect("a time");
        let id = run_id(at, "20251126_130742_cc65e");
        assert_eq!(id, run_id(at, "20251126_130742_cc65e"));
        assert_ne!(id, run_id(at, "20251126_130742_cc65f"));
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_timestamp().expect("a time").to_unix().0, at.timestamp().unsigned_abs());
    }
}
