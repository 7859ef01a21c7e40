//! RabbitMQ: there, new enough, with our queues as we declare them.

use shared::queue::inspect::{self, QueueState};

use super::Patient;
use super::finding::{Found, good, warning, wrong};

/// The oldest that is supported.
const OLDEST: (u32, u32) = (3, 10);

/// Major and minor of a version.
fn parts(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

pub async fn broker(patient: &Patient) -> Vec<Found> {
    let url = patient.settings.amqp_url.expose();
    if let Err(error) = inspect::look(url, &patient.settings.queue_prefix).await {
        let advice = "see that RabbitMQ runs and has no alarm, and that address, name, password and virtual host in \
            AMQP_URL are right; submissions are accepted meanwhile and wait";
        return vec![wrong(error.to_string(), advice)];
    }
    match inspect::version(url).await {
        Some(version) if parts(&version).is_some_and(|parts| parts < OLDEST) => {
            vec![wrong(format!("RabbitMQ {version} is too old"), "upgrade to 3.10 or newer")]
        }
        Some(version) => vec![good(format!("RabbitMQ {version}"))],
        None => vec![good("answers; its version is not told (over TLS it is not asked for)")],
    }
}

pub async fn queues(patient: &Patient) -> Vec<Found> {
    let looks = match inspect::look(patient.settings.amqp_url.expose(), &patient.settings.queue_prefix).await {
        Ok(looks) => looks,
        Err(_) => return vec![wrong("cannot be looked at", "see the broker's line")],
    };
    let mut found = Vec::new();
    for look in &looks {
        let name = &look.name;
        match look.state {
            QueueState::Good { ready, .. } if name.ends_with(".dead") && ready > 0 => found.push(warning(
                format!("{ready} messages wait in {name}"),
                "a worker takes them to `rb-ocr dead list` within seconds: see that one runs",
            )),
            QueueState::Good { .. } => {}
            QueueState::Missing => found.push(warning(
                format!("{name} is missing"),
                "start an api or a worker, which declares it; what was in it is published again within a minute",
            )),
            QueueState::OtherArguments => found.push(wrong(
                format!(
                    "{name} is no quorum queue: what is in it may be lost with its node, and no process can use it"
                ),
                "stop the processes, delete it (`rabbitmqctl delete_queue`), start them: nothing is lost",
            )),
            QueueState::Refused => found.push(wrong(
                format!("the broker's user may not look at {name}"),
                "give it its permissions: README, Running it for real",
            )),
        }
    }
    if found.is_empty() {
        let ready: u32 =
            looks.iter().map(|look| if let QueueState::Good { ready, .. } = look.state { ready } else { 0 }).sum();
        let policies = "policies are not visible here: `rabbitmqctl list_policies` must name rb-ocr";
        found.push(good(format!("{} quorum queues, {ready} messages ready; {policies}", looks.len())));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(parts("3.9.29") < Some(OLDEST));
        assert!(parts("3.10.8") >= Some(OLDEST) && parts("4.1.0") >= Some(OLDEST));
        assert_eq!(parts("unknown"), None);
    }
}
