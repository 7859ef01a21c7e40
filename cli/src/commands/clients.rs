//! `rb-ocr clients set|show`: a client's settings.

use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::json;
use shared::secrets::Sealer;
use shared::settings::{RateLimit, Settings};
use shared::store::budgets::{self, OverBudget};
use shared::store::clients::{self, CALLBACK_FORMS, Change, Client, basic_context};
use shared::store::duplicates::ReusedDocument;
use shared::store::{Pool, client_secrets};

use crate::output::show;
use crate::store::{note, open};

/// What to do with clients.
#[derive(Subcommand, Debug)]
pub enum Clients {
    /// Changes settings; what is not named stays as it is
    Set(SetArgs),
    /// Shows settings
    Show {
        /// Its name
        client: String,
    },
}

/// What is to be changed.
#[derive(clap::Args, Debug)]
#[command(group(clap::ArgGroup::new("change").required(true).multiple(true)))]
pub struct SetArgs {
    /// Its name
    client: String,
    /// How its callbacks are made
    #[arg(long, group = "change", value_parser = clap::builder::PossibleValuesParser::new(CALLBACK_FORMS.iter().copied()))]
    callback_form: Option<String>,
    /// Credentials of the plain form
    #[arg(long, group = "change", value_name = "USER:PASS")]
    callback_basic: Option<String>,
    /// Submissions in so many seconds
    #[arg(long, group = "change", value_name = "N/SECONDS")]
    rate: Option<RateLimit>,
    /// Whether it may submit with priority high
    #[arg(long, group = "change", num_args = 0..=1, default_missing_value = "true", value_name = "true|false")]
    allow_high: Option<bool>,
    /// What it may spend on the model in a month, in the currency of LLM_PRICE; `none`: as much as it likes
    #[arg(long, group = "change", value_name = "AMOUNT|none", value_parser = budget)]
    budget: Option<Budget>,
    /// What happens when the budget is spent: submissions are refused, or analysed by the rules alone and flagged
    #[arg(long, group = "change", value_parser = crate::words::one_of(OverBudget::ALL, OverBudget::as_str))]
    over_budget: Option<OverBudget>,
    /// What happens to a document that was submitted for another person before
    #[arg(long, group = "change", value_parser = crate::words::one_of(ReusedDocument::ALL, ReusedDocument::as_str))]
    reused_document: Option<ReusedDocument>,
}

/// An amount, or no bound.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Budget(Option<f64>);

fn budget(text: &str) -> Result<Budget, String> {
    if text == "none" {
        return Ok(Budget(None));
    }
    let amount = text.parse::<f64>().ok().filter(|amount| (0.0..1e12).contains(amount));
    amount.map(|amount| Budget(Some(amount))).ok_or_else(|| "must be an amount such as 500.00, or none".to_owned())
}

impl Clients {
    /// Does it.
    ///
    /// # Errors
    /// The database is away, or there is no such client.
    pub async fn run(self, json: bool) -> anyhow::Result<()> {
        let (settings, pool) = open().await?;
        let name = match &self {
            Self::Set(args) => &args.client,
            Self::Show { client } => client,
        };
        let unknown = || format!("there is no client {name}: `rb-ocr keys create` makes one");
        let client = clients::find(&pool, name).await?.with_context(unknown)?;
        if let Self::Set(args) = &self {
            set(&settings, &pool, &client, args).await?;
        }
        let client = clients::find(&pool, name).await?.with_context(unknown)?;
        print(&settings, &pool, &client, json).await
    }
}

async fn set(settings: &Settings, pool: &Pool, client: &Client, args: &SetArgs) -> anyhow::Result<()> {
    let callback_basic = match &args.callback_basic {
        None => None,
        Some(basic) => {
            let (user, _) = basic.split_once(':').context("--callback-basic must be USER:PASS")?;
            if user.is_empty() || basic.chars().any(char::is_control) {
                bail!("--callback-basic must be USER:PASS, without control characters");
            }
            let key = settings.secrets_key.as_ref().context("credentials need SECRETS_KEY to be kept encrypted")?;
            Some(Sealer::new(key).seal(basic.as_bytes(), &basic_context(client.client_id)))
        }
    };
    let seconds = |rate: &RateLimit| i32::try_from(rate.window.as_secs()).unwrap_or(i32::MAX);
    let change = Change {
        callback_form: args.callback_form.clone(),
        callback_basic,
        rate_limit: args.rate.as_ref().map(|rate| (i32::try_from(rate.count).unwrap_or(i32::MAX), seconds(rate))),
        allow_high: args.allow_high,
        budget: args.budget.map(|budget| budget.0),
        over_budget: args.over_budget,
        reused_document: args.reused_document,
    };
    clients::change(pool, client.client_id, &change).await?;
    let changed = [
        ("callback_form", change.callback_form.is_some()),
        ("callback_basic", change.callback_basic.is_some()),
        ("rate", change.rate_limit.is_some()),
        ("allow_high", change.allow_high.is_some()),
        ("budget", change.budget.is_some()),
        ("over_budget", change.over_budget.is_some()),
        ("reused_document", change.reused_document.is_some()),
    ];
    let changed: Vec<&str> = changed.iter().filter(|(_, changed)| *changed).map(|(name, _)| *name).collect();
    note(pool, Some(client.client_id), "client.changed", json!({ "changed": changed })).await
}

async fn print(settings: &Settings, pool: &Pool, client: &Client, json: bool) -> anyhow::Result<()> {
    let own = client.rate_limit_count.zip(client.rate_limit_seconds);
    let rate = own.map_or_else(
        || format!("{}/{}", settings.limits.rate_limit.count, settings.limits.rate_limit.window.as_secs()),
        |(count, seconds)| format!("{count}/{seconds}"),
    );
    let secrets = client_secrets::live(pool, client.client_id).await?.len();
    let spent = budgets::standing(pool, client.client_id, settings.time_zone).await?.map(|standing| standing.spent);
    let answer = json!({
        "client": client.name, "callback_form": client.callback_form, "callback_basic": client.has_callback_basic,
        "rate": rate, "allow_high": client.allow_high, "live_secrets": secrets,
        "budget": client.budget, "over_budget": client.over_budget, "spent_this_month": spent,
        "reused_document": client.reused_document,
    });
    show(json, &answer, || {
        let basic = if client.has_callback_basic { "set" } else { "not set" };
        let budget = match client.budget {
            Some(budget) => format!("{:.2} of {budget:.2}, then {}", spent.unwrap_or(0.0), client.over_budget),
            None => "none".to_owned(),
        };
        format!(
            "client          {}\ncallback form   {}\ncallback basic  {basic}\nrate            {rate}\nallow high      {}\nlive secrets    {secrets}\nbudget          {budget}\nreused document {}",
            client.name, client.callback_form, client.allow_high, client.reused_document
        )
    });
    Ok(())
}
