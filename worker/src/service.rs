//! The worker's life: made from settings, runs until it is told to stop, and ends within its time.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures::future::select_all;
use shared::budgets::Budgets;
use shared::clock::DatabaseClock;
use shared::documents::Documents;
use shared::paused::Paused;
use shared::queue::Broker;
use shared::queue::events::EventSender;
use shared::relay::{self, RelayHandle};
use shared::secrets::Sealer;
use shared::settings::{AnalyzerKind, OcrEngineKind, Settings};
use shared::store::{self, jobs, workers};
use shared::telemetry::Metrics;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::analysis::{Analyzer, Asked, LlmAnalyzer, PairAnalyzer, RulesAnalyzer};
use crate::app::{App, Shared};
use crate::artifacts::Artifacts;
use crate::callbacks::{Deliver, Sender};
use crate::claiming::{RunClaims, Unclaimed, claim_together};
use crate::erase::Erase;
use crate::leases::{self, Leases};
use crate::ocr::{HttpEngine, OcrEngine, TesseractEngine};
use crate::outside::{Gate, gate};
use crate::pipeline::Pipeline;
use crate::runs::Means;
use crate::sandbox::Sandbox;
use crate::scratch::Scratch;
use crate::{health, lanes, upkeep};

/// How often a worker says that it is alive, and measures the database's clock.
const BEAT: Duration = Duration::from_secs(10);
/// Erasures at once.
const ERASE_SLOTS: usize = 2;
/// Of the time to stop, so much is left to give runs back and say goodbye, or half of it where that is less.
const FAREWELL: Duration = Duration::from_secs(5);

/// The pipeline that the settings ask for.
///
/// # Errors
/// A client cannot be made, or the helper of the sandbox cannot be started.
pub fn pipeline(settings: &Settings, metrics: &Metrics) -> anyhow::Result<Pipeline> {
    let sandbox =
        Sandbox::new(settings.ocr.processes).context("the sandbox cannot be started")?.counted_by(metrics.clone());
    let engine: Arc<dyn OcrEngine> = match settings.ocr.engine {
        OcrEngineKind::Tesseract => Arc::new(TesseractEngine::new(sandbox.clone())),
        OcrEngineKind::Http => {
            let base = settings.ocr.base_url.as_ref().context("OCR_BASE_URL is not set")?;
            let calls = settings.ocr.calls.unwrap_or(settings.worker_concurrency);
            Arc::new(HttpEngine::new(base, settings.ocr.processes, metrics.clone())?.calls_at_once(calls))
        }
    };
    let model = || {
        let calls = settings.llm.calls.unwrap_or(2 * settings.worker_concurrency);
        LlmAnalyzer::new(&settings.llm, metrics.clone()).map(|model| model.calls_at_once(calls))
    };
    let analyzer: Arc<dyn Analyzer> = match settings.llm.analyzer {
        AnalyzerKind::Rules => Arc::new(RulesAnalyzer),
        AnalyzerKind::Llm => Arc::new(model()?),
        AnalyzerKind::Both => Arc::new(PairAnalyzer::new(model()?, Asked::Always)),
        AnalyzerKind::Cascade => Arc::new(PairAnalyzer::new(model()?, Asked::InDoubt)),
    };
    Ok(Pipeline { sandbox, engine, analyzer })
}

