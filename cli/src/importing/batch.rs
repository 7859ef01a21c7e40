//! One batch: what is there already is left out, documents are copied, and one transaction inserts the rest.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{Datelike as _, NaiveDate};
use futures::StreamExt as _;
use shared::store::imports::{self, Imported};
use shared::store::{StoreError, stats};
use uuid::Uuid;

use super::document::{self, Fault};
use super::folder::Read;
use super::walk::Candidate;
use super::{Import, Outcome};

/// Pauses before a statement that met an unavailable database is tried again.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(15)];

/// Runs that are added up at a time, so that no reader of figures has to add many.
const UNCOUNTED: u64 = stats::BATCH.unsigned_abs();

impl Import {
    /// Settles what was read: each folder is told of.
    pub(super) async fn settle(&mut self, read: Vec<(Candidate, Read)>) -> anyhow::Result<()> {
        let fresh = self.without_known(read).await?;
        let Some(client_id) = self.means.client_id else {
            for (candidate, read) in fresh {
                self.told(&candidate, &read.run.legacy_run_id, read.run.run_id, Outcome::Imported);
            }
            return Ok(());
        };
        let batch = self.with_documents(fresh).await?;
        if batch.is_empty() {
            return Ok(());
        }
        self.make_months(&batch).await?;
        let (candidates, runs): (Vec<Candidate>, Vec<Imported>) = batch.into_iter().unzip();
        match self.insert(client_id, &runs).await {
            Ok(inserted) => self.inserted(&candidates, &runs, &inserted),
            Err(StoreError::Refused(_)) => {
                // One of them is what the database does not take: the others do not suffer for it.
                for (candidate, run) in candidates.into_iter().zip(runs) {
                    let (candidate, run) = ([candidate], [run]);
                    match self.insert(client_id, &run).await {
                        Ok(inserted) => self.inserted(&candidate, &run, &inserted),
                        Err(error @ StoreError::Refused(_)) => self.refused(&candidate[0], &run[0], &error).await?,
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            Err(error) => return Err(error.into()),
        }
        self.count(false).await
    }

    /// Leaves out what this tree has had, what is in the record, and what was erased from it.
    async fn without_known(&mut self, read: Vec<(Candidate, Read)>) -> anyhow::Result<Vec<(Candidate, Read)>> {
        let renamed = read.iter().filter(|(candidate, read)| candidate.name != read.run.legacy_run_id);
        let renamed: Vec<String> = renamed.map(|(_, read)| read.run.legacy_run_id.clone()).collect();
        let known = imports::known(&self.means.pool, &renamed).await?;
        let ids: Vec<Uuid> = read.iter().map(|(_, read)| read.run.run_id).collect();
        let erased: HashSet<Uuid> = imports::erased(&self.means.pool, &ids).await?.into_iter().collect();
        let mut fresh = Vec::new();
        for (candidate, read) in read {
            let (legacy_run_id, run_id) = (&read.run.legacy_run_id, read.run.run_id);
            if self.is_second(&candidate.path, legacy_run_id) {
                continue;
            }
            if let Some(run_id) = known.get(legacy_run_id) {
                self.there(&candidate.path, legacy_run_id, *run_id, None);
            } else if erased.contains(&run_id) {
                self.there(&candidate.path, legacy_run_id, run_id, Some("was imported and then erased"));
            } else {
                self.seen.insert(legacy_run_id.clone(), run_id);
                fresh.push((candidate, read));
            }
        }
        Ok(fresh)
    }

    /// Copies the documents, some at once. A folder whose document cannot be read is told of and left out.
    async fn with_documents(&mut self, fresh: Vec<(Candidate, Read)>) -> anyhow::Result<Vec<(Candidate, Imported)>> {
        let (root, documents) = (Arc::clone(&self.root), self.means.documents.clone());
        let copying = |(candidate, read): (Candidate, Read)| {
            let (root, documents) = (Arc::clone(&root), documents.clone());
            async move {
                let Read { run, document } = read;
                let copied = match document {
                    None => Ok(None),
                    Some(path) => document::copy(&root, &path, &run, &documents).await.map(Some),
                };
                (candidate, run, copied)
            }
        };
        let mut copies = std::pin::pin!(futures::stream::iter(fresh.into_iter().map(copying)).buffered(self.at_once));
        let mut batch = Vec::new();
        while let Some((candidate, run, copied)) = copies.next().await {
            match copied {
                Ok(document) => batch.push((candidate, Imported { run, document })),
                Err(Fault::Old(why)) => {
                    self.seen.remove(&run.legacy_run_id);
                    self.unreadable(&candidate, Some(&run.legacy_run_id), &format!("the document {why}"));
                }
                Err(Fault::Store(error)) => return Err(error).context("documents cannot be stored"),
            }
        }
        Ok(batch)
    }

    async fn make_months(&mut self, batch: &[(Candidate, Imported)]) -> anyhow::Result<()> {
        let months: HashSet<NaiveDate> =
            batch.iter().filter_map(|(_, run)| run.run.created_at.date_naive().with_day(1)).collect();
        for month in months {
            if !self.months.contains(&month) {
                imports::make_month(&self.means.pool, month)
                    .await
                    .context("an old month's partitions cannot be made")?;
                self.months.insert(month);
            }
        }
        Ok(())
    }

    /// Tries again where the database is away for a moment. Whatever a try whose answer was lost has inserted is found
    /// and left by the next.
    async fn insert(&self, client_id: Uuid, runs: &[Imported]) -> Result<Vec<Uuid>, StoreError> {
        let mut pauses = PAUSES.iter();
        loop {
            match imports::insert(&self.means.pool, client_id, &self.means.actor, runs).await {
                Err(error) if error.retryable() => match pauses.next() {
                    Some(pause) => tokio::time::sleep(*pause).await,
                    None => return Err(error),
                },
                ended => return ended,
            }
        }
    }

    fn inserted(&mut self, candidates: &[Candidate], runs: &[Imported], inserted: &[Uuid]) {
        let inserted: HashSet<&Uuid> = inserted.iter().collect();
        self.uncounted += inserted.len() as u64;
        for (candidate, Imported { run, .. }) in candidates.iter().zip(runs) {
            let outcome = if inserted.contains(&run.run_id) { Outcome::Imported } else { Outcome::Exists };
            self.told(candidate, &run.legacy_run_id, run.run_id, outcome);
        }
    }

    /// What the database does not take leaves nothing behind.
    async fn refused(&mut self, candidate: &Candidate, run: &Imported, error: &StoreError) -> anyhow::Result<()> {
        if let Some(document) = &run.document {
            self.means
                .documents
                .delete(&document.key)
                .await
                .context("a document that is not needed cannot be deleted")?;
        }
        self.seen.remove(&run.run.legacy_run_id);
        // Its message may hold values.
        let what = error.constraint().map(ToOwned::to_owned).or_else(|| error.sqlstate());
        let what = what.unwrap_or_else(|| "without a reason".to_owned());
        self.unreadable(candidate, Some(&run.run.legacy_run_id), &format!("the database refuses it ({what})"));
        Ok(())
    }

    fn told(&mut self, candidate: &Candidate, legacy_run_id: &str, run_id: Uuid, outcome: Outcome) {
        self.report.line(&candidate.path, (Some(legacy_run_id), Some(run_id)), outcome, None);
    }

    /// Adds up what was imported, now and then and at the end, so that no reader of figures has to.
    pub(super) async fn count(&mut self, at_the_end: bool) -> anyhow::Result<()> {
        while self.uncounted > UNCOUNTED || (at_the_end && self.uncounted > 0) {
            self.uncounted = self.uncounted.saturating_sub(UNCOUNTED);
            stats::fold(&self.means.pool, self.means.time_zone).await.context("figures cannot be added up")?;
        }
        Ok(())
    }
}
