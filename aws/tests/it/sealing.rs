//! The key file that a stage keeps: whoever asks gets the same keys, and nobody puts others over them.

use std::{sync::Arc, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType},
};
use axum::{
    Router, body::Bytes, extract::State, http::HeaderMap, response::IntoResponse, routing::any,
};
use lombard_aws::{SdkConfig, call::Caller, meter::Meter, sealing::Sealing};
use lombard_core::tenant::TenantId;
use lombard_service::{
    ports::Vault,
    vault::{KeyFile, LocalVault},
};
use tokio::net::TcpListener;

use crate::{
    kms::model::{self, Model},
    support::{configure, emulator, host},
};

/// Where each service is.
struct Services {
    kms: String,
    database: String,
    http: reqwest::Client,
}

/// One endpoint for both, as an account has.
async fn both(
    State(services): State<Arc<Services>>,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let target = headers["x-amz-target"].to_str().expect("text");
    let to = match target.starts_with("TrentService.") {
        true => &services.kms,
        false => &services.database,
    };
    let answer = services.http.post(to).headers(headers.clone()).body(body);
    let answer = answer.send().await.expect("it answers");
    let (status, headers) = (answer.status(), answer.headers().clone());
    (status, headers, answer.bytes().await.expect("a body"))
}

async fn account() -> (SdkConfig, Model) {
    let model = Model::serve().await;
    lombard_service::rails::gateway::use_ring();
    let http = reqwest::Client::builder()
        .timeout(Duration::from_secs(5))
        .build();
    let services = Services {
        kms: model.url.clone(),
        database: emulator().await,
        http: http.expect("an HTTP client"),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let router = Router::new()
        .fallback(any(both))
        .with_state(Arc::new(services));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (configure(&url).await, model)
}

async fn make_table(config: &SdkConfig) {
    let attribute = AttributeDefinition::builder()
        .attribute_name("p")
        .attribute_type(ScalarAttributeType::S)
        .build();
    let key = KeySchemaElement::builder()
        .attribute_name("p")
        .key_type(KeyType::Hash)
        .build();
    let made = { Client::new(config).create_table() }
        .table_name("vault")
        .attribute_definitions(attribute.expect("whole"))
        .key_schema(key.expect("whole"))
        .billing_mode(BillingMode::PayPerRequest)
        .send();
    made.await.expect("a table");
}

#[tokio::test]
async fn whoever_asks_gets_the_same_keys_and_the_first_stay() {
    let (config, model) = account().await;
    make_table(&config).await;
    let sealing = Sealing {
        config: &config,
        table: "vault",
        key: model::SEAL,
        caller: Caller::new(host(), Arc::new(Meter::default())),
    };
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let refused = sealing.open(&at("early"), false).await.map(drop);
    assert!(refused.is_err(), "who may not make keys waits for who may");
    assert!(!sealing.is_there().await.expect("it says"));

    // Those of an installation that moves in.
    let own = LocalVault::open(&at("own")).expect("keys");
    let tenant = TenantId::new(5);
    let sealed = own.seal(tenant, "x", b"Ann").expect("sealed");
    sealing
        .keep(std::fs::read(at("own")).expect("a file"))
        .await
        .expect("kept");
    let stranger = LocalVault::open(&at("stranger")).map(drop);
    stranger.expect("other keys");
    let text = std::fs::read(at("stranger")).expect("a file");
    sealing.keep(text).await.expect("refused in silence");

    for container in ["a", "b"] {
        let keys: KeyFile = sealing.open(&at(container), true).await.expect("keys");
        let vault = LocalVault::over(Arc::new(keys));
        assert_eq!(vault.open(tenant, "x", &sealed).as_deref(), Ok(&b"Ann"[..]));
    }
    model.disable(true);
    assert!(
        sealing.open(&at("c"), true).await.is_err(),
        "without KMS nobody has them"
    );
}
