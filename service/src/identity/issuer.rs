//! Issuers of tokens: found by discovery, their keys fetched and exchanged as they exchange them.
//!
//! **Shape.** [`Issuers`] has those that are configured. [`Issuer::verify`] takes a token for what
//! it is only if the issuer's own keys signed it, it is of that issuer and for the audience, and
//! its time has come and has not passed.
//!
//! **Bounds.** Documents are read up to [`DOCUMENT_BYTES_MAX`], within [`TIMEOUT`], without
//! redirects. Keys are fetched again after [`KEYS_STAND_MS`], and for a token that names a key
//! that is not known at most once in [`FETCH_PAUSE_MS`], so that tokens of nobody's make nobody
//! fetch. Keys that cannot be fetched again are taken for [`KEYS_STALE_MS`], then no token is.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, Validation, dangerous, decode, decode_header,
    jwk::{JwkSet, PublicKeyUse},
};
use lombard_core::time::Timestamp;
use reqwest::{Client, Url, redirect::Policy};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::sync::Mutex;

use super::jose::{self, ALGORITHMS};
use crate::{config::Config, rails::gateway::use_ring};

/// The longest token that is looked at.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// The most bytes of a document of an issuer.
const DOCUMENT_BYTES_MAX: usize = 256 * 1024;
/// How long an issuer may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// After how many milliseconds keys are fetched again.
const KEYS_STAND_MS: u64 = 10 * 60 * 1000;
/// For how many milliseconds keys are taken that could not be fetched again.
const KEYS_STALE_MS: u64 = 60 * 60 * 1000;
/// Between two fetches for the sake of keys that were not known.
const FETCH_PAUSE_MS: u64 = 30 * 1000;
/// By how many milliseconds an issuer's clock may differ from ours.
const CLOCKS_DIFFER_MS: u64 = 60 * 1000;

/// Why a token is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is not what it should be: the sentence says which rule it breaks, for the log.
    #[error("the token is not taken: {0}")]
    Refused(&'static str),
    /// The issuer could not be asked for its keys.
    #[error("the issuer cannot be asked: {0}")]
    Unavailable(String),
}

/// What a token says.
#[derive(Clone, Debug, Deserialize)]
pub struct Claims {
    /// By whom it was issued.
    pub iss: String,
    /// Of whom it speaks.
    pub sub: String,
    /// In Unix seconds.
    exp: u64,
    #[serde(default)]
    nbf: u64,
    /// Everything else.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

impl Claims {
    /// Until when it is good.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.exp.saturating_mul(1000))
    }

    /// A claim that is text; empty when it is not there.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        let value = self.others.get(name);
        value.and_then(Value::as_str).unwrap_or_default()
    }
}

/// Where an issuer's endpoints are (OpenID Connect Discovery 1.0, section 3).
#[derive(Clone, Debug, Deserialize)]
pub struct Metadata {
    issuer: String,
    jwks_uri: String,
    /// Where people sign in.
    #[serde(default)]
    pub authorization_endpoint: Option<String>,
    /// Where a code is exchanged.
    #[serde(default)]
    pub token_endpoint: Option<String>,
    /// How a client may prove itself there.
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Vec<String>,
}

/// An issuer of tokens.
pub struct Issuer {
    url: String,
    http: Client,
    known: Mutex<Option<Known>>,
}

#[derive(Clone)]
struct Known {
    metadata: Arc<Metadata>,
    keys: Arc<[PublicKey]>,
    fetched: Timestamp,
    tried: Timestamp,
}

struct PublicKey {
    id: Option<String>,
    algorithm: Option<String>,
    key: DecodingKey,
}

impl PublicKey {
    fn serves(&self, id: Option<&str>, algorithm: Algorithm) -> bool {
        let named = id.is_none_or(|id| self.id.as_deref() == Some(id));
        let meant = self
            .algorithm
            .as_deref()
            .is_none_or(|own| own == format!("{algorithm:?}"));
        named && meant && self.key.family() == algorithm.family()
    }
}

impl Issuer {
    /// The issuer that says it is `url`.
    #[must_use]
    pub fn new(url: &str, http: Client) -> Self {
        jose::use_ring();
        let url = url.to_owned();
        let known = Mutex::default();
        Self { url, http, known }
    }

