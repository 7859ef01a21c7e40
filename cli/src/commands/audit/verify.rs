//! `rb-ocr audit verify`: the chain from its beginning to its end, and every day's head.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use chrono::TimeDelta;
use futures::TryStreamExt as _;
use serde_json::json;
use shared::audit_head::{DayHead, FOLDER};
use shared::documents::{Documents, DocumentsError};
use shared::domain::audit_seal::{BEGINNING, Fault, Walk};
use shared::store::audit::{chain, heads};
use shared::store::{Pool, now};
use uuid::Uuid;

use crate::output::{show, table};
use crate::store::{note_as, open};

/// How to look.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Leaves the heads in the document store out
    #[arg(long)]
    without_store: bool,
}

/// Links that are read at once.
const AT_ONCE: i64 = 5_000;

/// Faults that are named, at most; the rest is counted.
const NAMED: usize = 1_000;

/// An event that is older than this and not sealed will not be: an hourly look finds those that came late.
const SEALED_WITHIN: TimeDelta = TimeDelta::hours(2);

/// A head is no larger.
const HEAD_BYTES: u64 = 4_096;

/// What was found.
#[derive(Debug, Default)]
struct Found {
    links: u64,
    heads: usize,
    faults: u64,
    named: Vec<Named>,
}

#[derive(Debug)]
struct Named {
    number: Option<i64>,
    event_id: Option<Uuid>,
    fault: &'static str,
}

impl Found {
    fn add(&mut self, number: Option<i64>, event_id: Option<Uuid>, fault: &'static str) {
        self.faults += 1;
        if self.named.len() < NAMED {
            self.named.push(Named { number, event_id, fault });
        }
    }
}

/// Looks through all of it.
///
/// # Errors
/// The database or the document store is away; something is wrong with the chain.
pub async fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let (settings, pool) = open().await?;
    let mut told = heads::all(&pool).await?;
    if !args.without_store {
        let documents = Documents::open(&settings.storage_url)?;
        told.extend(stored_heads(&documents).await.context("the heads in the document store cannot be read")?);
    }
    let found = look(&pool, &told).await?;
    // That it was looked through is part of the audit.
    let outcome = if found.faults == 0 { "done" } else { "broken" };
    let looked = json!({ "events": found.links, "faults": found.faults });
    note_as(&pool, None, "audit.verified", outcome, looked).await?;
    let named: Vec<_> = found
        .named
        .iter()
        .map(|named| json!({ "number": named.number, "event_id": named.event_id, "fault": named.fault }))
        .collect();
    let answer = json!({ "events": found.links, "heads": found.heads, "faults": found.faults, "items": named });
    show(json, &answer, || {
        let text = |id: Option<String>| id.unwrap_or_default();
        let rows = found.named.iter().map(|named| {
            vec![
                text(named.number.map(|number| number.to_string())),
                text(named.event_id.map(|id| id.to_string())),
                named.fault.to_owned(),
            ]
        });
        let summary = format!("{} events and {} heads looked at, {} faults.", found.links, found.heads, found.faults);
        if found.named.is_empty() {
            summary
        } else {
            format!("{}\n{summary}", table(&["number", "event", "fault"], &rows.collect::<Vec<_>>()))
        }
    });
    if found.faults > 0 {
        bail!("the audit is not as it was sealed");
    }
    Ok(())
}

async fn look(pool: &Pool, told: &[DayHead]) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let head = chain::head(pool).await?;
    let oldest = chain::oldest(pool).await?;
    let seam = oldest.as_ref().and_then(|oldest| oldest.seam);
    // Where months are gone by their term, what is kept does not begin with the first link of all.
    let mut walk = match oldest {
        Some(oldest) if seam.is_some() => Walk::after(oldest.link.number - 1, oldest.link.previous_hash),
        _ => Walk::after(0, BEGINNING),
    };
    let from = walk.at().0 + 1;
    let mut due: BTreeMap<i64, Vec<&DayHead>> = BTreeMap::new();
    for head in told.iter().filter(|head| head.number >= from) {
        due.entry(head.number).or_default().push(head);
        found.heads += 1;
    }
    loop {
        let links = chain::links(pool, walk.at().0, AT_ONCE).await?;
        let read = links.len();
        for (link, event) in links {
            found.links += 1;
            if seam.is_some_and(|seam| link.event_id < seam) && link.number > walk.at().0 + 1 {
                walk = Walk::after(link.number - 1, link.previous_hash);
            }
            if let Some(fault) = walk.step(&link, event.as_ref()) {
                found.add(Some(link.number), Some(link.event_id), fault.as_str());
            }
            let heads = due.remove(&link.number).unwrap_or_default();
            if heads.iter().any(|head| head.hash != link.hash) {
                found.add(Some(link.number), Some(link.event_id), "not_the_head_that_was_told");
            }
        }
        if i64::try_from(read).is_ok_and(|read| read < AT_ONCE) {
            break;
        }
    }
    // What is left of the heads are links that are gone: from the end, or from between.
    for number in due.into_keys() {
        found.add(Some(number), None, Fault::Missing.as_str());
    }
    // The head was read before: sealing may have gone on meanwhile.
    let (number, hash) = walk.at();
    if number < head.number {
        found.add(Some(head.number), None, Fault::Missing.as_str());
    } else if number == head.number && hash != head.hash {
        found.add(Some(number), None, Fault::OutOfOrder.as_str());
    }
    let old = now(pool).await? - SEALED_WITHIN;
    for event in chain::unsealed(pool, None, Some(old), AT_ONCE).await? {
        found.add(None, Some(event.event_id), Fault::Unsealed.as_str());
    }
    Ok(found)
}

async fn stored_heads(documents: &Documents) -> anyhow::Result<Vec<DayHead>> {
    let mut heads = Vec::new();
    let mut listed = std::pin::pin!(documents.list(FOLDER)?);
    while let Some(stored) = listed.try_next().await? {
        let no_head = || format!("{} is no head", stored.key);
        let bytes = match documents.read(&stored.key, HEAD_BYTES).await {
            Err(DocumentsError::TooLarge) => bail!(no_head()),
            read => read?,
        };
        heads.push(DayHead::from_json(&bytes).with_context(no_head)?);
    }
    Ok(heads)
}
