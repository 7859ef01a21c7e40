//! `rb-ocr erase --client C --iin X|--fio X [--yes N]`: all runs of a person, in the database and in the archives.

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use shared::archive::Archive;
use shared::documents::Documents;
use shared::domain::names::fio_search;
use shared::retention::{Found, Place, find_in_archives};
use shared::run_view::rfc3339;
use shared::store::erasures::{self, Eraser, Person};
use shared::store::{Pool, clients};
use shared::telemetry::TraceContext;
use uuid::Uuid;

use crate::output::{show, table};
use crate::store::{actor, open};

/// Whose runs.
#[derive(clap::Args, Debug)]
#[group(skip)]
#[command(group(clap::ArgGroup::new("person").required(true)))]
pub struct Args {
    /// The client's name: another's runs are left alone
    #[arg(long)]
    client: String,
    /// 12 digits
    #[arg(long, group = "person")]
    iin: Option<String>,
    /// The whole name, as it was submitted; case, ё and Kazakh letters do not matter
    #[arg(long, group = "person")]
    fio: Option<String>,
    /// Erases, if it is exactly so many runs
    #[arg(long, value_name = "N")]
    yes: Option<usize>,
}

impl Args {
    fn person(&self) -> anyhow::Result<Person> {
        match (&self.iin, &self.fio) {
            (Some(iin), _) if iin.len() == 12 && iin.bytes().all(|byte| byte.is_ascii_digit()) => {
                Ok(Person::Iin(iin.clone()))
            }
            (Some(_), _) => bail!("--iin must be 12 digits"),
            (None, Some(fio)) if fio.split_whitespace().count() >= 2 => Ok(Person::Fio(fio_search(fio))),
            (None, _) => bail!("--fio must be a whole name: surname and given name at least"),
        }
    }
}

/// Lists what there is, or erases it.
///
/// # Errors
/// There is no such client, the database or the document store is away, or `--yes` names another number of runs; then
/// nothing is erased.
pub async fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let person = args.person()?;
    let (settings, pool) = open().await?;
    let client = clients::find(&pool, &args.client).await?;
    let client_id = client.with_context(|| format!("there is no client {}", args.client))?.client_id;
    let documents = Documents::open(&settings.storage_url).context("STORAGE_URL cannot be used")?;
    let scratch = tempfile::tempdir().context("there is no folder for the archives")?;
    let archive = Archive::new(documents, scratch.path());
    let found = find(&pool, &archive, client_id, &person).await?;
    let Some(sure) = args.yes else {
        show(json, &listed(&found, false), || as_text(&found));
        if found.is_empty() {
            return Ok(());
        }
        bail!("nothing was erased: `--yes {}` erases them", found.len());
    };
    if sure != found.len() {
        bail!("there are {} runs now, not {sure}: nothing was erased", found.len());
    }
    let (actor, trace) = (actor(), TraceContext::make().to_string());
    let eraser = Eraser { actor: &actor, ip_address: None, trace_context: &trace };
    for run in &found {
        // A run may have gone to the archive, or been erased, since it was found: it is erased all the same.
        if !erasures::erase(&pool, run.run_id, client_id, &eraser).await? {
            erasures::erase_archived(&pool, run.run_id, client_id, &eraser).await?;
        }
    }
    show(json, &listed(&found, true), || {
        let archived = found.iter().filter(|run| run.place == Place::Archive).count();
        let later = if archived > 0 {
            format!(" {archived} of them are taken out of the archives at night.")
        } else {
            String::new()
        };
        format!("{} runs were erased; their files follow in moments.{later}", found.len())
    });
    Ok(())
}

/// The person's runs, in the database and in the archives.
async fn find(pool: &Pool, archive: &Archive, client_id: Uuid, person: &Person) -> anyhow::Result<Vec<Found>> {
    let here = erasures::runs_of(pool, client_id, person).await?.into_iter();
    let mut found: Vec<Found> =
        here.map(|(run_id, created_at, status)| Found { run_id, created_at, status, place: Place::Database }).collect();
    let mut archived = find_in_archives(archive, client_id, person).await?;
    let ids: Vec<Uuid> = archived.iter().map(|run| run.run_id).collect();
    let erased = erasures::erased_among(pool, &ids).await?;
    archived.retain(|run| !erased.contains(&run.run_id) && !found.iter().any(|other| other.run_id == run.run_id));
    found.append(&mut archived);
    found.sort_by_key(|run| run.run_id);
    Ok(found)
}

fn place(run: &Found) -> &'static str {
    match run.place {
        Place::Database => "database",
        Place::Archive => "archive",
    }
}

fn listed(found: &[Found], erased: bool) -> Value {
    let item = |run: &Found| {
        json!({
            "run_id": run.run_id, "created_at": rfc3339(run.created_at), "status": run.status, "place": place(run),
        })
    };
    json!({ "count": found.len(), "erased": erased, "items": found.iter().map(item).collect::<Vec<_>>() })
}

fn as_text(found: &[Found]) -> String {
    if found.is_empty() {
        return "There is no such run.".to_owned();
    }
    let row =
        |run: &Found| vec![run.run_id.to_string(), rfc3339(run.created_at), run.status.clone(), place(run).to_owned()];
    let rows: Vec<Vec<String>> = found.iter().map(row).collect();
    format!("{}\n{} runs", table(&["run_id", "created", "status", "where"], &rows), found.len())
}
