//! Bearers who prove themselves by a token that an issuer signed, and nobody else who tries.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use lombard_service::{
    config::{Config, TokensConfig},
    ports::Host,
};
use serde_json::{Value, json};

use super::world::World;
use crate::issuer::{Issuer, part};

const MINUTE: u64 = 60_000;

/// A world that takes an issuer's tokens, and a credential for those of the client `shop`.
async fn world(issuer: &Issuer) -> (World, String) {
    let mut config = Config::default();
    let tokens = TokensConfig {
        issuer: issuer.url.clone(),
        audience: Some("lombard".into()),
    };
    config.tokens.insert("idp".into(), tokens);
    let world = World::with(config).await;
    let id = register(&world, issuer, "shop").await.expect(201)["id"].clone();
    (world, id.as_str().unwrap().to_owned())
}

async fn register(world: &World, issuer: &Issuer, subject: &str) -> super::world::Answer {
    let body = json!({"name": "shop", "role": "operator",
        "token": {"issuer": issuer.url, "subject": subject}});
    world.post("/v1/api_keys", body).await
}

fn claims(world: &World, issuer: &Issuer) -> Value {
    let now = world.host.now().unix_ms() / 1000;
    json!({"iss": issuer.url, "sub": "shop", "aud": ["other", "lombard"], "exp": now + 300, "iat": now})
}

async fn status(world: &World, token: &str) -> u16 {
    world.get_as(token, "/v1/payments").await.status
}

#[tokio::test]
async fn a_token_of_the_issuer_opens_what_its_credential_does() {
    let issuer = Issuer::start().await;
    let (world, id) = world(&issuer).await;
    let token = issuer.sign(&claims(&world, &issuer));
    let own = world.get_as(&token, "/v1/credential").await.expect(200);
    assert_eq!((&own["id"], &own["scope"]), (&json!(id), &json!("write")));
    assert_eq!(own["actor"], json!(format!("key/{id}")));
    // Its text opens nothing, because it has none; the list says what it is.
    let listed = world.get("/v1/api_keys").await.expect(200);
    let ours = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["id"] == json!(id));
    assert_eq!(ours.unwrap()["bearer"], "token");
    assert!(ours.unwrap()["last_used_at"].is_string());
    // One subject is one credential, until that is revoked.
    assert_eq!(register(&world, &issuer, "shop").await.status, 400);
    assert_eq!(
        world
            .call_as(
                &world.key,
                "DELETE",
                &format!("/v1/api_keys/{id}"),
                json!({})
            )
            .await
            .status,
        200
    );
    assert_eq!(status(&world, &token).await, 401);
    register(&world, &issuer, "shop").await.expect(201);
    assert_eq!(status(&world, &token).await, 200);
}

#[tokio::test]
async fn no_other_token_opens_anything() {
    let (issuer, other) = (Issuer::start().await, Issuer::start().await);
    let (world, _) = world(&issuer).await;
    let good = claims(&world, &issuer);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let now = world.host.now().unix_ms() / 1000;
    for (what, claims) in [
        ("another audience", with("aud", json!("somebody"))),
        ("no audience", with("aud", Value::Null)),
        ("expired", with("exp", json!(now - 61))),
        ("never expires", with("exp", Value::Null)),
        ("not yet", with("nbf", json!(now + 61))),
        ("another issuer", with("iss", json!(other.url))),
        (
            "an issuer that is a prefix",
            with("iss", json!(format!("{}/", issuer.url))),
        ),
        ("another subject", with("sub", json!("shop2"))),
        ("to say who somebody is", with("token_use", json!("id"))),
    ] {
        assert_eq!(status(&world, &issuer.sign(&claims)).await, 401, "{what}");
    }
    assert_eq!(
        status(&world, &other.sign(&good)).await,
        401,
        "another's signature"
    );
    let token = issuer.sign(&good);
    let (head, signature) = token.rsplit_once('.').unwrap();
    let mut wrong = BASE64.decode(signature).unwrap();
    wrong[7] ^= 1;
    let unsigned = part(&json!({"alg": "none"}));
    let claims = part(&good);
    for (what, token) in [
        (
            "a bit of the signature",
            format!("{head}.{}", BASE64.encode(wrong)),
        ),
        ("no signature", format!("{head}.")),
        ("no algorithm", format!("{unsigned}.{claims}.")),
        ("no token", "a.b.c".to_owned()),
        ("too long", format!("{head}.{}", "A".repeat(9_000))),
        (
            "somebody else's claims",
            format!(
                "{}.{claims}x.{signature}",
                part(&json!({"alg": "ES256", "kid": "k1"}))
            ),
        ),
    ] {
        assert_eq!(status(&world, &token).await, 401, "{what}");
    }
    // A key that the issuer publishes is no shared secret.
    let header = part(&json!({"alg": "HS256", "kid": "shared"}));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"a secret");
    let message = format!("{header}.{claims}");
    let forged = BASE64.encode(ring::hmac::sign(&key, message.as_bytes()));
    assert_eq!(status(&world, &format!("{message}.{forged}")).await, 401);
    assert_eq!(status(&world, &token).await, 200, "the good one");
}

#[tokio::test]
async fn keys_are_exchanged_and_nobody_makes_us_ask_for_them_without_end() {
    let issuer = Issuer::start().await;
    let (world, _) = world(&issuer).await;
    let old = issuer.sign(&claims(&world, &issuer));
    assert_eq!(status(&world, &old).await, 200);
    issuer.rotate("k2");
    world.host.advance(MINUTE);
    let new = issuer.sign(&claims(&world, &issuer));
    assert_eq!(
        status(&world, &new).await,
        200,
        "a key that was not known is asked for"
    );
    assert_eq!(
        status(&world, &old).await,
        401,
        "and the old one is no more"
    );
    let before = issuer.fetched();
    for n in 0..20 {
        issuer.rotate(&format!("unknown-{n}"));
        let unknown = issuer.sign(&claims(&world, &issuer));
        assert_eq!(status(&world, &unknown).await, 401);
    }
    assert_eq!(
        issuer.fetched(),
        before,
        "not before half a minute has passed"
    );
}

#[tokio::test]
async fn an_issuer_that_is_away_locks_nobody_out_for_a_while() {
    let issuer = Issuer::start().await;
    let (world, _) = world(&issuer).await;
    let fresh = || issuer.sign(&claims(&world, &issuer));
    assert_eq!(status(&world, &fresh()).await, 200);
    issuer.down(true);
    world.host.advance(30 * MINUTE);
    assert_eq!(status(&world, &fresh()).await, 200, "its keys are known");
    world.host.advance(31 * MINUTE);
    assert_eq!(status(&world, &fresh()).await, 429, "too old to be trusted");
    issuer.down(false);
    assert_eq!(status(&world, &fresh()).await, 200);
}
