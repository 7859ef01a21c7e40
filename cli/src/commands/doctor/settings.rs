//! The settings: all that is wrong with them at once.

use shared::settings::{Faults, Settings};

use super::finding::{Found, good, warning, wrong};

/// What says where things are. These are read also while others cannot be used.
const PLACES: &[&str] = &["DATABASE_URL", "DATABASE_POOLED", "AMQP_URL", "QUEUE_PREFIX", "STORAGE_URL", "SECRETS_KEY"];

/// The settings, whether they are whole, and what there is to say of them.
pub fn read() -> (Option<Settings>, bool, Vec<Found>) {
    match Settings::from_env() {
        Ok(settings) => {
            let mut found = vec![good("all can be used")];
            if let Some(day) = settings.judge_as_of {
                let what = format!("JUDGE_AS_OF is set: documents are judged as of {day} and not as of today");
                found.push(warning(what, "unset it where real documents are judged"));
            }
            (Some(settings), true, found)
        }
        Err(Faults(faults)) => {
            let left_out = |name: &str| faults.iter().any(|fault| fault.name == name);
            let places = |name: &str| {
                PLACES.contains(&name).then(|| std::env::var(name).ok()).flatten().filter(|_| !left_out(name))
            };
            let settings = Settings::read(&places).ok();
            let found =
                faults.iter().map(|fault| wrong(format!("{} {}", fault.name, fault.problem), "mend it, then restart"));
            (settings, false, found.collect())
        }
    }
}
