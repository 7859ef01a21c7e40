//! How the text of a variable becomes a value. A problem is worded to follow the variable's name.

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;

use super::SecretsKey;

/// Text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What `CALLBACK_ALLOW_HOSTS` lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// A name; it may resolve anywhere.
    Host(String),
    /// An address or a subnet.
    Net(ipnet::IpNet),
}

pub(super) fn text(value: &str) -> Result<String, String> {
    Ok(value.to_owned())
}

pub(super) fn folder(value: &str) -> Result<std::path::PathBuf, String> {
    let path = std::path::PathBuf::from(value);
    if path.is_absolute() { Ok(path) } else { Err("must be the whole path of a folder, beginning with /".to_owned()) }
}

pub(super) fn secret(value: &str) -> Result<Secret, String> {
    Ok(Secret::new(value))
}

pub(super) fn parsed<T: FromStr>(value: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    value.parse().map_err(|e: T::Err| format!("cannot be read: {e}"))
}

pub(super) fn flag(value: &str) -> Result<bool, String> {
    match value {
        "1" | "true" | "yes" => Ok(true),
        "0" | "false" | "no" => Ok(false),
        _ => Err("must be 1 or 0".into()),
    }
}

pub(super) fn number_in(range: RangeInclusive<usize>) -> impl Fn(&str) -> Result<usize, String> {
    move |value| {
        let number = value.parse::<usize>().ok().filter(|n| range.contains(n));
        number.ok_or_else(|| format!("must be a whole number from {} to {}", range.start(), range.end()))
    }
}

/// `30`, `30s`, `15m`, `24h`, `90d`; a bare number counts seconds.
///
/// # Errors
/// What it must be, worded to follow the name of what it is for.
pub fn duration(value: &str) -> Result<Duration, String> {
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &value[digits.len()..] {
        "" | "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3600),
        "d" => Some(86_400),
        _ => None,
    };
    unit.and_then(|unit| digits.parse::<u64>().ok()?.checked_mul(unit))
        .filter(|seconds| *seconds <= 100 * 366 * 86_400)
        .map(Duration::from_secs)
        .ok_or_else(|| "must be a time such as 30s, 15m, 24h or 90d".into())
}

pub(super) fn durations(value: &str) -> Result<Vec<Duration>, String> {
    let all: Result<Vec<_>, _> = value.split(',').map(|part| duration(part.trim())).collect();
    all.map_err(|problem| format!("holds a part that {problem}"))
}

pub(super) fn subnets(value: &str) -> Result<Vec<ipnet::IpNet>, String> {
    listed(value)
        .map(|part| subnet(part).ok_or_else(|| format!("holds {part}, which is no address or subnet")))
        .collect()
}

pub(super) fn allowed_hosts(value: &str) -> Result<Vec<Allowed>, String> {
    let host = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    listed(value)
        .map(|part| match subnet(part) {
            Some(net) => Ok(Allowed::Net(net)),
            None if host(part) => Ok(Allowed::Host(part.to_ascii_lowercase())),
            None => Err(format!("holds {part}, which is no name, address or subnet")),
        })
        .collect()
}

fn listed(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|part| !part.is_empty())
}

fn subnet(part: &str) -> Option<ipnet::IpNet> {
    part.parse().ok().or_else(|| part.parse::<std::net::IpAddr>().ok().map(ipnet::IpNet::from))
}

pub(super) fn queue_prefix(value: &str) -> Result<String, String> {
    let good = value.len() <= 64 && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if good { Ok(value.to_owned()) } else { Err("may hold letters, digits, dots and dashes only, 64 at most".into()) }
}

pub(super) fn storage_url(value: &str) -> Result<String, String> {
    let folder = value.strip_prefix("file:///").is_some_and(|rest| !rest.is_empty());
    let bucket = value.strip_prefix("s3://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    let good = folder || bucket;
    if good { Ok(value.to_owned()) } else { Err("must be file:///an/absolute/folder or s3://bucket/prefix".into()) }
}

pub(super) fn postgres_url(value: &str) -> Result<Secret, String> {
    address(value, &["postgres", "postgresql"], "must be an address such as postgres://user:password@host:5432/name")
}

pub(super) fn amqp_url(value: &str) -> Result<Secret, String> {
    address(value, &["amqp", "amqps"], "must be an address such as amqp://user:password@host:5672/%2f")
}

/// An address that holds a password, so that a fault must not repeat it.
fn address(value: &str, schemes: &[&str], problem: &str) -> Result<Secret, String> {
    let good = url::Url::parse(value).is_ok_and(|url| schemes.contains(&url.scheme()));
    if good { Ok(Secret::new(value)) } else { Err(problem.to_owned()) }
}

pub(super) fn base_url(value: &str) -> Result<url::Url, String> {
    let url = url::Url::parse(value).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| "must be an http or https address".into())
}

pub(super) fn secrets_key(value: &str) -> Result<SecretsKey, String> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(value).ok();
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .map(SecretsKey)
        .ok_or_else(|| "must be 32 bytes in base64: `openssl rand -base64 32` makes one".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_units() {
        assert_eq!(duration("24h"), Ok(Duration::from_secs(86_400)));
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert!(["", "h", "-1h", "1w", "99999999999d"].iter().all(|text| duration(text).is_err()));
    }
}
