//! Whom a key belongs to, and how its callbacks are made.

use uuid::Uuid;

use super::budgets::OverBudget;
use super::{Pool, StoreError};

/// The forms of a callback (contract, section 3).
pub const CALLBACK_FORMS: &[&str] = &["thin", "full", "plain"];

/// A client and its settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    /// Its id.
    pub client_id: Uuid,
    /// Its name.
    pub name: String,
    /// `thin`, `full` or `plain`.
    pub callback_form: String,
    /// Whether there are credentials for the plain form.
    pub has_callback_basic: bool,
    /// Submissions in `rate_limit_seconds`; the setting where none.
    pub rate_limit_count: Option<i32>,
    /// Seconds.
    pub rate_limit_seconds: Option<i32>,
    /// Whether it may submit with priority high.
    pub allow_high: bool,
    /// What it may spend on the model in a month; none: no bound.
    pub budget: Option<f64>,
    /// What happens then: `refuse` or `rules`.
    pub over_budget: String,
}

/// What is to be changed; what is none stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// `thin`, `full` or `plain`.
    pub callback_form: Option<String>,
    /// Sealed `user:password`.
    pub callback_basic: Option<Vec<u8>>,
    /// Count and seconds.
    pub rate_limit: Option<(i32, i32)>,
    /// Whether it may submit with priority high.
    pub allow_high: Option<bool>,
    /// What it may spend on the model in a month; none inside: as much as it likes.
    pub budget: Option<Option<f64>>,
    /// What happens then.
    pub over_budget: Option<OverBudget>,
}

/// What binds sealed credentials to their client: those of another cannot be put in their place.
#[must_use]
pub fn basic_context(client_id: Uuid) -> Vec<u8> {
    [b"clients.callback_basic:", &client_id.as_bytes()[..]].concat()
}

/// Makes a client unless one of that name exists; answers its id, and whether it is new.
///
/// # Errors
/// The database is unavailable, or the name cannot be one (`clients_name_check`).
pub async fn ensure(pool: &Pool, client_id: Uuid, name: &str) -> Result<(Uuid, bool), StoreError> {
    let made = sqlx::query_scalar!(
        "INSERT INTO clients (client_id, name) VALUES ($1, $2)
         ON CONFLICT ON CONSTRAINT clients_name_key DO NOTHING RETURNING client_id",
        client_id,
        name
    )
    .fetch_optional(pool)
    .await?;
    if let Some(client_id) = made {
        return Ok((client_id, true));
    }
    let found = sqlx::query_scalar!("SELECT client_id FROM clients WHERE name = $1", name).fetch_one(pool).await?;
    Ok((found, false))
}

/// The client of a name.
///
/// # Errors
/// The database is unavailable.
pub async fn find(pool: &Pool, name: &str) -> Result<Option<Client>, StoreError> {
    Ok(sqlx::query_as!(
        Client,
        r#"SELECT client_id, name, callback_form, callback_basic IS NOT NULL AS "has_callback_basic!",
                  rate_limit_count, rate_limit_seconds, allow_high, budget::float8 AS budget, over_budget
           FROM clients WHERE name = $1"#,
        name
    )
    .fetch_optional(pool)
    .await?)
}

/// The only client that there is; none where there are none or several.
///
/// # Errors
/// The database is unavailable.
pub async fn only(pool: &Pool) -> Result<Option<String>, StoreError> {
    let mut names = sqlx::query_scalar!("SELECT name FROM clients LIMIT 2").fetch_all(pool).await?;
    let only = names.pop();
    Ok(only.filter(|_| names.is_empty()))
}

/// Changes a client's settings; false where there is none.
///
/// # Errors
/// The database is unavailable, or a value cannot be one.
pub async fn change(pool: &Pool, client_id: Uuid, change: &Change) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "UPDATE clients SET
            callback_form = coalesce($2, callback_form), callback_basic = coalesce($3, callback_basic),
            rate_limit_count = coalesce($4, rate_limit_count), rate_limit_seconds = coalesce($5, rate_limit_seconds),
            allow_high = coalesce($6, allow_high),
            budget = CASE WHEN $7 THEN $8::float8::numeric(14, 2) ELSE budget END,
            over_budget = coalesce($9, over_budget)
         WHERE client_id = $1",
        client_id,
        change.callback_form,
        change.callback_basic,
        change.rate_limit.map(|(count, _)| count),
        change.rate_limit.map(|(_, seconds)| seconds),
        change.allow_high,
        change.budget.is_some(),
        change.budget.flatten(),
        change.over_budget.map(OverBudget::as_str),
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}
