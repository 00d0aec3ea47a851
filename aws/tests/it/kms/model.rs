//! KMS as its documentation says, as far as it is used here: contexts, integrity, materials, states. What
//! is wrapped is not secret here, only bound.

use std::sync::Arc;

use axum::{Json, Router, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use base64::{Engine, engine::general_purpose::STANDARD};
use lombard_core::proof::key::{KeyKind, SecretKey};
use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use crate::support::host;

/// Wraps.
pub const SEAL: &str = "seal";
/// Signs.
pub const SIGN: &str = "sign";
/// Wraps, in another region.
pub const ABROAD: &str = "abroad";
/// Wraps, and may be copied to other regions.
pub const COPIED: &str = "copied";

/// See the module.
pub struct Model {
    pub url: String,
    state: Arc<Mutex<Kms>>,
}

#[derive(Default)]
struct Kms {
    rotations: u64,
    disabled: bool,
    lies: bool,
}

type Answer = Result<Value, &'static str>;

impl Model {
    pub async fn serve() -> Self {
        let state = Arc::new(Mutex::new(Kms::default()));
        let router = Router::new().route("/", post(answer));
        let router = router.with_state(state.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, state }
    }

    /// Switches its keys off, or on.
    pub fn disable(&self, disabled: bool) {
        self.state.lock().disabled = disabled;
    }

    /// Lets it sign something else.
    pub fn lie(&self, lies: bool) {
        self.state.lock().lies = lies;
    }
}

async fn answer(
    State(state): State<Arc<Mutex<Kms>>>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, Json<Value>) {
    let target = headers.get("x-amz-target").and_then(|it| it.to_str().ok());
    let name = target.and_then(|it| it.strip_prefix("TrentService."));
    let asked: Value = serde_json::from_str(&body).expect("JSON");
    match state.lock().act(name.expect("an operation"), &asked) {
        Ok(said) => (StatusCode::OK, Json(said)),
        Err(code) => {
            let said = json!({"__type": code, "message": "as the model has it"});
            (StatusCode::BAD_REQUEST, Json(said))
        }
    }
}

impl Kms {
    fn act(&mut self, name: &str, asked: &Value) -> Answer {
        let id = asked["KeyId"].as_str().or(asked["SourceKeyId"].as_str());
        let id = id.and_then(|it| it.rsplit('/').next()).unwrap_or_default();
        if ![SEAL, SIGN, ABROAD, COPIED].contains(&id) {
            return Err("NotFoundException");
        }
        if self.disabled && name != "DescribeKey" {
            return Err("DisabledException");
        }
        let context = &asked["EncryptionContext"];
        match name {
            "DescribeKey" => Ok(json!({"KeyMetadata": self.metadata(id)})),
            "GenerateDataKey" => {
                let chance = [host().random(), host().random()];
                let plain: Vec<u8> = chance.iter().flat_map(|it| it.to_be_bytes()).collect();
                let plain = STANDARD.encode(plain);
                let blob = self.wrap(&plain, context, self.rotations);
                Ok(
                    json!({"KeyId": arn(id), "Plaintext": plain, "CiphertextBlob": blob, "KeyMaterialId": self.material()}),
                )
            }
            "Encrypt" => {
                let plain = asked["Plaintext"].as_str().unwrap_or_default();
                let blob = self.wrap(plain, context, self.rotations);
                Ok(json!({"KeyId": arn(id), "CiphertextBlob": blob}))
            }
            "Decrypt" => {
                let plain = self.unwrap(&asked["CiphertextBlob"], context)?;
                Ok(json!({"KeyId": arn(id), "Plaintext": plain}))
            }
            "ReEncrypt" => {
                let from = &asked["SourceEncryptionContext"];
                let plain = self.unwrap(&asked["CiphertextBlob"], from)?;
                let to = &asked["DestinationEncryptionContext"];
                let blob = self.wrap(&plain, to, self.rotations);
                Ok(
                    json!({"KeyId": arn(id), "CiphertextBlob": blob, "DestinationKeyMaterialId": self.material()}),
                )
            }
            "RotateKeyOnDemand" => {
                self.rotations += 1;
                Ok(json!({"KeyId": arn(id)}))
            }
            "GetPublicKey" => {
                let vkey = signer().public().to_string();
                let key = vkey.splitn(3, '+').nth(2).expect("a key");
                let typed = STANDARD.decode(key).expect("base64");
                let spki = [
                    b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00",
                    &typed[1..],
                ]
                .concat();
                Ok(json!({"KeyId": arn(id), "PublicKey": STANDARD.encode(spki)}))
            }
            "Sign" => {
                assert_eq!(asked["MessageType"], "RAW");
                assert_eq!(asked["SigningAlgorithm"], "ED25519_SHA_512");
                let mut text = STANDARD.decode(asked["Message"].as_str().unwrap_or_default());
                if self.lies {
                    text = Ok(b"something else\n".to_vec());
                }
                let signature = signer().sign(&text.expect("base64"), 0);
                Ok(json!({"KeyId": arn(id), "Signature": STANDARD.encode(signature.signature())}))
            }
            other => panic!("the model does not know {other}"),
        }
    }

    fn metadata(&self, id: &str) -> Value {
        let state = if self.disabled { "Disabled" } else { "Enabled" };
        let usage = if id == SIGN {
            "SIGN_VERIFY"
        } else {
            "ENCRYPT_DECRYPT"
        };
        json!({
            "KeyId": id, "Arn": arn(id), "KeyState": state, "KeyUsage": usage, "CreationDate": 1.7e9,
            "MultiRegion": id == COPIED, "CurrentKeyMaterialId": self.material(),
        })
    }

    fn material(&self) -> String {
        format!("material{}", self.rotations)
    }

    fn wrap(&self, plain: &str, context: &Value, material: u64) -> String {
        let tag = tag(plain, context, material);
        STANDARD.encode(json!([plain, material, tag]).to_string())
    }

    fn unwrap(&self, blob: &Value, context: &Value) -> Result<String, &'static str> {
        let invalid = "InvalidCiphertextException";
        let bytes = STANDARD.decode(blob.as_str().unwrap_or_default());
        let bytes = bytes.map_err(|_| invalid)?;
        let (plain, material, found): (String, u64, String) =
            serde_json::from_slice(&bytes).map_err(|_| invalid)?;
        let genuine = found == tag(&plain, context, material) && material <= self.rotations;
        genuine.then_some(plain).ok_or(invalid)
    }
}

/// Binds what is wrapped to its context and material.
fn tag(plain: &str, context: &Value, material: u64) -> String {
    // Maps of JSON are in the order of their names.
    let bound = format!("a secret of the model {material} {context} {plain}");
    STANDARD.encode(Sha256::digest(bound))
}

fn signer() -> SecretKey {
    SecretKey::from_seed(super::ORIGIN, KeyKind::Log, &[7; 32]).expect("a name")
}

fn arn(id: &str) -> String {
    let region = if id == ABROAD {
        "us-east-1"
    } else {
        "eu-west-2"
    };
    format!("arn:aws:kms:{region}:111122223333:key/{id}")
}
