//! Reading a page image: which way up, how skewed, one fast attempt, and another by other means
//! where the first is too doubtful.

use std::path::Path;
use std::sync::Arc;

use shared::domain::Word;

use super::tesseract::{self, Languages, Segmentation};
use super::{OcrError, tsv};
use crate::imaging::warp::{Turn, straighten, turn};
use crate::imaging::{Gray, Scan, light, skew};
use crate::sandbox::Sandbox;

/// What was read from a page image.
#[derive(Debug)]
pub(super) struct ImageReading {
    pub words: Vec<Word>,
    /// The upright page for people.
    pub jpeg: Vec<u8>,
    pub second_attempt: bool,
}

/// With this mean confidence a reading is good enough.
const GOOD: f32 = 0.80;

/// Words that a page has at least if it was read the right way up.
const FEW_WORDS: usize = 12;

/// How pixels are made ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Light {
    /// Paper made even; the threshold is Tesseract's own.
    Even,
    /// Made even, then Sauvola's threshold.
    Sauvola,
    /// Grain taken out, then made even.
    Despeckled,
}

/// Reads a decoded page.
pub(super) async fn read(sandbox: &Sandbox, scratch: &Path, scan: Scan) -> Result<ImageReading, OcrError> {
    let Scan { gray, picture } = scan;
    let (page, lines, even) = blocking(move || {
        let lines = skew::lines(&gray);
        let even = light::even(&gray);
        (gray, lines, even)
    })
    .await?;
    let (page, even) = (Arc::new(page), Arc::new(even));

    let reader = Reader { sandbox, scratch };
    let mut upright = Turn::None;
    if lines.sideways > 1.0 {
        upright = reader.better_turn(&even, lines.skew, Turn::Right, Turn::Left).await?;
    }
    let straight = prepare(&even, upright, lines.skew, Light::Even).await?;
    let mut best = reader.attempt(&straight, Languages::RussianFirst, Segmentation::Automatic).await?;
    let mut second_attempt = false;
    if best.is_doubtful() {
        second_attempt = true;
        let over = match upright {
            Turn::None => Turn::Half,
            Turn::Half => Turn::None,
            Turn::Left => Turn::Right,
            Turn::Right => Turn::Left,
        };
        if reader.better_turn(&even, lines.skew, upright, over).await? == over {
            upright = over;
            let straight = prepare(&even, upright, lines.skew, Light::Even).await?;
            best = reader.attempt(&straight, Languages::RussianFirst, Segmentation::Automatic).await?;
        }
        if best.is_doubtful() {
            let other = prepare(&page, upright, lines.skew, Light::Sauvola).await?;
            let attempt = reader.attempt(&other, Languages::KazakhFirst, Segmentation::Automatic).await?;
            best = best.better(attempt);
        }
    }
    let skew = lines.skew;
    let jpeg = blocking(move || picture.upright_jpeg(upright, skew))
        .await?
        .map_err(|_| OcrError::Unreadable("a page has no pixels".to_owned()))?;
    Ok(ImageReading { words: best.words, jpeg, second_attempt })
}

struct Reader<'a> {
    sandbox: &'a Sandbox,
    scratch: &'a Path,
}

impl Reader<'_> {
    async fn attempt(
        &self,
        image: &Gray,
        languages: Languages,
        segmentation: Segmentation,
    ) -> Result<Attempt, OcrError> {
        let words = tesseract::read(self.sandbox, self.scratch, image, languages, segmentation).await?;
        Ok(Attempt::new(words))
    }

    /// Which of two turns reads better, tried on the densest part of the page.
    async fn better_turn(&self, page: &Arc<Gray>, skew: f32, one: Turn, other: Turn) -> Result<Turn, OcrError> {
        let mut scores = [0.0; 2];
        for (turn, score) in [one, other].into_iter().zip(&mut scores) {
            let straight = prepare(page, turn, skew, Light::Even).await?;
            let part = straight.crop(0, straight.height / 4, straight.width, straight.height / 5);
            *score = self.attempt(&part, Languages::RussianFirst, Segmentation::Block).await?.score;
        }
        Ok(if scores[1] > scores[0] { other } else { one })
    }
}

/// Words and how good they are.
struct Attempt {
    words: Vec<Word>,
    confidence: f32,
    /// Letters that can be believed.
    score: f32,
}

impl Attempt {
    fn new(words: Vec<Word>) -> Self {
        let confidence = tsv::confidence(&words).unwrap_or(0.0);
        let score = words
            .iter()
            .filter(|word| word.text.chars().filter(|letter| letter.is_alphanumeric()).count() >= 2)
            .map(|word| (word.confidence - 0.3).max(0.0) * word.text.chars().count() as f32)
            .sum();
        Self { words, confidence, score }
    }

    fn is_doubtful(&self) -> bool {
        self.confidence < GOOD || self.words.len() < FEW_WORDS
    }

    fn better(self, other: Self) -> Self {
        if other.score > self.score { other } else { self }
    }
}

/// A page turned, straightened and made ready for Tesseract.
async fn prepare(page: &Arc<Gray>, quarter: Turn, skew: f32, light: Light) -> Result<Gray, OcrError> {
    let page = Arc::clone(page);
    blocking(move || prepared(&page, quarter, skew, light)).await
}

/// As [`prepare`], at once. For [`Light::Even`] the page is taken to be even already.
#[must_use]
pub fn prepared(page: &Gray, quarter: Turn, skew: f32, light: Light) -> Gray {
    /// Less skew than this costs nothing in reading, but straightening blurs.
    const STRAIGHT: f32 = 0.35;
    let mut turned = turn(page, quarter);
    match light {
        Light::Even => {}
        Light::Sauvola => turned = light::even(&turned),
        Light::Despeckled => turned = light::even(&light::despeckle(&turned)),
    }
    if skew.abs() >= STRAIGHT {
        turned = straighten(&turned, skew);
    }
    if light == Light::Sauvola {
        turned = light::sauvola(&turned, 20, 0.3);
    }
    turned
}

/// Runs work on pixels where it blocks nobody.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, OcrError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| match error.is_panic() {
            true => OcrError::Unreadable("a page's pixels cannot be worked on".to_owned()),
            false => OcrError::Failed("the worker is going down".to_owned()),
        })
}
