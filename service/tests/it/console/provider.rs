//! Signing in with an OpenID provider, and everything that can be wrong with what comes back.

use std::sync::Arc;

use lombard_service::{
    access::Role,
    config::{Config, SignInConfig},
    http::{self, Api},
    ports::Host,
};
use serde_json::{Value, json};

use super::browser::{Browser, Shown};
use crate::{http::world::World, issuer::Issuer};

/// A world whose people a provider vouches for.
async fn world(issuer: &Issuer) -> World {
    let mut world = World::new().await;
    let sign_in = SignInConfig {
        url: Some("https://pay.example".into()),
        issuer: Some(issuer.url.clone()),
        client_id: "console".into(),
        client_secret: Some("house".into()),
        roles_claim: "/realm_access/roles".into(),
        roles: [
            ("payments-desk".to_owned(), Role::Operator),
            ("audit".to_owned(), Role::Auditor),
        ]
        .into(),
        amr: Some("mfa".into()),
        tenant: Some(world.tenant),
        ..SignInConfig::default()
    };
    world.app.config = Arc::new(Config {
        sign_in,
        ..Config::default()
    });
    world.router = http::router(Api::new(world.app.clone()));
    world
}

/// What the browser was sent to the provider with.
struct Sent(String);

impl Sent {
    async fn from(browser: &Browser) -> Self {
        let sent = browser
            .get("/console/sign-in/provider?then=/console/accounts")
            .await;
        assert_eq!(sent.status, 303, "{}", sent.text);
        assert!(
            sent.header("set-cookie")
                .contains("SameSite=Lax; Max-Age=600; Secure")
        );
        Self(sent.header("location").to_owned())
    }

    fn says(&self, name: &str) -> String {
        let query = self.0.split_once('?').unwrap().1;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(own, _)| own == name).unwrap().1.into_owned()
    }
}

fn claims(world: &World, issuer: &Issuer, sent: &Sent) -> Value {
    let now = world.host.now().unix_ms() / 1000;
    json!({"iss": issuer.url, "sub": "u-17", "aud": "console", "exp": now + 300, "nonce": sent.says("nonce"),
        "preferred_username": "ada", "amr": ["pwd", "mfa"], "realm_access": {"roles": ["payments-desk", "x"]}})
}

/// Comes back with the code, for a token with these claims.
async fn come_back(browser: &Browser, issuer: &Issuer, sent: &Sent, claims: &Value) -> Shown {
    issuer.give(&sent.says("code_challenge"), &issuer.sign(claims));
    let state = sent.says("state");
    let path = format!("/console/sign-in/return?code=the-code&state={state}");
    browser.get(&path).await
}