/// Runs a worker until `stop`, then ends it within `SHUTDOWN_SECONDS`; at once when `hurry` is cancelled.
///
/// # Errors
/// It cannot be started.
pub async fn run(
    settings: Settings,
    metrics: Metrics,
    stop: CancellationToken,
    hurry: CancellationToken,
) -> anyhow::Result<()> {
    let (ended, deadline) = (CancellationToken::new(), CancellationToken::new());
    let pool = store::connect(&settings.database, "rb-ocr-worker")?;
    let (broker, _) = Broker::start(settings.amqp_url.clone(), &settings.queue_prefix, "rb-ocr-worker", ended.clone());
    let (events, _) = EventSender::start(broker.clone(), ended.clone());
    let pipeline = pipeline(&settings, &metrics)?;
    let (run_claims, unclaimed) = RunClaims::new(settings.worker_concurrency);
    let name = format!("{}/{}", host(), uuid::Uuid::new_v4().simple());
    let app = Arc::new(App {
        means: Means {
            ocr_engine: pipeline.engine.name(),
            analyzer: pipeline.analyzer.name(),
            model: pipeline.analyzer.model().map(str::to_owned),
            prompt_version: pipeline.analyzer.prompt_version(),
            prices: settings.llm.prices.clone(),
            worker: name.clone(),
        },
        pipeline,
        name,
        documents: Documents::open(&settings.storage_url)
            .context("STORAGE_URL cannot be used")?
            .counted_by(metrics.clone()),
        budgets: Budgets::default(),
        artifacts: settings.artifacts_dir.as_deref().map(Artifacts::new),
        sender: Sender::new(&settings.callbacks, metrics.clone())?,
        sealer: settings.secrets_key.as_ref().map(Sealer::new),
        leases: Leases::default(),
        run_claims,
        relay: RelayHandle::default(),
        clock: DatabaseClock::default(),
        paused: Paused::default(),
        scratch: Scratch::new(scratch()?, settings.worker_concurrency),
        settings,
        pool,
        broker,
        events,
        metrics,
        stop: stop.clone(),
        deadline: deadline.clone(),
    });
    health::feed_metrics(&app);
    let tasks = TaskTracker::new();
    let mut services = start(&app, unclaimed, &tasks, &ended);
    tracing::info!(worker = app.name, "the worker has started");

    tokio::select! {
        () = stop.cancelled() => {}
        // A service ends by itself only if it cannot go on.
        failed = services.join_next() => {
            stop.cancel();
            end(&app, &tasks, &ended, &hurry).await;
            return failed.map_or(Ok(()), |failed| failed?);
        }
    }
    end(&app, &tasks, &ended, &hurry).await;
    Ok(())
}

fn start(
    app: &Shared,
    unclaimed: Unclaimed,
    tasks: &TaskTracker,
    ended: &CancellationToken,
) -> JoinSet<anyhow::Result<()>> {
    let mut services = JoinSet::new();
    let mut service = |future: futures::future::BoxFuture<'static, ()>| {
        services.spawn(async move {
            future.await;
            Ok(())
        });
    };
    let until_ended = |future| until(ended.clone(), future);
    let lease_time = app.settings.timing.lease;
    service(until_ended(Box::pin(leases::keep(app.leases.clone(), app.pool.clone(), lease_time, ended.clone()))));
    let (pool, broker, relay, metrics) = (app.pool.clone(), app.broker.clone(), app.relay.clone(), app.metrics.clone());
    service(until_ended(Box::pin(relay::run(pool, broker, relay, metrics, ended.clone()))));
    service(until_ended(Box::pin(beat(Arc::clone(app), ended.clone()))));
    let watch = app.paused.clone().watch(app.pool.clone(), app.metrics.clone(), ended.clone());
    service(until_ended(Box::pin(watch)));
    service(until_ended(Box::pin(upkeep::keep_house(Arc::clone(app)))));
    service(until_ended(Box::pin(claim_together(Arc::clone(app), unclaimed, ended.clone()))));
    service(until_ended(Box::pin(lanes::run_runs(Arc::clone(app), tasks.clone()))));
    for (lane, slots) in [(jobs::Lane::Callbacks, app.settings.callbacks.concurrency), (jobs::Lane::Erase, ERASE_SLOTS)]
    {
        let (app, tasks) = (Arc::clone(app), tasks.clone());
        service(until_ended(match lane {
            jobs::Lane::Callbacks => Box::pin(lanes::run_lane(app, lane, slots, tasks, Deliver)),
            _ => Box::pin(lanes::run_lane(app, lane, slots, tasks, Erase)),
        }));
    }
    if let Some(listen) = app.settings.worker_listen {
        let app = Arc::clone(app);
        services.spawn(async move { health::serve(app, listen).await.context("WORKER_LISTEN cannot be listened on") });
    }
    services
}

/// A service that has done its work waits with the others for the end.
fn until(
    ended: CancellationToken,
    service: futures::future::BoxFuture<'static, ()>,
) -> futures::future::BoxFuture<'static, ()> {
    Box::pin(async move {
        service.await;
        ended.cancelled().await;
    })
}

