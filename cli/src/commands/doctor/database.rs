//! PostgreSQL: there, new enough, migrated, with room, and with the same time as this machine.

use chrono::{TimeDelta, Utc};
use shared::clock::{DatabaseClock, LARGEST_OFFSET};
use shared::store::{self, months, server};

use super::Patient;
use super::finding::{Found, good, unasked, warning, wrong};

/// The oldest that is supported.
const OLDEST: i32 = 150_000;
/// Months are made three ahead; nearer than this the duty that makes them is not done.
const ROOM: TimeDelta = TimeDelta::days(31);
/// From here on nothing may be recorded soon.
const LAST_ROOM: TimeDelta = TimeDelta::days(7);

pub async fn server(patient: &Patient) -> Vec<Found> {
    // Asked directly first: a pool that waits for a connection does not say why it gets none.
    let reached = store::reach(&patient.settings.database.url).await;
    let asked = match reached {
        Ok(()) => server::server(&patient.pool).await,
        Err(error) => Err(error),
    };
    let server = match asked {
        Ok(server) => server,
        Err(error) => {
            let advice = "see that PostgreSQL runs, and that address, name and password in DATABASE_URL are right; \
                submissions are refused and runs stand still until then";
            return vec![wrong(error.to_string(), advice)];
        }
    };
    let mut found = vec![good(format!("PostgreSQL {}, {} connections", server.version, server.connections))];
    if server.version_number < OLDEST {
        found.push(wrong(format!("PostgreSQL {} is too old", server.version), "upgrade to 15 or newer"));
    }
    if server.standby {
        found.push(wrong("it is a standby: nothing can be written", "let DATABASE_URL name the primary"));
    }
    if server.connections * 10 > i64::from(server.most_connections) * 9 {
        let what = format!("{} of {} connections are open", server.connections, server.most_connections);
        found.push(warning(what, "raise max_connections, lower DATABASE_CONNECTIONS, or put a pooler between"));
    }
    found
}

pub async fn schema(patient: &Patient) -> Vec<Found> {
    let schema = match store::schema(&patient.pool).await {
        Ok(schema) => schema,
        Err(error) => return unasked(&error),
    };
    let newest = schema.newest.map_or_else(|| "none".to_owned(), |version| version.to_string());
    if schema.pending > 0 {
        let what = format!("{} migrations are missing, the newest is {newest}", schema.pending);
        return vec![wrong(what, "run `rb-ocr migrate`")];
    }
    if schema.unknown > 0 {
        let what = format!("the database has {} migrations that this program does not know", schema.unknown);
        return vec![warning(what, "this program is older than the fleet: use the fleet's")];
    }
    vec![good(format!("is up to date, the newest migration is {newest}"))]
}

pub async fn rights(patient: &Patient) -> Vec<Found> {
    match server::rights(&patient.pool).await {
        Ok(server::Rights { may_create: true, owns_tables: true }) => vec![good("the role may make partitions")],
        Ok(_) => vec![wrong(
            "the role may not make partitions: in some months nothing can be recorded",
            "let the service's role own the database and its tables",
        )],
        Err(error) => unasked(&error),
    }
}

pub async fn partitions(patient: &Patient) -> Vec<Found> {
    let horizon = match months::horizon(&patient.pool).await {
        Ok(Some(horizon)) => horizon,
        Ok(None) => {
            return vec![wrong("there are none: nothing can be recorded", "run `rb-ocr migrate`, start a worker")];
        }
        Err(error) => return unasked(&error),
    };
    let advice = "start a worker, which makes them three months ahead, and look for `partitions` in its log";
    let what = format!("there is room until {horizon}");
    match horizon - Utc::now().date_naive() {
        room if room < LAST_ROOM => vec![wrong(what, advice)],
        room if room < ROOM => vec![warning(what, advice)],
        _ => vec![good(what)],
    }
}

pub async fn clock(patient: &Patient) -> Vec<Found> {
    let clock = DatabaseClock::default();
    if let Err(error) = clock.measure(&patient.pool).await {
        return unasked(&error);
    }
    let offset = clock.offset().unwrap_or_default();
    let what = format!("this machine is {} ms from the database", offset.num_milliseconds().abs());
    let advice = "keep the clocks of both by NTP; an api whose clock is too far off takes no submissions";
    if !clock.is_sound() {
        vec![wrong(what, advice)]
    } else if offset.abs() * 5 > TimeDelta::from_std(LARGEST_OFFSET).unwrap_or_default() {
        vec![warning(what, advice)]
    } else {
        vec![good(what)]
    }
}
