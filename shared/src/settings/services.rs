//! The services that are called: OCR, the model, callers' endpoints.

use std::time::Duration;

use url::Url;

use super::reader::Reader;
use super::value::{self, Allowed, Secret};

/// Which engine reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OcrEngineKind {
    /// Tesseract and Poppler here.
    Tesseract,
    /// OCR over HTTP.
    Http,
}

/// `OCR_…`
#[derive(Clone, Debug)]
pub struct Ocr {
    /// `OCR_ENGINE`.
    pub engine: OcrEngineKind,
    /// `OCR_BASE_URL`.
    pub base_url: Option<Url>,
    /// `OCR_CALLS`: calls to the service in flight at once; none: as many as there are runs.
    pub calls: Option<usize>,
    /// `OCR_PROCESSES`: Tesseract and Poppler children at once; as many as there are cores unless told.
    pub processes: usize,
}

impl Ocr {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            engine: reader.required("OCR_ENGINE", |value| match value {
                "tesseract" => Ok(OcrEngineKind::Tesseract),
                "http" => Ok(OcrEngineKind::Http),
                _ => Err("must be tesseract or http".into()),
            }),
            base_url: reader.optional("OCR_BASE_URL", value::base_url),
            calls: reader.optional("OCR_CALLS", value::number_in(1..=100_000)),
            processes: reader.optional("OCR_PROCESSES", value::number_in(1..=256)).unwrap_or(cores),
        }
    }

    pub(super) fn check(&self, reader: &mut Reader<'_>) {
        if self.engine == OcrEngineKind::Http && self.base_url.is_none() {
            reader.disagree("OCR_BASE_URL", "must be set with OCR_ENGINE=http");
        }
    }
}

/// Who analyses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnalyzerKind {
    /// Rules in the worker.
    Rules,
    /// A model behind OpenAI's API.
    Llm,
    /// Both, side by side.
    Both,
    /// Rules, and the model where they are not certain.
    Cascade,
}

impl AnalyzerKind {
    /// Whether there must be a model.
    #[must_use]
    pub const fn asks_a_model(self) -> bool {
        !matches!(self, Self::Rules)
    }
}

/// How the model is asked for JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseFormat {
    /// Tries the three in this order and remembers.
    Auto,
    /// `{"type": "json_schema", …}`.
    JsonSchema,
    /// `{"type": "json_object", "schema": …}`.
    JsonObject,
    /// No `response_format`.
    None,
}

/// `ANALYZER`, `LLM_…`
#[derive(Clone, Debug)]
pub struct Llm {
    /// `ANALYZER`.
    pub analyzer: AnalyzerKind,
    /// `LLM_BASE_URL`.
    pub base_url: Option<Url>,
    /// `LLM_API_KEY`.
    pub api_key: Option<Secret>,
    /// `LLM_MODEL`.
    pub model: Option<String>,
    /// `LLM_CALLS`: calls in flight at once; none: two for each run.
    pub calls: Option<usize>,
    /// `LLM_PRICE`.
    pub prices: Prices,
    /// `LLM_MAX_TOKENS`: of an answer, at most; none: as the server has it.
    pub max_tokens: Option<usize>,
    /// `LLM_RESPONSE_FORMAT`.
    pub response_format: ResponseFormat,
}

/// What a million tokens cost, in whatever currency the bank counts in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Of the prompt.
    pub prompt: f64,
    /// Of the answer.
    pub completion: f64,
}

impl Price {
    /// The cost of a call; none where its tokens are not known.
    pub fn of(self, prompt_tokens: Option<i32>, completion_tokens: Option<i32>) -> Option<f64> {
        // Divided once: each part rounded on its own would add up to a hair less or more.
        let of = |tokens: i32, price: f64| f64::from(tokens.max(0)) * price;
        Some((of(prompt_tokens?, self.prompt) + of(completion_tokens?, self.completion)) / 1e6)
    }
}

impl std::str::FromStr for Price {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let price = |part: &str| part.trim().parse::<f64>().ok().filter(|price| (0.0..1e6).contains(price));
        let parts = text.split_once('/').and_then(|(prompt, completion)| Some((price(prompt)?, price(completion)?)));
        let (prompt, completion) = parts
            .ok_or("must be two prices such as 0.15/0.60, or models with theirs such as large=2/8,small=0.15/0.60")?;
        Ok(Self { prompt, completion })
    }
}

