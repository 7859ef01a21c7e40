//! Reading a page image: which way up, how skewed, one fast attempt, and another by other means
//! where the first is too doubtful.

use std::path::Path;
use std::sync::Arc;

use shared::domain::Word;

use super::tesseract::{self, Languages, Segmentation};
use super::{OcrError, digits, leftover, tsv};
use crate::imaging::skew::{self, Lines, Slope};
use crate::imaging::warp::{Turn, straighten, turn};
use crate::imaging::{Gray, Scan, grain, light, surroundings};
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

/// Over this a page may lie on its side.
const SIDEWAYS: f32 = 0.9;

/// Over this it surely does.
const SURELY_SIDEWAYS: f32 = 2.0;

/// Over this, grain is smoothed before a threshold makes specks of it.
const GRAINY: f32 = 5.0;

/// On evened paper (250) what is as dark as this is print,
const BLACK: u8 = 40;

/// and what is as bright as this is paper. Grain above it vanishes: of all that was tried this
/// gained most, since Tesseract's search for lines trips over grain.
const WHITE: u8 = 200;

/// A page is read with at most this many pixels on its longer side: 340 an inch on A4, the most that
/// helps. A telephone's 50 million pixels would take Tesseract a minute and its memory.
const LONGEST: usize = 4_000;

/// How an evened page is made ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Light {
    /// Contrast raised; the threshold is Tesseract's own.
    Contrast,
    /// Black and white by Sauvola's threshold.
    Sauvola,
}

/// Reads a decoded page.
pub(super) async fn read(sandbox: &Sandbox, scratch: &Path, scan: Scan) -> Result<ImageReading, OcrError> {
    let Scan { gray, picture } = scan;
    let (page, lines) = blocking(move || {
        let gray = gray.at_most(LONGEST);
        let lines = skew::lines(&gray);
        let even = surroundings::without_surroundings(&light::even(&gray));
        (even, lines)
    })
    .await?;
    let reader = Reader { sandbox, scratch, page: Arc::new(page), lines };
    let (mut pose, mut tried) = (reader.likely_pose().await?, 1);
    let mut best = reader.attempt(pose, Recipe::FIRST).await?;
    if best.is_doubtful() {
        let other = pose.upside_down();
        if reader.better_pose(pose, other).await? == other {
            (pose, tried) = (other, 2);
            best = reader.attempt(pose, Recipe::FIRST).await?;
        }
    }
    if best.is_doubtful() {
        tried += 1;
        best = best.better(reader.attempt(pose, Recipe::SECOND).await?);
    }
    let pose = best.pose;
    reader.read_leftover(&mut best).await?;
    reader.read_numbers_again(&mut best).await?;
    let jpeg = blocking(move || picture.upright_jpeg(pose.turn, pose.slope))
        .await?
        .map_err(|_| OcrError::Unreadable("a page has no pixels".to_owned()))?;
    Ok(ImageReading { words: best.words, jpeg, second_attempt: tried > 1 })
}

/// How a page image has to be turned and straightened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// By quarters, first.
    pub turn: Turn,
    /// Then by what lines fall.
    pub slope: Slope,
    /// Where most ink is then, from 0 at the top to 1.
    densest: f32,
}

impl Pose {
    fn upside_down(self) -> Self {
        let turn = match self.turn {
            Turn::None => Turn::Half,
            Turn::Right => Turn::Left,
            Turn::Half => Turn::None,
            Turn::Left => Turn::Right,
        };
        Self { turn, slope: self.slope.upside_down(), densest: 1.0 - self.densest }
    }
}

/// How a page is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// What is done to its pixels.
    pub light: Light,
    /// Languages.
    pub languages: Languages,
    /// Lines.
    pub segmentation: Segmentation,
}

impl Recipe {
    /// The fast way.
    const FIRST: Self =
        Self { light: Light::Contrast, languages: Languages::RussianFirst, segmentation: Segmentation::Column };
    /// Other means.
    const SECOND: Self =
        Self { light: Light::Sauvola, languages: Languages::KazakhFirst, segmentation: Segmentation::Automatic };
    /// What was passed over.
    const LEFTOVER: Self = Self { segmentation: Segmentation::Block, ..Self::FIRST };
    /// A second look at numbers.
    const NUMBERS: Self = Self { languages: Languages::English, ..Self::PROBE };
    /// A look at a few lines.
    const PROBE: Self = Self { segmentation: Segmentation::Block, ..Self::FIRST };
}

struct Reader<'a> {
    sandbox: &'a Sandbox,
    scratch: &'a Path,
    /// Evened.
    page: Arc<Gray>,
    lines: Lines,
}

