//! JSON bodies: bounded, in time, and refused with the place of what is wrong.
//!
//! The fast path parses once. Only when that fails is the body parsed again with the path on
//! record, to point to the member.

use std::time::Duration;

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use serde::{Deserialize, Serialize};
use serde_json::error::Category;
use serde_path_to_error::Segment;

use utoipa::ToSchema;

use super::{
    Api,
    body::{Limits, Whole, refuse_encoded},
    error::ErrorCode,
    input::Object,
    problem::Problem,
};

/// A JSON body that has arrived and is not parsed yet. Parsing borrows from it.
#[derive(Debug)]
pub struct Json(Whole);

impl FromRequest<Api> for Json {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(ErrorCode::MediaTypeUnsupported));
        }
        Self::read(request, api).await
    }
}

impl Json {
    /// The body, whatever its type is said to be.
    async fn read(request: Request, api: &Api) -> Result<Self, Problem> {
        refuse_encoded(request.headers())?;
        let limits = &api.app().config.http;
        let length = request.headers().get(header::CONTENT_LENGTH);
        let announced = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let limits = Limits {
            bytes: limits.body_bytes_max,
            time: Duration::from_millis(limits.body_timeout_ms),
        };
        let body = api.room().take(request.into_body(), announced, limits);
        Ok(Self(body.await?))
    }

    /// The value that the body says. An empty body says `{}`, for operations whose members are
    /// all optional.
    ///
    /// # Errors
    /// `invalid_json` with line and column, or `invalid_field` with a pointer to the member.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Problem> {
        parse(if self.0.is_empty() { b"{}" } else { &self.0 })
    }
}

/// Nothing to say: no body, or an empty object.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Nothing)]
pub struct Nothing {}

impl FromRequest<Api> for Nothing {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        MaybeJson::from_request(request, api).await?.0.parse()
    }
}

/// The value that some JSON says, wherever it came from.
///
/// # Errors
/// As [`Json::parse`].
pub fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Problem> {
    serde_json::from_slice::<Object<T>>(bytes)
        .map(|Object(value)| value)
        .map_err(|error| explain::<Object<T>>(bytes, &error))
}

/// An optional JSON body: no body, whatever its type, is `{}`.
#[derive(Debug)]
pub struct MaybeJson(pub Json);

impl FromRequest<Api> for MaybeJson {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let typed = is_json(request.headers());
        let json = Json::read(request, api).await?;
        if !typed && !json.0.is_empty() {
            return Err(Problem::new(ErrorCode::MediaTypeUnsupported));
        }
        Ok(Self(json))
    }
}

/// `application/json` or `application/…+json`, with any parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let Some(kind) = kind.and_then(|kind| kind.to_str().ok()) else {
        return false;
    };
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return true;
    }
    let kind = kind.to_ascii_lowercase();
    kind.starts_with("application/") && kind.ends_with("+json")
}

/// Says what is wrong with a body, and where.
fn explain<'a, T: Deserialize<'a>>(bytes: &'a [u8], error: &serde_json::Error) -> Problem {
    if !matches!(error.classify(), Category::Data) {
        return Problem::saying(ErrorCode::InvalidJson, error.to_string().into());
    }
    let mut parser = serde_json::Deserializer::from_slice(bytes);
    let found = serde_path_to_error::deserialize::<_, T>(&mut parser);
    let pointer = found.err().map(|error| pointer(error.path()));
    let problem = Problem::saying(
        ErrorCode::InvalidField,
        shortened(&error.to_string()).to_owned().into(),
    );
    match pointer {
        Some(pointer) if !pointer.is_empty() => problem.at(pointer),
        _ => problem,
    }
}

/// A JSON pointer (RFC 6901) of a path.
fn pointer(path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        let token = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
            Segment::Enum { .. } | Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&token);
    }
    shortened(&pointer).to_owned()
}

/// What a caller wrote may be repeated to him, but not without end.
fn shortened(text: &str) -> &str {
    const BYTES_MAX: usize = 300;
    &text[..text.floor_char_boundary(BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)] // Only parsed.
    struct Outer {
        legs: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)] // Only parsed.
    struct Inner {
        amount: u64,
    }

    fn refusal(body: &'static str) -> Problem {
        parse::<Outer>(body.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_wrong_member_is_pointed_to() {
        let problem = refusal(r#"{"legs":[{"amount":1},{"amount":-1}]}"#);
        assert_eq!(problem.code, ErrorCode::InvalidField);
        assert_eq!(problem.field.as_deref(), Some("/legs/1/amount"));
        let problem = refusal(r#"{"legs":[],"feet":1}"#);
        assert_eq!(problem.field.as_deref(), Some("/feet"));
        assert!(problem.detail.contains("unknown field `feet`"));
    }

    #[test]
    fn what_is_no_json_is_told_where() {
        let problem = refusal("{\"legs\":\n[}");
        assert_eq!(problem.code, ErrorCode::InvalidJson);
        assert!(problem.detail.contains("line 2 column 2"), "{problem:?}");
    }
}
