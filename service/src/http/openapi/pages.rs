//! Pages to read the API by. Everything on them comes from this binary, so they work offline.

use axum::{
    body::Body,
    extract::Path,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use std::sync::{Arc, OnceLock};
use utoipa_swagger_ui::Config;

use super::super::{ErrorCode, Problem};

/// The document, browsable.
pub async fn reference() -> Response {
    served("index.html").unwrap_or_else(|| Problem::not_found().into_response())
}

/// What the browsable page is made of.
pub async fn asset(Path(file): Path<String>) -> Response {
    served(&file).unwrap_or_else(|| Problem::not_found().into_response())
}

fn served(file: &str) -> Option<Response> {
    static CONFIG: OnceLock<Arc<Config<'static>>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| {
        let config = Config::from("/openapi.json")
            .try_it_out_enabled(true)
            .persist_authorization(false);
        Arc::new(config)
    });
    let found = utoipa_swagger_ui::serve(file, Arc::clone(config)).ok()??;
    let mut bytes = found.bytes.into_owned();
    if file == "index.html" {
        // The page's parts are beside it, and `/docs` has no slash at its end.
        let page = String::from_utf8_lossy(&bytes).replace("\"./", "\"/docs/");
        bytes = page.into_bytes();
    }
    let mut response = Response::new(Body::from(bytes));
    let kind = HeaderValue::try_from(found.content_type).ok()?;
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Some(response)
}

/// The list of codes, with an anchor for each: what `type` of a problem leads to.
pub async fn errors() -> Response {
    let mut rows = String::new();
    for code in ErrorCode::ALL {
        let yes = |it: bool| if it { "yes" } else { "no" };
        rows.push_str(&format!(
            "<tr id=\"{0}\"><th scope=\"row\"><code>{0}</code></th><td>{1}</td><td>{2}</td>\
             <td><b>{3}.</b> {4}</td></tr>\n",
            code.code(),
            code.status().as_u16(),
            yes(code.is_retryable()),
            code.title(),
            escape(code.about())
        ));
    }
    let page = PAGE.replace("{rows}", &rows);
    let mut response = Response::new(Body::from(page));
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

const PAGE: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Lombard: errors</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse } th, td { text-align: left; vertical-align: top; padding: .5rem .75rem }
tr { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent) }
tr:target { background: color-mix(in srgb, Highlight 25%, transparent) }
</style></head><body>
<h1>Errors</h1>
<p>Every refusal is a problem document (RFC 9457). Decide by its <code>code</code>. A request that may be
repeated is repeated with the same <code>Idempotency-Key</code>. <a href="/docs">The whole API</a>.</p>
<table><thead><tr><th scope="col">Code</th><th scope="col">Status</th><th scope="col">Retry</th><th scope="col">Meaning</th></tr></thead>
<tbody>
{rows}</tbody></table></body></html>
"#;
