//! Forms: read by name, with a key of their own so that sending one twice acts once.

use std::collections::BTreeMap;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

/// The most bytes of a form.
const FORM_MAX: usize = 64 * 1024;

/// The fields of a form or of a query.
#[derive(Debug, Default)]
pub struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Reads `name=value&…`.
    pub fn parse(text: &str) -> Self {
        let pairs = form_urlencoded::parse(text.as_bytes());
        Self(pairs.into_owned().collect())
    }

    /// A field, without the space around it; empty when it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |value| value.trim())
    }

    /// What stands behind a prefix in the names of fields, with their values: the boxes that were ticked.
    pub fn after<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let named = move |(name, value): (&'a String, &'a String)| {
            name.strip_prefix(prefix).map(|rest| (rest, value.as_str()))
        };
        self.0.iter().filter_map(named)
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Response;

    /// A form of a page of ours. `SameSite` keeps the cookie from others' forms; the origin is
    /// looked at as well, for browsers that send it.
    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let refused = |status: StatusCode| status.into_response();
        let host = request.headers().get(header::HOST).cloned();
        if let Some(origin) = request.headers().get(header::ORIGIN) {
            let (origin, host) = (
                origin.to_str().ok(),
                host.as_ref().and_then(|h| h.to_str().ok()),
            );
            let from = origin
                .and_then(|origin| origin.split_once("://"))
                .map(|(_, from)| from);
            if from.is_none() || from != host {
                return Err(refused(StatusCode::FORBIDDEN));
            }
        }
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(IntoResponse::into_response)?;
        if bytes.len() > FORM_MAX {
            return Err(refused(StatusCode::PAYLOAD_TOO_LARGE));
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| refused(StatusCode::BAD_REQUEST))?;
        Ok(Self::parse(text))
    }
}