#[tokio::test]
async fn whoever_the_provider_vouches_for_is_in_with_his_roles() {
    let issuer = Issuer::start().await;
    let world = world(&issuer).await;
    let browser = Browser::at(&world);
    let sent = Sent::from(&browser).await;
    assert!(
        sent.0
            .starts_with(&format!("{}/authorize?response_type=code&", issuer.url))
    );
    assert_eq!(
        sent.says("redirect_uri"),
        "https://pay.example/console/sign-in/return"
    );
    assert_eq!(sent.says("code_challenge_method"), "S256");
    let entered = come_back(&browser, &issuer, &sent, &claims(&world, &issuer, &sent)).await;
    assert_eq!(
        (entered.status, entered.header("refresh")),
        (200, "0; url=/console/accounts")
    );
    assert!(
        entered
            .header("set-cookie")
            .contains("HttpOnly; SameSite=Strict; Secure")
    );
    assert_eq!(browser.get("/console").await.status, 200);
    // He is on the list under his name, and as himself on record.
    let people = world.get("/v1/people").await.expect(200);
    let him = &people["data"][0];
    assert_eq!(
        (&him["name"], &him["kind"], &him["scope"]),
        (&json!("ada"), &json!("provider"), &json!("write"))
    );
    let audit = world.get("/v1/audit").await.expect(200).to_string();
    let id = him["id"].as_str().unwrap();
    assert!(audit.contains(&format!("operator/{id}")) && audit.contains("sign_in"));
    // What he may do follows the provider at his next sign-in; he stays the same.
    let again = Browser::at(&world);
    let sent = Sent::from(&again).await;
    let mut other = claims(&world, &issuer, &sent);
    other["realm_access"]["roles"] = json!(["audit"]);
    come_back(&again, &issuer, &sent, &other).await;
    let people = world.get("/v1/people").await.expect(200);
    assert_eq!(people["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&people["data"][0]["id"], &people["data"][0]["grants"]),
        (&json!(id), &json!(["audit"]))
    );
    // Revoked here, he is out at once, in every session, and does not come in again.
    let path = format!("/v1/api_keys/{id}");
    world
        .call_as(&world.key, "DELETE", &path, json!({}))
        .await
        .expect(200);
    for one in [&browser, &again] {
        assert_eq!(one.get("/console").await.status, 303);
    }
    let sent = Sent::from(&again).await;
    let refused = come_back(&again, &issuer, &sent, &claims(&world, &issuer, &sent)).await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn what_was_not_asked_for_lets_nobody_in() {
    let (issuer, other) = (Issuer::start().await, Issuer::start().await);
    let world = world(&issuer).await;
    let with = |sent: &Sent, name: &str, value: Value| {
        let mut claims = claims(&world, &issuer, sent);
        claims[name] = value;
        claims
    };
    let now = world.host.now().unix_ms() / 1000;
    for (name, value, status) in [
        ("nonce", json!("another"), 400),
        ("nonce", Value::Null, 400),
        ("aud", json!("another"), 400),
        ("aud", json!(["console", "another"]), 400),
        ("azp", json!("another"), 400),
        ("iss", json!(other.url), 400),
        ("exp", json!(now - 61), 400),
        ("amr", json!(["pwd"]), 403),
        ("realm_access", json!({"roles": ["x", "admin"]}), 403),
    ] {
        let browser = Browser::at(&world);
        let sent = Sent::from(&browser).await;
        let claims = with(&sent, name, value.clone());
        let shown = come_back(&browser, &issuer, &sent, &claims).await;
        assert_eq!(shown.status, status, "{name} {value}: {}", shown.text);
        assert_eq!(browser.get("/console").await.status, 303, "{name} {value}");
    }
    // Signed by somebody else; without the cookie of whoever asked; with another's state; too late;
    // from somewhere else; refused there; with the verifier of another sign-in.
    let browser = Browser::at(&world);
    let sent = Sent::from(&browser).await;
    let good = claims(&world, &issuer, &sent);
    issuer.give(&sent.says("code_challenge"), &other.sign(&good));
    let path = format!(
        "/console/sign-in/return?code=the-code&state={}",
        sent.says("state")
    );
    assert_eq!(browser.get(&path).await.status, 400, "the other's key");
    issuer.give(&sent.says("code_challenge"), &issuer.sign(&good));
    assert_eq!(
        Browser::at(&world).get(&path).await.status,
        400,
        "another browser"
    );
    let forged = "/console/sign-in/return?code=the-code&state=0000";
    assert_eq!(browser.get(forged).await.status, 400, "another state");
    let elsewhere = format!("{path}&iss=https://evil.example");
    assert_eq!(browser.get(&elsewhere).await.status, 400, "mixed up");
    assert_eq!(
        browser
            .get(&format!("{path}&error=access_denied"))
            .await
            .status,
        403
    );
    issuer.give("another challenge", &issuer.sign(&good));
    assert_eq!(
        browser.get(&path).await.status,
        503,
        "the provider does not take the verifier"
    );
    world.host.advance(11 * 60_000);
    assert_eq!(browser.get(&path).await.status, 400, "too late");
    assert_eq!(browser.get("/console").await.status, 303);
}
