//! How commands speak to a running server: which one, with which key, and what its refusals mean
//! for the exit code.
//!
//! Without `--url` and `--key` it is the server that `lombard up` runs on the same data folder:
//! it leaves its address and demo key there, readable by its owner alone.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use reqwest::{Method, RequestBuilder, Url, header::HeaderMap};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::exit::{Exit, Failure, OrExit, failure};

/// The file in the data folder that says where the server is.
pub const UP_FILE: &str = "up.json";

/// Which server.
#[derive(Clone, Debug, Args)]
pub struct Server {
    /// The server's address. Without it: the one that runs on the data folder.
    #[arg(long, env = "LOMBARD_URL", global = true, value_name = "URL")]
    pub url: Option<String>,
    /// The API key. Without it: the demo key of the server on the data folder.
    #[arg(
        long,
        env = "LOMBARD_API_KEY",
        global = true,
        value_name = "KEY",
        hide_env_values = true
    )]
    pub key: Option<String>,
    /// The data folder of the server on this machine.
    #[arg(
        long,
        env = "LOMBARD_DATA",
        global = true,
        value_name = "DIR",
        default_value = "lombard-data"
    )]
    pub data: PathBuf,
}

/// What the server leaves in its data folder while it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Up {
    /// Where the API is.
    pub url: String,
    /// The demo tenant's key.
    pub api_key: Option<String>,
    /// Where metrics are told.
    #[serde(default)]
    pub metrics_url: Option<String>,
    /// The rail simulator, if it runs there.
    #[serde(default)]
    pub rail_url: Option<String>,
    /// A funded account of the demo tenant.
    #[serde(default)]
    pub account: Option<String>,
}

impl Server {
    /// What the server on the data folder left there.
    fn left(&self) -> Option<Up> {
        let text = std::fs::read(self.data.join(UP_FILE)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// The rail simulator of the server on the data folder, and an account to pay from.
    ///
    /// # Errors
    /// [`Exit::Refused`] when that server is no demo with a simulator of its own.
    pub fn demo(&self) -> Result<(String, String), Failure> {
        let demo = self.left().and_then(|up| up.rail_url.zip(up.account));
        demo.ok_or_else(|| {
            let data = self.data.display();
            let what = format!("no demo with the rail simulator in it runs on {data}");
            failure(Exit::Refused, what)
        })
    }

    /// Where the server on the data folder tells its metrics.
    ///
    /// # Errors
    /// [`Exit::Unreachable`] when none runs there.
    pub fn metrics_url(&self) -> Result<String, Failure> {
        let url = self.left().and_then(|up| up.metrics_url);
        url.ok_or_else(|| {
            let data = self.data.display();
            failure(Exit::Unreachable, format!("no server runs on {data}"))
        })
    }

    /// Finds the server's address and key.
    ///
    /// # Errors
    /// When neither is given and none runs on the data folder.
    pub fn remote(&self) -> Result<Remote, Failure> {
        let left = if self.url.is_some() && self.key.is_some() {
            None
        } else {
            self.left()
        };
        let url = self
            .url
            .clone()
            .or_else(|| left.as_ref().map(|up| up.url.clone()));
        let url = url.ok_or_else(|| {
            let data = self.data.display();
            failure(
                Exit::Unreachable,
                format!("no server runs on {data}: start `lombard up`, or give --url and --key"),
            )
        })?;
        // The key of another server would be sent where it does not belong.
        let same = |up: &&Up| up.url.trim_end_matches('/') == url.trim_end_matches('/');
        let key = self
            .key
            .clone()
            .or_else(|| left.as_ref().filter(same)?.api_key.clone());
        let key = key.ok_or_else(|| {
            failure(
                Exit::Usage,
                "no API key: give --key, or set LOMBARD_API_KEY",
            )
        })?;
        Remote::new(&url, &key)
    }
}

/// A client of HTTP.
///
/// # Errors
/// When this system gives none.
pub fn http() -> Result<reqwest::Client, Failure> {
    // A second call finds it installed, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(Duration::from_secs(120))
        .build()
        .or_exit(Exit::Internal, "no HTTP client")
}

/// A server and the right to ask it.
#[derive(Clone, Debug)]
pub struct Remote {
    http: reqwest::Client,
    base: String,
    key: String,
}

impl Remote {
    /// The server at `url`, asked with `key`.
    ///
    /// # Errors
    /// [`Exit::Usage`] when `url` is none; [`Exit::Internal`] when no HTTP client can be made.
    pub fn new(url: &str, key: &str) -> Result<Self, Failure> {
        let parsed = Url::parse(url).or_exit(Exit::Usage, format!("`{url}` is no URL"))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            let what = format!("`{url}`: a server has an `http` or `https` URL");
            return Err(failure(Exit::Usage, what));
        }
        let http = http()?;
        let base = url.trim_end_matches('/').to_owned();
        let key = key.to_owned();
        Ok(Self { http, base, key })
    }

    /// Where the server is.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A request to `path`, with the key.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.base);
        self.http.request(method, url).bearer_auth(&self.key)
    }

