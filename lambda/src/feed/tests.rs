//! The three ends of a record, against DynamoDB in this process and a queue that remembers.

use std::time::Duration;

use axum::{Json, Router, extract::State, routing::any};
use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use lombard_aws::{
    SdkConfig,
    call::Caller,
    connect::{Place, connect},
    dynamo::table,
};
use lombard_core::store::Commit;
use lombard_service::{
    config::Config,
    host::SystemHost,
    http::wire::Wire,
    optimistic::Optimistic,
    ports::{Host, Range, Store},
    rails::Rails,
    worker::feed::{Job, JobError},
};
use tokio::net::TcpListener;

use super::*;
use crate::surroundings::NoVault;

type Letters = Arc<Mutex<Vec<Buried>>>;

/// A queue of SQS that takes everything.
async fn queue(letters: Letters) -> String {
    // Its content type is not JSON's, though it is JSON.
    async fn take(State(letters): State<Letters>, body: Bytes) -> Json<Value> {
        let body: Value = serde_json::from_slice(&body).expect("a call");
        let text = body["MessageBody"].as_str().expect("a message");
        letters
            .lock()
            .push(serde_json::from_str(text).expect("a letter"));
        Json(json!({"MessageId": "1"}))
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let router = Router::new().fallback(any(take)).with_state(letters);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn database() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let database = dynoxide::Database::memory().expect("a database in memory");
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    url
}

async fn at(endpoint: String) -> SdkConfig {
    let place = Place {
        endpoint: Some(endpoint),
        ..Place::default()
    };
    connect(&place).await.expect("London is allowed")
}

/// Does as the partition is called.
struct Obedient;

impl Consumer for Obedient {
    fn name(&self) -> &'static str {
        "obedient"
    }

    fn concurrency(&self) -> usize {
        1
    }

    fn jobs(&self, commit: &Commit) -> Vec<Job> {
        let partition = commit.changes[0].key.partition().to_owned();
        let run = move || -> BoxFuture<'static, Result<(), JobError>> {
            match partition.as_str() {
                "t/hopeless" => {
                    let cause = Arc::new(std::io::Error::other("told to fail"));
                    async { Err(JobError::Hopeless(cause)) }.boxed()
                }
                "t/slow" => std::future::pending().boxed(),
                _ => async { Ok(()) }.boxed(),
            }
        };
        vec![Job {
            subject: "a test".to_owned(),
            run: Arc::new(run),
            give_up: Arc::new(|_| async { Ok(()) }.boxed()),
        }]
    }
}

async fn feed(letters: Letters) -> Feed {
    let host: Arc<dyn Host> = Arc::new(SystemHost::default());
    let store = Arc::new(Dynamo::new(
        &at(database().await).await,
        "lombard-test",
        host.clone(),
    ));
    let made = table::make(store.client(), "lombard-test").await;
    made.expect("the tables are made");
    let app = App {
        store: store.clone(),
        bank: Arc::new(Optimistic::new(store.clone(), host.clone(), Arc::new(Wire))),
        host: host.clone(),
        vault: Arc::new(NoVault),
        rails: Arc::new(Rails::default()),
        risk: None,
        config: Arc::new(Config::default()),
    };
    let sqs = at(queue(letters).await).await;
    let caller = Caller::new(host, store.meter().clone());
    Feed {
        hooks: Hooks::new(app.clone()).expect("an HTTP client"),
        app,
        store,
        consumers: vec![Arc::new(Obedient)],
        outward: Outward::new(&sqs, None, None, caller.clone()),
        graveyard: Graveyard::new(&sqs, "http://queue/dead", caller),
    }
}

/// A record that one commit wrote alone.
fn record(sequence: u64, partition: &str) -> Value {
    json!({"eventName": "INSERT", "dynamodb": {
        "SequenceNumber": sequence.to_string(),
        "NewImage": {
            "p": {"S": partition}, "s": {"S": ".x"}, "v": {"N": "1"}, "b": {"B": "e30="},
            "c": {"B": "AAAAAAAAAAAAAAAAAAAAAQE="},
        },
    }})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_done_is_said_and_what_cannot_be_is_buried_and_shown() {
    let letters = Letters::default();
    let feed = feed(letters.clone()).await;
    let mut poison = record(3, "t/fine");
    poison["dynamodb"]["NewImage"]["v"] = json!({"BOOL": true});
    let (fine, hopeless, slow) = (
        record(1, "t/fine"),
        record(2, "t/hopeless"),
        record(4, "t/slow"),
    );
    let event = json!({"Records": [fine, hopeless, poison, slow]});
    let until = Instant::now() + Duration::from_secs(2);
    let answer = feed.play(&event, until).await.expect("it answers");
    assert_eq!(
        answer,
        json!({"batchItemFailures": [{"itemIdentifier": "4"}]})
    );

    let buried = letters.lock().clone();
    let originals: Vec<_> = buried.iter().map(|it| it.original.clone()).collect();
    let alone = |record: &Value| json!({"Records": [record]});
    assert_eq!(originals, [alone(&poison), alone(&hopeless)]);
    assert!(
        buried
            .iter()
            .all(|it| it.role == "feed" && !it.reason.is_empty())
    );
    let list = Range::listed(&exceptions::list_partition(exceptions::operator()), 10);
    let shown = feed.store.range(&list).await.expect("readable");
    assert_eq!(shown.len(), 2, "each is an exception");

    // Handed over again, as a redrive does: what is still poison is buried again, and shown once.
    let again = feed
        .play(&alone(&poison), Instant::now() + Duration::from_secs(2))
        .await;
    assert_eq!(again.expect("it answers"), json!({"batchItemFailures": []}));
    let shown = feed.store.range(&list).await.expect("readable");
    assert_eq!(shown.len(), 2, "the same exception");
}
