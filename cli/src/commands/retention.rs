//! `rb-ocr retention plan|run`: what is past its term, and doing what a worker does with it every day.

use anyhow::{Context as _, bail};
use clap::Subcommand;
use serde_json::{Value, json};
use shared::documents::Documents;
use shared::retention::{DUTY, Keeper, MonthPlan, Plan, Report, Step, TERM, plan};
use shared::settings::Settings;
use shared::store::{Pool, duties};
use tokio_util::sync::CancellationToken;

use crate::output::{show, table};
use crate::store::{actor, open};

/// What to do with what is past its term.
#[derive(Subcommand, Debug)]
pub enum Retention {
    /// Shows what is due, and changes nothing
    Plan,
    /// Does what is due now; a worker does the same once a day
    Run,
}

impl Retention {
    /// Does it.
    ///
    /// # Errors
    /// The database or the document store is away, somebody else is about it, or a part could not be done.
    pub async fn run(self, json: bool) -> anyhow::Result<()> {
        let (settings, pool) = open().await?;
        match self {
            Self::Plan => {
                let plan = plan(&pool, &settings.terms()).await?;
                show(json, &as_json(&plan), || as_text(&plan));
                Ok(())
            }
            Self::Run => run(&settings, pool, json).await,
        }
    }
}

fn month_json(month: &MonthPlan) -> Value {
    json!({
        "month": month.month.format("%Y-%m").to_string(), "runs": month.due.runs, "past": month.due.past,
        "held": month.due.held, "documents": month.due.documents, "drops": month.drops,
    })
}

fn as_json(plan: &Plan) -> Value {
    let total = |count: fn(&MonthPlan) -> i64| plan.months.iter().map(count).sum::<i64>();
    let audit: Vec<String> = plan.audit_months.iter().map(|month| month.format("%Y-%m").to_string()).collect();
    json!({
        "documents": total(|month| month.due.documents), "runs": total(|month| month.due.past),
        "held": total(|month| month.due.held), "months": plan.months.iter().map(month_json).collect::<Vec<_>>(),
        "audit_months": audit, "idempotency_keys": plan.idempotency_keys, "erasures": plan.erasures,
    })
}

fn as_text(plan: &Plan) -> String {
    let row = |month: &MonthPlan| {
        let drops = if month.drops { "yes" } else { "" };
        let MonthPlan { month, due, .. } = month;
        let counts = [due.runs, due.past, due.held, due.documents].map(|count| count.to_string());
        [month.format("%Y-%m").to_string()].into_iter().chain(counts).chain([drops.to_owned()]).collect()
    };
    let rows: Vec<Vec<String>> = plan.months.iter().map(row).collect();
    let mut text = if rows.is_empty() {
        "No run and no document is past its term.".to_owned()
    } else {
        table(&["month", "runs", "past their term", "held by a job or document", "documents", "drops"], &rows)
    };
    let months: Vec<String> = plan.audit_months.iter().map(|month| month.format("%Y-%m").to_string()).collect();
    text += &format!(
        "\naudit months to archive and drop: {}",
        if months.is_empty() { "none".into() } else { months.join(", ") }
    );
    text += &format!("\nidempotency keys to remove: {}", plan.idempotency_keys);
    text + &format!("\nerasures for which the archives are to be looked through: {}", plan.erasures)
}

async fn run(settings: &Settings, pool: Pool, json: bool) -> anyhow::Result<()> {
    let documents = Documents::open(&settings.storage_url).context("STORAGE_URL cannot be used")?;
    let scratch = tempfile::tempdir().context("there is no folder for the archive")?;
    let holder = format!("{} ({})", actor(), uuid::Uuid::new_v4().simple());
    if !duties::take(&pool, DUTY, &holder, TERM).await? {
        let other = duties::holder(&pool, DUTY).await?.unwrap_or_else(|| "somebody".into());
        bail!("{other} is about it; it is done once at a time");
    }
    let stop = CancellationToken::new();
    let on_signal = stop.clone();
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        on_signal.cancel();
    });
    let keeper = Keeper::new(pool.clone(), documents, scratch.path(), settings.terms(), &holder, stop);
    let keeper = keeper.telling(|step| progress(&step));
    match keeper.keep().await {
        Ok(report) => {
            duties::done(&pool, DUTY, &holder).await?;
            show(json, &report_json(&report), || report_text(&report));
            if report.failures.is_empty() { Ok(()) } else { bail!("some of it could not be done") }
        }
        Err(error) => {
            duties::release(&pool, DUTY, &holder).await?;
            Err(error.into())
        }
    }
}

#[expect(clippy::print_stderr, reason = "progress is not part of the answer")]
fn progress(step: &Step) {
    let month = step.month.map(|month| month.format("%Y-%m ").to_string()).unwrap_or_default();
    eprintln!("{month}{}: {}", step.what.replace('_', " "), step.count);
}

fn report_json(report: &Report) -> Value {
    json!({
        "documents": report.documents, "archived": report.archived, "deleted": report.deleted,
        "months_dropped": report.dropped, "audit_months": report.audit_months,
        "idempotency_keys": report.idempotency_keys, "erasures_copied": report.erasures_copied,
        "cleared": report.cleared, "failures": report.failures,
    })
}

fn report_text(report: &Report) -> String {
    let lines = [
        format!("documents given to be erased: {}", report.documents),
        format!("runs archived: {}; deleted one by one: {}", report.archived, report.deleted),
        format!("months dropped: {}; of the audit: {}", report.dropped, report.audit_months),
        format!("idempotency keys removed: {}", report.idempotency_keys),
        format!("erasures copied: {}; runs taken out of archives: {}", report.erasures_copied, report.cleared),
    ];
    let failures = report.failures.iter().map(|failure| format!("FAILED: {failure}"));
    lines.into_iter().chain(failures).collect::<Vec<_>>().join("\n")
}