    /// Gets JSON.
    ///
    /// # Errors
    /// See [`Remote::send`].
    pub async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.send(self.request(Method::GET, path)).await
    }

    /// Posts JSON under an idempotency key.
    ///
    /// # Errors
    /// See [`Remote::send`].
    pub async fn post(
        &self,
        path: &str,
        idempotency: &str,
        body: &Value,
    ) -> Result<Value, Failure> {
        let request = self.request(Method::POST, path).json(body);
        self.send(request.header("idempotency-key", idempotency))
            .await
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// [`Exit::Unreachable`] when there is no answer, [`Exit::Refused`] with the server's reason.
    pub async fn send(&self, request: RequestBuilder) -> Result<Value, Failure> {
        Ok(self.send_with_headers(request).await?.0)
    }

    /// The same, with the headers of the answer.
    ///
    /// # Errors
    /// See [`Remote::send`].
    pub async fn send_with_headers(
        &self,
        request: RequestBuilder,
    ) -> Result<(Value, HeaderMap), Failure> {
        let response = request.send().await;
        let response =
            response.or_exit(Exit::Unreachable, format!("{} does not answer", self.base))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await;
        let body = body.or_exit(
            Exit::Unreachable,
            format!("{} broke off its answer", self.base),
        )?;
        let value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok((value, headers));
        }
        Err(failure(Exit::Refused, told(status.as_u16(), &value)))
    }
}

/// A problem document as a sentence.
fn told(status: u16, problem: &Value) -> String {
    let text = |name: &str| problem[name].as_str().filter(|text| !text.is_empty());
    let detail = text("detail")
        .or(text("title"))
        .unwrap_or("no reason given");
    let code = text("code").map_or_else(String::new, |code| format!(" {code}"));
    let field = text("field").map_or_else(String::new, |field| format!(" (field `{field}`)"));
    format!("{status}{code}: {detail}{field}")
}

/// The path under which a thing is found, by the prefix of its id.
///
/// # Errors
/// [`Exit::Usage`] when no such things are shown.
pub fn path_of(id: &str) -> Result<String, Failure> {
    let prefix = id.split('_').next().unwrap_or_default();
    let resource = match prefix {
        "pay" => "payments",
        "acc" => "accounts",
        "hld" => "holds",
        "bat" => "batches",
        "evt" => "events",
        "exc" => "exceptions",
        "txn" => "ledger",
        "whk" => "webhook_endpoints",
        _ => {
            return Err(failure(
                Exit::Usage,
                format!("`{id}`: the prefix is of nothing that can be shown"),
            ));
        }
    };
    Ok(format!("/v1/{resource}/{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_problem_is_told_as_a_sentence() {
        let problem = json!({"code": "insufficient_funds", "title": "t", "detail": "the account lacks 5", "field": "amount"});
        assert_eq!(
            told(422, &problem),
            "422 insufficient_funds: the account lacks 5 (field `amount`)"
        );
        assert_eq!(told(502, &Value::Null), "502: no reason given");
    }

    #[test]
    fn a_key_goes_to_its_own_server_alone() {
        let data = tempfile::tempdir().unwrap();
        let up = Up {
            url: "http://127.0.0.1:1".into(),
            api_key: Some("sk".into()),
            metrics_url: None,
            rail_url: None,
            account: None,
        };
        std::fs::write(data.path().join(UP_FILE), serde_json::to_vec(&up).unwrap()).unwrap();
        let server = |url: Option<&str>| Server {
            url: url.map(str::to_owned),
            key: None,
            data: data.path().into(),
        };
        assert_eq!(server(None).remote().unwrap().key, "sk");
        assert_eq!(
            server(Some("http://127.0.0.1:1/")).remote().unwrap().key,
            "sk"
        );
        assert_eq!(
            server(Some("http://127.0.0.1:2"))
                .remote()
                .unwrap_err()
                .exit,
            Exit::Usage
        );
    }
}
