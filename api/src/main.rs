//! `rb-ocr-api`: intake, polling and search over HTTP.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use api::backlog::Backlog;
use api::key_cache::KeyCache;
use api::live::Hub;
use api::rate_limit::RateLimiter;
use api::reads::Reads;
use api::state::{App, AppState, Rules};
use api::{COMMENT, StoreAnswer};
use shared::budgets::Budgets;
use shared::clock::DatabaseClock;
use shared::documents::Documents;
use shared::paused::Paused;
use shared::queue::Broker;
use shared::queue::events::{self, EventSender};
use shared::relay::{self, RelayHandle};
use shared::secrets::ValueHasher;
use shared::settings::Settings;
use shared::store;
use shared::store::search::Slots;
use shared::telemetry::{self, LogTo, Metrics};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Connections to the broker name their process by this.
const NAME: &str = "rb-ocr-api";

/// How often the clock is compared with the database's.
const CLOCK_PERIOD: Duration = Duration::from_secs(30);

/// How often while it was not compared yet.
const FIRST_CLOCK_PERIOD: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            #[expect(clippy::print_stderr, reason = "the log may not be set up yet")]
            {
                eprintln!("{NAME}: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    shared::tls::install();
    let settings = Settings::from_env()?;
    let mut telemetry = telemetry::init(NAME, &settings, LogTo::Stdout)?;
    let listener = TcpListener::bind(settings.api_listen)
        .await
        .with_context(|| format!("API_LISTEN={} cannot be listened on", settings.api_listen))?;
    // Two ends: first no new request, then, when the last is answered, no relay and no events.
    let (stopping, ended) = (CancellationToken::new(), CancellationToken::new());
    let (broker, broker_task) = Broker::start(settings.amqp_url.clone(), &settings.queue_prefix, NAME, ended.clone());
    let (events, _) = EventSender::start(broker.clone(), ended.clone());
    let app = app(&settings, &broker, events, stopping.clone())?;
    telemetry.send(&app.metrics)?;
    if let Some(day) = settings.judge_as_of {
        tracing::warn!(%day, "JUDGE_AS_OF is set: documents are judged as of a day that is not today");
    }
    let tasks = [
        tokio::spawn(relay::run(
            app.pool.clone(),
            broker.clone(),
            app.relay.clone(),
            app.metrics.clone(),
            ended.clone(),
        )),
        tokio::spawn(watch_clock(Arc::clone(&app), ended.clone())),
        tokio::spawn(app.paused.clone().watch(app.pool.clone(), app.metrics.clone(), ended.clone())),
        tokio::spawn(hear(Arc::clone(&app), broker, ended.clone())),
        tokio::spawn(look(Arc::clone(&app), ended.clone())),
        tokio::spawn(give_back(Arc::clone(&app), ended.clone())),
    ];
    tokio::spawn(stop_on_signal(stopping.clone()));
    tracing::info!(address = %listener.local_addr()?, "listening");
    api::server::serve(listener, api::router(app), stopping, settings.timing.shutdown).await;
    ended.cancel();
    for task in tasks.into_iter().chain([broker_task]) {
        task.await.context("a task of the api panicked")?;
    }
    Ok(())
}

fn app(settings: &Settings, broker: &Broker, events: EventSender, stopping: CancellationToken) -> anyhow::Result<App> {
    let broker = broker.clone();
    let metrics = Metrics::default();
    Ok(Arc::new(AppState {
        pool: store::connect(&settings.database, NAME)?,
        read_pool: store::connect_read(&settings.database, NAME)?,
        searches: Slots::of(settings.database.connections),
        documents: Documents::open(&settings.storage_url)?.counted_by(metrics.clone()),
        clock: DatabaseClock::default(),
        relay: RelayHandle::default(),
        hub: Arc::new(Hub::default()),
        keys: KeyCache::default(),
        rate: RateLimiter::default(),
        budgets: Budgets::default(),
        reads: Reads::default(),
        searched: settings.secrets_key.as_ref().map(ValueHasher::new),
        backlog: Arc::new(Backlog::new(settings.limits.backlog_max)),
        tell: Box::new(move |event| events.send(event)),
        metrics,
        broker_is_up: Box::new(move || broker.session().is_ok()),
        store_answer: StoreAnswer::default(),
        paused: Paused::default(),
        comment_every: COMMENT,
        rules: Rules::from(settings),
        stopping,
    }))
}

/// Compares the clocks for ever; until it has succeeded once, every second.
async fn watch_clock(app: App, ended: CancellationToken) {
    loop {
        if let Err(error) = app.clock.measure(&app.pool).await {
            tracing::warn!(%error, "the database's clock cannot be read");
        }
        let pause = if app.clock.is_sound() { CLOCK_PERIOD } else { FIRST_CLOCK_PERIOD };
        if ended.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}

async fn hear(app: App, broker: Broker, ended: CancellationToken) {
    events::listen(broker, ended, |event| app.hub.dispatch(event)).await;
}

async fn look(app: App, ended: CancellationToken) {
    app.hub.keep_looking(&app.pool, &ended).await;
}

async fn give_back(app: App, ended: CancellationToken) {
    app.rate.keep_giving_back(&app.pool, &ended).await;
}

async fn stop_on_signal(stopping: CancellationToken) {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::warn!("signals cannot be heard");
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("asked to end");
    stopping.cancel();
}