impl Reader<'_> {
    /// Upright, unless the lines say that the page lies on its side; then a few of them are read both ways.
    async fn likely_pose(&self) -> Result<Pose, OcrError> {
        let upright = Pose { turn: Turn::None, slope: self.lines.upright, densest: self.lines.densest.0 };
        if self.lines.sideways < SIDEWAYS {
            return Ok(upright);
        }
        let turned = Pose { turn: Turn::Right, slope: self.lines.turned, densest: self.lines.densest.1 };
        let turned = self.better_pose(turned, turned.upside_down()).await?;
        if self.lines.sideways > SURELY_SIDEWAYS {
            return Ok(turned);
        }
        self.better_pose(upright, turned).await
    }

    /// Which of two poses reads better, tried on the densest part of the page.
    async fn better_pose(&self, one: Pose, other: Pose) -> Result<Pose, OcrError> {
        let mut scores = [0.0; 2];
        for (pose, score) in [one, other].into_iter().zip(&mut scores) {
            let page = Arc::clone(&self.page);
            let part = blocking(move || {
                let turned = turn(&page, pose.turn);
                let height = turned.height / 6;
                let middle = (turned.height as f32 * pose.densest) as usize;
                let part = turned.crop(0, middle.saturating_sub(height / 2), turned.width, height);
                let part = straighten(&part, Slope { change: 0.0, ..pose.slope });
                grain::stretch(&part, BLACK, WHITE)
            })
            .await?;
            *score = believable(&self.read(&part, Recipe::PROBE).await?);
        }
        Ok(if scores[1] > scores[0] { other } else { one })
    }

    async fn attempt(&self, pose: Pose, recipe: Recipe) -> Result<Attempt, OcrError> {
        let page = Arc::clone(&self.page);
        let image = blocking(move || prepared(&page, pose, recipe.light)).await?;
        let words = self.read(&image, recipe).await?;
        Ok(Attempt::new(words, pose, image))
    }

    async fn read(&self, image: &Gray, recipe: Recipe) -> Result<Vec<Word>, OcrError> {
        tesseract::read(self.sandbox, self.scratch, image, recipe.languages, recipe.segmentation).await
    }

    /// Reads what looks like text and was passed over.
    async fn read_leftover(&self, attempt: &mut Attempt) -> Result<(), OcrError> {
        let (image, words) = (Arc::clone(&attempt.image), attempt.words.clone());
        if let Some(leftover) = blocking(move || leftover::leftover(&image, &words)).await? {
            let more = self.read(&leftover, Recipe::LEFTOVER).await?;
            leftover::merge(&mut attempt.words, more);
        }
        Ok(())
    }

    async fn read_numbers_again(&self, attempt: &mut Attempt) -> Result<(), OcrError> {
        if let Some(cuttings) = digits::cut(&attempt.image, &attempt.words) {
            let second = self.read(&cuttings.image, Recipe::NUMBERS).await?;
            cuttings.correct(&mut attempt.words, &second);
        }
        Ok(())
    }
}

/// Words and how good they are.
struct Attempt {
    words: Vec<Word>,
    pose: Pose,
    /// What they were read from.
    image: Arc<Gray>,
    confidence: f32,
    score: f32,
}

/// Letters that can be believed.
fn believable(words: &[Word]) -> f32 {
    words
        .iter()
        .filter(|word| word.text.chars().filter(|letter| letter.is_alphanumeric()).count() >= 2)
        .map(|word| (word.confidence - 0.3).max(0.0) * word.text.chars().count() as f32)
        .sum()
}

impl Attempt {
    fn new(words: Vec<Word>, pose: Pose, image: Gray) -> Self {
        let confidence = tsv::confidence(&words).unwrap_or(0.0);
        let score = believable(&words);
        Self { words, pose, image: Arc::new(image), confidence, score }
    }

    fn is_doubtful(&self) -> bool {
        self.confidence < GOOD || self.words.len() < FEW_WORDS
    }

    fn better(self, other: Self) -> Self {
        if other.score > self.score { other } else { self }
    }
}

/// An evened page turned, straightened and made ready.
fn prepared(page: &Gray, pose: Pose, light: Light) -> Gray {
    let mut ready = turn(page, pose.turn);
    if !pose.slope.is_straight() {
        ready = straighten(&ready, pose.slope);
    }
    if grain::amount(&ready) > GRAINY {
        ready = grain::smooth(&ready);
    }
    match light {
        Light::Contrast => grain::stretch(&ready, BLACK, WHITE),
        Light::Sauvola => light::sauvola(&ready, 20, 0.3),
    }
}

/// Runs work on pixels where it blocks nobody.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, OcrError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| match error.is_panic() {
        true => OcrError::Unreadable("a page's pixels cannot be worked on".to_owned()),
        false => OcrError::Failed("the worker is going down".to_owned()),
    })
}
