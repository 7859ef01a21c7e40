//! Processes that are up before their services.

use harness::binaries::Server;
use harness::caller::valid_form;
use harness::own_services::{Action, OwnServices, Service};
use harness::stack::Stack;
use harness::until::until;
use serde_json::Value;

/// Waits until `/readyz` answers this status and names this as down.
async fn says(server: &Server, status: u16, down: &[&str]) {
    let url = format!("{}/readyz", server.url());
    until(&format!("{status} with {down:?} from {url}"), async || {
        let answer = reqwest::get(&url).await.ok()?;
        let found = answer.status().as_u16();
        let body: Value = answer.json().await.ok()?;
        let named: Vec<&str> = body["down"].as_array()?.iter().filter_map(Value::as_str).collect();
        (found == status && down.iter().all(|name| named.contains(name)) && named.is_empty() == down.is_empty())
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_starts_before_its_services_is_alive_names_them_and_waits() {
    let own = OwnServices::start().expect("both start");
    let mut stack = Stack::plan().on(&own.services).workers(0).start().await;
    let bank = stack.bank().await;
    stack.apis[0].process.kill();
    own.act(Service::RabbitMq, Action::Stop).expect("it can be stopped");
    own.act(Service::Postgres, Action::Stop).expect("it can be stopped");

    stack.respawn_api(0);
    stack.spawn_worker();
    for server in [&stack.apis[0], &stack.workers[0]] {
        says(server, 503, &["database", "broker"]).await;
        assert_eq!(server.status("/healthz").await, Some(200), "alive asks nobody");
    }
    own.act(Service::Postgres, Action::Start).expect("it starts");
    says(&stack.apis[0], 200, &["broker"]).await;
    says(&stack.workers[0], 503, &["broker"]).await;
    let run_id = bank.submit(valid_form()).await;
    assert_eq!(bank.run(run_id).await["status"], "processing");
    own.act(Service::RabbitMq, Action::Start).expect("it starts");
    assert_eq!(bank.finished(run_id).await["verdict"], true);
    says(&stack.apis[0], 200, &[]).await;
    says(&stack.workers[0], 200, &[]).await;
}