    /// As its tokens name it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where its endpoints are.
    ///
    /// # Errors
    /// [`TokenError::Unavailable`].
    pub async fn metadata(&self, now: Timestamp) -> Result<Arc<Metadata>, TokenError> {
        Ok(self.known(now, |_| true).await?.metadata)
    }

    /// What a token says, if it is this issuer's, and for `audience` where one is named.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn verify(
        &self,
        token: &str,
        audience: Option<&str>,
        now: Timestamp,
    ) -> Result<Claims, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Refused("too long"));
        }
        let header = decode_header(token).map_err(|_| TokenError::Refused("no token"))?;
        let (algorithm, id) = (header.alg, header.kid.as_deref());
        if !ALGORITHMS.contains(&algorithm) {
            return Err(TokenError::Refused("algorithm"));
        }
        // No extension that must be understood is (RFC 7515, section 4.1.11).
        if header.crit.is_some() {
            return Err(TokenError::Refused("critical extension"));
        }
        let serves = |key: &PublicKey| key.serves(id, algorithm);
        let known = self.known(now, |keys| keys.iter().any(serves)).await?;
        let mut keys = known.keys.iter().filter(|key| serves(key));
        let (Some(key), None) = (keys.next(), keys.next()) else {
            return Err(TokenError::Refused("key"));
        };
        let mut rules = Validation::new(algorithm);
        // By our own clock, below.
        (rules.validate_exp, rules.validate_nbf) = (false, false);
        rules.set_issuer(&[&self.url]);
        rules.set_required_spec_claims(&["exp", "iss", "sub"]);
        match audience {
            Some(audience) => {
                rules.set_audience(&[audience]);
                rules.required_spec_claims.insert("aud".to_owned());
            }
            None => rules.validate_aud = false,
        }
        let read = decode::<Claims>(token, &key.key, &rules);
        let claims = read
            .map_err(|error| TokenError::Refused(broken(&error)))?
            .claims;
        let begins = Timestamp::from_unix_ms(claims.nbf.saturating_mul(1000));
        if claims.until().plus_ms(CLOCKS_DIFFER_MS) <= now {
            return Err(TokenError::Refused("expired"));
        }
        if now.plus_ms(CLOCKS_DIFFER_MS) < begins {
            return Err(TokenError::Refused("not yet"));
        }
        Ok(claims)
    }

    /// What is known of the issuer, fetched if it is old, or if no key of it is `enough`.
    async fn known(
        &self,
        now: Timestamp,
        enough: impl Fn(&[PublicKey]) -> bool,
    ) -> Result<Known, TokenError> {
        let mut place = self.known.lock().await;
        if let Some(known) = &*place {
            let pause_over = now.ms_since(known.tried) >= FETCH_PAUSE_MS;
            let wanted = now.ms_since(known.fetched) >= KEYS_STAND_MS || !enough(&known.keys);
            if !(wanted && pause_over) {
                return Ok(known.clone());
            }
        }
        match self.fetch(now).await {
            Ok(known) => Ok(place.insert(known).clone()),
            Err(error) => match &mut *place {
                Some(known) if now.ms_since(known.fetched) < KEYS_STALE_MS => {
                    known.tried = now;
                    Ok(known.clone())
                }
                _ => Err(error),
            },
        }
    }

    async fn fetch(&self, now: Timestamp) -> Result<Known, TokenError> {
        let base = self.url.trim_end_matches('/');
        let metadata: Metadata = self
            .get(&format!("{base}/.well-known/openid-configuration"))
            .await?;
        // Otherwise one issuer could speak for another (Discovery, section 4.3).
        if metadata.issuer != self.url {
            let what = format!("it calls itself {:?}", metadata.issuer);
            return Err(TokenError::Unavailable(what));
        }
        let set: JwkSet = self.get(&metadata.jwks_uri).await?;
        let signs = |meant: &Option<PublicKeyUse>| !matches!(meant, Some(PublicKeyUse::Encryption));
        let of_issuer = set
            .keys
            .iter()
            .filter(|jwk| signs(&jwk.common.public_key_use));
        let keys = of_issuer.filter_map(|jwk| {
            let key = DecodingKey::from_jwk(jwk).ok()?;
            (key.family() != AlgorithmFamily::Hmac).then(|| PublicKey {
                id: jwk.common.key_id.clone(),
                algorithm: jwk.common.key_algorithm.map(|own| own.to_string()),
                key,
            })
        });
        Ok(Known {
            keys: keys.collect(),
            metadata: Arc::new(metadata),
            fetched: now,
            tried: now,
        })
    }

    async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, TokenError> {
        read(self.http.get(url)).await
    }

    /// Sends a form, and reads the JSON that it is answered with.
    ///
    /// # Errors
    /// [`TokenError::Unavailable`].
    pub async fn post<T: DeserializeOwned>(
        &self,
        url: &str,
        form: String,
        client: Option<(&str, &str)>,
    ) -> Result<T, TokenError> {
        let request = self.http.post(url).body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        read(match client {
            Some((id, secret)) => request.basic_auth(id, Some(secret)),
            None => request,
        })
        .await
    }
}