/// No new work; what runs may go on for a while, and is given back then.
async fn end(app: &Shared, tasks: &TaskTracker, ended: &CancellationToken, hurry: &CancellationToken) {
    tracing::info!(busy = tasks.len(), "the worker stops");
    tasks.close();
    let shutdown = app.settings.timing.shutdown;
    let farewell = FAREWELL.min(shutdown / 2);
    // While the database is away nobody can be told, and that takes nothing from the time of what runs.
    let told = tokio::time::timeout(farewell, say_alive(app, tasks.len()));
    let done = async {
        tokio::select! {
            _ = futures::future::join(told, tasks.wait()) => true,
            () = hurry.cancelled() => false,
        }
    };
    if !tokio::time::timeout(shutdown.saturating_sub(farewell), done).await.unwrap_or(false) {
        tracing::warn!(busy = tasks.len(), "what still runs is given back");
    }
    app.deadline.cancel();
    let goodbye = async {
        tasks.wait().await;
        if let Err(error) = workers::leave(&app.pool, &app.name).await {
            tracing::debug!(%error, "the fleet is not told");
        }
        app.pool.close().await;
    };
    if tokio::time::timeout(farewell, goodbye).await.is_err() {
        tracing::warn!("the worker ends without a goodbye; its leases run out");
    }
    ended.cancel();
    drop(std::fs::remove_dir_all(app.scratch.place()));
    tracing::info!("the worker has stopped");
}

async fn beat(app: Shared, ended: CancellationToken) {
    let mut ticks = tokio::time::interval(BEAT);
    let mut retry = tokio::time::interval(Duration::from_secs(1));
    retry.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut said = false;
    let mut changes: Vec<_> = app.pipeline.services().map(|service| service.changes()).collect();
    loop {
        // None: nothing that is needed can be away.
        let changed = async {
            match changes.is_empty() {
                true => std::future::pending().await,
                false => drop(select_all(changes.iter_mut().map(|state| Box::pin(state.changed()))).await),
            }
        };
        tokio::select! {
            () = ended.cancelled() => return,
            _ = ticks.tick() => {}
            // The windows are made for those who take runs.
            () = changed => {}
            // Until the fleet knows of this worker, the windows are too small for it.
            _ = retry.tick(), if !said => {}
        }
        let measured = app.clock.measure(&app.pool).await;
        let beat = say_alive(&app, app.leases.len()).await;
        said = beat.is_ok();
        if let Err(error) = measured.and(beat) {
            tracing::warn!(%error, "the fleet cannot be told that this worker is alive");
        }
    }
}

async fn say_alive(app: &App, busy: usize) -> Result<(), store::StoreError> {
    let slots = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let beat = workers::Heartbeat {
        worker_id: &app.name,
        host: &host(),
        version: env!("CARGO_PKG_VERSION"),
        run_slots: slots(match gate(app.pipeline.services()) {
            Gate::Open => app.settings.worker_concurrency,
            Gate::One => 1,
            Gate::Shut => 0,
        }),
        callback_slots: slots(app.settings.callbacks.concurrency),
        busy_runs: slots(busy),
        busy_callbacks: 0,
        draining: app.stop.is_cancelled(),
    };
    workers::beat(&app.pool, &beat).await
}

fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "unknown".to_owned() } else { name.trim().to_owned() }
}

const SCRATCH: &str = "rb-ocr-worker-";

/// A folder of this process's own, unreadable to others. Those of processes that were killed are removed.
fn scratch() -> anyhow::Result<PathBuf> {
    let all = std::env::temp_dir();
    for entry in std::fs::read_dir(&all).context("the temporary folder cannot be read")?.flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(SCRATCH)).and_then(|rest| rest.split('-').next());
        if pid.is_some_and(|pid| !PathBuf::from(format!("/proc/{pid}")).exists()) {
            // Another user's stays: that user's next worker removes it.
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
    let prefix = format!("{SCRATCH}{}-", std::process::id());
    let own = tempfile::Builder::new().prefix(&prefix).tempdir().context("no temporary folder can be made")?;
    Ok(own.keep())
}
