//! An issuer of tokens over HTTP, shaped as real ones are: discovery, keys that it exchanges,
//! codes that it exchanges for identity tokens, and signatures that can be made wrong.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{RawForm, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use parking_lot::Mutex;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What the issuer is to do.
#[derive(Default)]
struct Does {
    keys: Vec<(String, EcdsaKeyPair)>,
    /// The challenge and the identity token of the code that is out.
    out: Option<(String, String)>,
    fetched: u32,
    down: bool,
}

/// A running issuer.
#[derive(Clone)]
pub struct Issuer {
    pub url: String,
    does: Arc<Mutex<Does>>,
}

impl Issuer {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let does = Arc::default();
        let issuer = Self { url, does };
        issuer.rotate("k1");
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(keys))
            .route("/token", post(token))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        issuer
    }

    /// Signs with a new key from now on, and knows no other.
    pub fn rotate(&self, id: &str) {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        self.does.lock().keys = vec![(id.to_owned(), pair)];
    }

    /// How often its keys were fetched.
    pub fn fetched(&self) -> u32 {
        self.does.lock().fetched
    }

    pub fn down(&self, down: bool) {
        self.does.lock().down = down;
    }

    /// A token with these claims.
    pub fn sign(&self, claims: &Value) -> String {
        let does = self.does.lock();
        let (id, pair) = does.keys.last().unwrap();
        let header = json!({"alg": "ES256", "typ": "JWT", "kid": id});
        let message = format!("{}.{}", part(&header), part(claims));
        let signed = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", BASE64.encode(signed))
    }

    /// Gives out a code for whoever brought this challenge; it is exchanged for a token.
    pub fn give(&self, challenge: &str, token: &str) {
        self.does.lock().out = Some((challenge.to_owned(), token.to_owned()));
    }
}

pub fn part(value: &Value) -> String {
    BASE64.encode(value.to_string())
}

async fn discovery(State(issuer): State<Issuer>) -> Response {
    if issuer.does.lock().down {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let url = &issuer.url;
    Json(json!({
        "issuer": url,
        "jwks_uri": format!("{url}/jwks"),
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
    }))
    .into_response()
}

async fn keys(State(issuer): State<Issuer>) -> Json<Value> {
    let mut does = issuer.does.lock();
    does.fetched += 1;
    let jwk = |(id, pair): &(String, EcdsaKeyPair)| {
        let point = pair.public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": id,
            "x": BASE64.encode(&point[1..33]), "y": BASE64.encode(&point[33..])})
    };
    // Of other kinds, as real issuers have beside them; neither may ever verify anything.
    let mut keys: Vec<_> = does.keys.iter().map(jwk).collect();
    keys.push(json!({"kty": "oct", "kid": "shared", "k": BASE64.encode("a secret")}));
    keys.push(json!({"kty": "RSA", "use": "enc", "kid": "enc", "n": "AQAB", "e": "AQAB"}));
    Json(json!({ "keys": keys }))
}

async fn token(
    State(issuer): State<Issuer>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    let field = |name: &str| {
        let mut pairs = form_urlencoded::parse(&form);
        let found = pairs.find(|(own, _)| own == name);
        found
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    let basic = headers
        .get("authorization")
        .map(|it| it.as_bytes().to_vec());
    let known = basic == Some(b"Basic Y29uc29sZTpob3VzZQ==".to_vec());
    let Some((challenge, token)) = issuer.does.lock().out.take() else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let proved = BASE64.encode(Sha256::digest(field("code_verifier"))) == challenge;
    let right = field("grant_type") == "authorization_code" && field("code") == "the-code";
    if !(known && proved && right) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(json!({"access_token": "x", "token_type": "Bearer", "id_token": token})).into_response()
}
