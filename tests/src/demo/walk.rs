//! Submits the documents and follows each through its stages.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};

use super::board::Board;
use super::client::Client;
use super::report::Outcome;
use super::truth::Sample;

/// Documents under way at once: each holds a connection for its events.
const AT_ONCE: usize = 48;

/// No document of a demo takes as long; a run that does is reported as not finished.
const LIMIT: Duration = Duration::from_secs(900);

enum News {
    Moved(usize, String),
    Over(usize, Box<Outcome>),
}

/// Sends every sample of the folder through the api and returns how each came out, in their order.
///
/// # Errors
/// Where standard output is gone.
pub async fn walk(client: &Client, folder: &Path, samples: Vec<Sample>) -> std::io::Result<Vec<Outcome>> {
    let files: Vec<&str> = samples.iter().map(|sample| sample.file.as_str()).collect();
    let mut board = Board::new(&files);
    board.draw()?;
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let (tell, mut news) = mpsc::channel(256);
    let mut outcomes: Vec<Option<Outcome>> = samples.iter().map(|_| None).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for (index, sample) in samples.into_iter().enumerate() {
        let (client, tell, places) = (client.clone(), tell.clone(), places.clone());
        let file = folder.join(&sample.file);
        tasks.spawn(async move {
            let _place = places.acquire().await;
            let run = tokio::time::timeout(LIMIT, one(&client, &file, &sample, index, &tell)).await;
            let run = match run {
                Ok(run) => run.map_err(|error| format!("{error:#}")),
                Err(_) => Err(format!("not finished after {} s", LIMIT.as_secs())),
            };
            let _ = tell.send(News::Over(index, Box::new(Outcome { sample, run }))).await;
        });
    }
    drop(tell);
    let mut redraw = tokio::time::interval(Duration::from_millis(200));
    loop {
        tokio::select! {
            item = news.recv() => match item {
                Some(News::Moved(index, stage)) => board.moved(index, &stage, false)?,
                Some(News::Over(index, outcome)) => {
                    let end = match &outcome.run {
                        Ok(run) => ending(run.verdict, run.error_code.as_deref()),
                        Err(reason) => reason.clone(),
                    };
                    board.moved(index, &end, true)?;
                    outcomes[index] = Some(*outcome);
                }
                None => break,
            },
            _ = redraw.tick() => board.draw()?,
        }
    }
    Ok(outcomes.into_iter().flatten().collect())
}

async fn one(
    client: &Client,
    file: &Path,
    sample: &Sample,
    index: usize,
    tell: &mpsc::Sender<News>,
) -> anyhow::Result<super::client::Run> {
    let run_id = client.submit(file, &sample.applicant_fio).await?;
    client
        .follow(&run_id, |stage| {
            // A full channel loses a picture of the way, never the end.
            let _ = tell.try_send(News::Moved(index, stage.to_owned()));
        })
        .await
}

fn ending(verdict: Option<bool>, error_code: Option<&str>) -> String {
    match (verdict, error_code) {
        (Some(true), _) => "done: valid".to_owned(),
        (Some(false), Some(code)) => format!("done: not valid, {code}"),
        (Some(false), None) => "done: not valid".to_owned(),
        (None, code) => format!("ended: {}", code.unwrap_or("no code")),
    }
}