/// Prices by model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prices(Vec<(Option<String>, Price)>);

impl Prices {
    /// What this model costs: its own price, else the one that names no model; none where there is neither.
    pub fn of(&self, model: &str) -> Option<Price> {
        let find = |name: Option<&str>| self.0.iter().find(|(of, _)| of.as_deref() == name).map(|(_, price)| *price);
        find(Some(model)).or_else(|| find(None))
    }
}

impl std::str::FromStr for Prices {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let of = |part: &str| match part.trim().rsplit_once('=') {
            Some((model, price)) => Ok((Some(model.trim().to_owned()), price.parse()?)),
            None => Ok::<_, String>((None, part.parse()?)),
        };
        let prices: Vec<_> = text.split(',').map(of).collect::<Result<_, _>>()?;
        let twice = prices.iter().enumerate().any(|(at, (model, _))| prices[..at].iter().any(|(of, _)| of == model));
        if twice { Err("names a model twice".to_owned()) } else { Ok(Self(prices)) }
    }
}

impl Llm {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            analyzer: reader.required("ANALYZER", |value| match value {
                "rules" => Ok(AnalyzerKind::Rules),
                "llm" => Ok(AnalyzerKind::Llm),
                "both" => Ok(AnalyzerKind::Both),
                "cascade" => Ok(AnalyzerKind::Cascade),
                _ => Err("must be rules, llm, both or cascade".into()),
            }),
            base_url: reader.optional("LLM_BASE_URL", value::base_url),
            api_key: reader.optional("LLM_API_KEY", value::secret),
            model: reader.optional("LLM_MODEL", value::text),
            calls: reader.optional("LLM_CALLS", value::number_in(1..=100_000)),
            prices: reader.optional("LLM_PRICE", str::parse).unwrap_or_default(),
            max_tokens: reader.optional("LLM_MAX_TOKENS", value::number_in(1..=1_000_000)),
            response_format: reader.required("LLM_RESPONSE_FORMAT", |value| match value {
                "auto" => Ok(ResponseFormat::Auto),
                "json_schema" => Ok(ResponseFormat::JsonSchema),
                "json_object" => Ok(ResponseFormat::JsonObject),
                "none" => Ok(ResponseFormat::None),
                _ => Err("must be auto, json_schema, json_object or none".into()),
            }),
        }
    }

    pub(super) fn check(&self, reader: &mut Reader<'_>) {
        if self.analyzer.asks_a_model() {
            for (name, missing) in [("LLM_BASE_URL", self.base_url.is_none()), ("LLM_MODEL", self.model.is_none())] {
                if missing {
                    reader.disagree(name, "must be set with ANALYZER=llm, both or cascade");
                }
            }
        }
    }
}

/// `CALLBACK_…`
#[derive(Clone, Debug)]
pub struct Callbacks {
    /// `CALLBACK_ALLOW_HOSTS`.
    pub allow_hosts: Vec<Allowed>,
    /// `CALLBACK_PAUSES`: before the second try, the third, …
    pub pauses: Vec<Duration>,
    /// `CALLBACK_CONCURRENCY`: deliveries at once.
    pub concurrency: usize,
}

impl Callbacks {
    /// Deliveries at once to one host (contract, section 5).
    pub const PER_HOST: usize = 4;

    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            allow_hosts: reader.required("CALLBACK_ALLOW_HOSTS", value::allowed_hosts),
            pauses: reader.required("CALLBACK_PAUSES", value::durations),
            concurrency: reader.required("CALLBACK_CONCURRENCY", value::number_in(1..=4096)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_has_its_own_price_or_that_of_all() {
        let prices: Prices = "0.15/0.60, vendor/large=2/8".parse().expect("prices");
        assert_eq!(prices.of("vendor/large"), Some(Price { prompt: 2.0, completion: 8.0 }));
        assert_eq!(prices.of("another"), Some(Price { prompt: 0.15, completion: 0.60 }));
        assert_eq!("small=1/2".parse::<Prices>().expect("a price").of("another"), None);
        for wrong in ["1", "large=1", "1/2,3/4", "a=1/2,a=3/4", "=", "-1/2"] {
            assert!(wrong.parse::<Prices>().is_err(), "{wrong}");
        }
        assert_eq!(prices.of("another").and_then(|price| price.of(Some(1_000_000), Some(500_000))), Some(0.45));
    }
}