/// Which rule a token breaks.
fn broken(error: &jsonwebtoken::errors::Error) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::InvalidSignature => "signature",
        ErrorKind::InvalidIssuer => "issuer",
        ErrorKind::InvalidAudience => "audience",
        ErrorKind::MissingRequiredClaim(_) => "a claim is missing",
        _ => "form",
    }
}

async fn read<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T, TokenError> {
    // What an issuer answers can hold tokens: of an error only its kind is told.
    let failed = |error: reqwest::Error| TokenError::Unavailable(error.without_url().to_string());
    let mut response = request.send().await.map_err(failed)?;
    if !response.status().is_success() {
        return Err(TokenError::Unavailable(response.status().to_string()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if bytes.len() + chunk.len() > DOCUMENT_BYTES_MAX {
            return Err(TokenError::Unavailable(
                "its answer does not end".to_owned(),
            ));
        }
        bytes.extend_from_slice(&chunk);
    }
    let not_json = |_| TokenError::Unavailable("its answer is not what it should be".to_owned());
    serde_json::from_slice(&bytes).map_err(not_json)
}

/// The issuers whose tokens are taken.
pub struct Issuers {
    tokens: Vec<(Issuer, Option<String>)>,
    people: Option<Issuer>,
}

impl Issuers {
    /// Those of the configuration. None is asked before it is needed.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        use_ring();
        let built = Client::builder().timeout(TIMEOUT).redirect(Policy::none());
        // It fails where the system has no certificates to trust; then no issuer can be asked.
        let http = built.no_proxy().build().unwrap_or_default();
        let tokens = config.tokens.values();
        let tokens = tokens.map(|it| (Issuer::new(&it.issuer, http.clone()), it.audience.clone()));
        Self {
            tokens: tokens.collect(),
            people: { config.sign_in.issuer.as_deref() }.map(|url| Issuer::new(url, http.clone())),
        }
    }

    /// The issuer that vouches for people.
    #[must_use]
    pub const fn of_people(&self) -> Option<&Issuer> {
        self.people.as_ref()
    }

    /// What a bearer's token says, if one of the issuers issued it for calling us.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn bearer(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        #[derive(Deserialize)]
        struct Said {
            iss: String,
        }
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Refused("too long"));
        }
        // Only to know whom to ask: the issuer's signature is over it.
        let said = dangerous::insecure_decode_claims::<Said>(token);
        let said = said.map_err(|_| TokenError::Refused("no token"))?;
        let mut issuers = self.tokens.iter();
        let issuer = issuers.find(|(issuer, _)| issuer.url() == said.iss);
        let (issuer, audience) = issuer.ok_or(TokenError::Refused("issuer"))?;
        let claims = issuer.verify(token, audience.as_deref(), now).await?;
        // Cognito says of its tokens what they are for; one that says who somebody is opens nothing.
        match claims.text("token_use") {
            "" | "access" => Ok(claims),
            _ => Err(TokenError::Refused("not for access")),
        }
    }
}

/// Whether issuers at an address may be asked: over TLS, or on this machine.
#[must_use]
pub fn is_safe(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    let loopback = match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_matches(['[', ']'])
            .parse()
            .is_ok_and(|it: std::net::IpAddr| it.is_loopback()),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}
