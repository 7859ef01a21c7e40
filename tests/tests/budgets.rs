//! What counts towards a month's budget.

use chrono_tz::Asia::Almaty;
use harness::records::{client, count};
use harness::services::Database;
use shared::store::budgets::{self, OverBudget};
use shared::store::clients::{Change, change};
use uuid::Uuid;

/// On a day counted from the first of this month.
async fn spent(database: &Database, owner: Uuid, after: &str, cost: f64) {
    let statement = format!(
        "INSERT INTO stats_calls
         VALUES ((date_trunc('month', now() AT TIME ZONE 'Asia/Almaty') {after})::date, $1, 'm' || random(), 'extractor', 1, 0, 1, 1, 2, 1, $2, 1)"
    );
    sqlx::query(sqlx::AssertSqlSafe(statement)).bind(owner).bind(cost).execute(database.pool()).await.expect("is kept");
}

#[tokio::test]
async fn a_month_counts_its_own_days_and_the_clients_own_calls() {
    let database = Database::fresh().await;
    let (bank, other) = (client(database.pool(), "bank").await, client(database.pool(), "other").await);
    assert_eq!(budgets::standing(database.pool(), bank, Almaty).await.expect("answers"), None, "there is no budget");
    let budget = Change { budget: Some(Some(500.0)), over_budget: Some(OverBudget::Rules), ..Change::default() };
    assert!(change(database.pool(), bank, &budget).await.expect("is changed"));
    spent(&database, bank, "", 300.0).await;
    spent(&database, bank, "+ interval '1 month' - interval '1 day'", 99.5).await;
    spent(&database, bank, "- interval '1 day'", 1000.0).await;
    spent(&database, bank, "+ interval '1 month'", 1000.0).await;
    spent(&database, other, "", 1000.0).await;
    let standing = budgets::standing(database.pool(), bank, Almaty).await.expect("answers").expect("a budget");
    assert_eq!((standing.budget, standing.spent, standing.over_budget), (500.0, 399.5, OverBudget::Rules));
    assert!(!standing.has_reached(80));
    // What is not added up yet counts too.
    sqlx::query(
        "INSERT INTO stats_deltas (run_id, client_id, created_at, generation, status, duplicate, codes, call_types,
             call_models, call_outcomes, call_seconds, prompt_tokens, completion_tokens, total_tokens, costs)
         VALUES (gen_random_uuid(), $1, now(), 1, 'error', false, '{}', '{extractor}', '{m}', '{ok}', '{1}', '{1}', '{1}', '{2}', '{0.5}')",
    )
    .bind(bank)
    .execute(database.pool())
    .await
    .expect("is kept");
    let all = budgets::all(database.pool(), None, Almaty).await.expect("answers");
    assert_eq!(all.len(), 1, "clients with a budget");
    assert!(all[0].standing.has_reached(80) && !all[0].standing.is_spent());
    assert!(budgets::tell(database.pool(), &all[0], 80, "worker").await.expect("is kept"));
    assert!(!budgets::tell(database.pool(), &all[0], 80, "worker").await.expect("is kept already"));
    let events = "SELECT count(*) FROM audit_events WHERE action = 'client.budget' AND details ->> 'percent' = '80'";
    assert_eq!(count(database.pool(), events).await, 1);
    assert_eq!(budgets::all(database.pool(), None, Almaty).await.expect("answers")[0].told, [80]);
}
