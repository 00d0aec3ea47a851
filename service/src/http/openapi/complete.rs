//! What all operations have in common, added to the collected document: who may call, which
//! headers go in and out, and which refusals there are.

use serde_json::{Map, Value, json};

use crate::http::idempotency::PATTERN;

/// Refusals of every operation that needs a key.
const ALWAYS: [&str; 7] = ["400", "401", "404", "429", "431", "500", "503"];
/// Refusals of every operation that changes something, beside.
const OF_CHANGES: [&str; 6] = ["403", "408", "409", "413", "415", "422"];

/// Headers out that operations declare by name, and what describes them.
const NAMED: [(&str, &str); 2] = [
    ("Lombard-Warning", "LombardWarning"),
    ("Preference-Applied", "PreferenceApplied"),
];

/// The document in full.
pub fn complete(collected: utoipa::openapi::OpenApi) -> Value {
    // Our own document is always JSON.
    let mut document = serde_json::to_value(collected).unwrap_or_default();
    document["components"]["securitySchemes"] = json!({"api_key": {
        "type": "http", "scheme": "bearer", "bearerFormat": "sk_…",
        "description": "An API key of a tenant.",
    }});
    document["components"]["headers"] = headers();
    document["components"]["parameters"] = parameters();
    document["components"]["responses"] = refusals();
    let Some(paths) = document["paths"].as_object_mut() else {
        return document;
    };
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            complete_operation(path, method, operation);
        }
    }
    document
}

fn complete_operation(path: &str, method: &str, operation: &mut Value) {
    operation["operationId"] = json!(operation_id(method, path));
    let posts = method == "post";
    let keyed = path.starts_with("/v1");
    let mut statuses: Vec<&str> = Vec::new();
    if keyed {
        operation["security"] = json!([{"api_key": []}]);
        statuses.extend(ALWAYS);
        if method != "get" {
            statuses.extend(OF_CHANGES);
        }
    } else {
        statuses.extend(["431", "500", "503"]);
    }
    if let Some(body) = operation.get_mut("requestBody") {
        optional(body);
    }
    let parameters = entry(operation, "parameters", json!([]));
    if let Some(parameters) = parameters.as_array_mut() {
        for parameter in parameters.iter_mut() {
            if parameter["name"] == "Prefer" {
                *parameter = reference("parameters", "PreferWait");
            }
        }
        if posts {
            parameters.push(reference("parameters", "IdempotencyKey"));
        }
        parameters.push(reference("parameters", "TraceParent"));
    }
    let responses = entry(operation, "responses", json!({}));
    let Some(responses) = responses.as_object_mut() else {
        return;
    };
    for (status, response) in responses.iter_mut() {
        let out = entry(response, "headers", json!({}));
        for (name, component) in NAMED {
            if !out[name].is_null() {
                out[name] = reference("headers", component);
            }
        }
        out["traceparent"] = reference("headers", "TraceParent");
        if posts && status.starts_with('2') {
            out["Idempotency-Replayed"] = reference("headers", "IdempotencyReplayed");
        }
    }
    for status in statuses {
        let known = responses.entry(status);
        known.or_insert_with(|| reference("responses", &format!("Problem{status}")));
    }
}

/// A name that is the operation's alone: generators name functions after it. `list_payments`,
/// `get_payment`, `create_payment`, `payment_cancel`, `get_payment_timeline`.
fn operation_id(method: &str, path: &str) -> String {
    let mut segments = path
        .trim_start_matches("/v1")
        .split('/')
        .filter(|it| !it.is_empty());
    let resource = match segments.next().unwrap_or_default() {
        "ledger" => "ledger_transactions",
        // What is there of these is a resource each.
        part @ ("risk" | "reconciliation") => {
            &format!("{part}_{}", segments.next().unwrap_or_default())
        }
        resource => resource,
    };
    let (ids, actions): (Vec<_>, Vec<_>) = segments.partition(|it| it.starts_with('{'));
    let one = match (resource.strip_suffix("es"), resource.strip_suffix("ies")) {
        (Some(one), _) if one.ends_with("ch") => one,
        (_, Some(stem)) => &format!("{stem}y"),
        _ => resource.strip_suffix('s').unwrap_or(resource),
    };
    let action = actions.join("_");
    match (method, ids.is_empty(), actions.is_empty()) {
        ("get", true, true) if resource == one => format!("get_{one}"),
        ("get", true, true) => format!("list_{resource}"),
        ("post", true, true) => format!("create_{one}"),
        ("get", false, true) => format!("get_{one}"),
        ("delete", _, true) => format!("delete_{one}"),
        ("patch", _, true) => format!("update_{one}"),
        ("get", _, false) => format!("get_{one}_{action}"),
        _ => format!("{one}_{action}"),
    }
}

/// A body that may be left out is said to be so, and not to be null.
fn optional(body: &mut Value) {
    let null = json!({"type": "null"});
    let schema = body.pointer_mut("/content/application~1json/schema");
    let choices = schema.as_deref().and_then(|it| it["oneOf"].as_array());
    let choices = choices.filter(|choices| choices.contains(&null)).cloned();
    let required = choices.is_none();
    if let (Some(schema), Some(choices)) = (schema, choices) {
        let given = choices.into_iter().find(|choice| *choice != null);
        *schema = given.unwrap_or_default();
    }
    body["required"] = required.into();
}

fn entry<'a>(object: &'a mut Value, name: &str, empty: Value) -> &'a mut Value {
    let place = &mut object[name];
    if place.is_null() {
        *place = empty;
    }
    place
}

fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

fn parameters() -> Value {
    json!({
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "required": true,
            "description": "Fresh for each new request, the same when the request is repeated. \
                            1 to 255 printable characters, bare or as a quoted string (RFC 8941). \
                            Kept as long as what the request made.",
            "schema": {"type": "string", "pattern": PATTERN},
        },
        "TraceParent": {
            "name": "traceparent", "in": "header", "required": false,
            "description": "The trace that the request belongs to (W3C Trace Context). What is \
                            malformed is ignored, and a new trace begins.",
            "schema": {"type": "string"},
        },
        "PreferWait": {
            "name": "Prefer", "in": "header", "required": false,
            "description": "`wait=N`: wait up to N seconds (at most 30) for the outcome. What cannot be \
                            read is ignored (RFC 7240).",
            "schema": {"type": "string"},
            "example": "wait=10",
        },
    })
}

fn headers() -> Value {
    json!({
        "TraceParent": {
            "description": "Our span in the trace.",
            "required": true,
            "schema": {"type": "string", "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"},
        },
        "IdempotencyReplayed": {
            "description": "The key was used before for this request; this is its answer.",
            "required": false,
            "schema": {"type": "string", "pattern": "^true$"},
        },
        "PreferenceApplied": {
            "description": "The wait that was granted.",
            "required": false,
            "schema": {"type": "string", "pattern": "^wait=[0-9]{1,2}$"},
        },
        "LombardWarning": {
            "description": "What a scheme may do to the payment's texts on its way, as \
                            `rule;field` pairs separated by commas.",
            "required": false,
            "schema": {"type": "string", "maxLength": 1000},
        },
        "RetryAfter": {
            "description": "Seconds after which to repeat the request.",
            "required": true,
            "schema": {"type": "string", "pattern": "^[0-9]{1,4}$"},
        },
        "RetryAfterIfRetryable": {
            "description": "Seconds after which to repeat the request, where `retryable` is true.",
            "required": false,
            "schema": {"type": "string", "pattern": "^[0-9]{1,4}$"},
        },
        "Authenticate": {
            "description": "How to show a key (RFC 6750).",
            "required": true,
            "schema": {"type": "string", "pattern": "^Bearer realm=\"lombard\"$"},
        },
    })
}

/// One refusal for each status, listing the codes that are answered with it.
fn refusals() -> Value {
    let mut refusals = Map::new();
    for status in ALWAYS.iter().chain(&OF_CHANGES) {
        let codes: Vec<String> = super::super::ErrorCode::ALL
            .iter()
            .filter(|code| code.status().as_str() == *status && !code.is_for_gateways())
            .map(|code| format!("* `{}`: {}.", code.code(), code.title()))
            .collect();
        let mut out = json!({"traceparent": reference("headers", "TraceParent")});
        match *status {
            "401" => out["WWW-Authenticate"] = reference("headers", "Authenticate"),
            "409" => out["Retry-After"] = reference("headers", "RetryAfterIfRetryable"),
            "429" | "503" => out["Retry-After"] = reference("headers", "RetryAfter"),
            _ => {}
        }
        let refusal = json!({
            "description": codes.join("\n"),
            "headers": out,
            "content": {"application/problem+json": {"schema": reference("schemas", "Problem")}},
        });
        refusals.insert(format!("Problem{status}"), refusal);
    }
    Value::Object(refusals)
}

#[cfg(test)]
mod tests {
    use super::operation_id;

    #[test]
    fn operations_are_named_after_what_they_do() {
        for (method, path, name) in [
            ("get", "/healthz", "get_healthz"),
            ("get", "/v1/payments", "list_payments"),
            ("get", "/v1/ledger", "list_ledger_transactions"),
            ("get", "/v1/ledger/{id}", "get_ledger_transaction"),
            ("post", "/v1/batches", "create_batch"),
            ("get", "/v1/batches/{id}/rows", "get_batch_rows"),
            ("post", "/v1/payments/{id}/cancel", "payment_cancel"),
            (
                "delete",
                "/v1/webhook_endpoints/{id}",
                "delete_webhook_endpoint",
            ),
            ("get", "/v1/log/consistency", "get_log_consistency"),
        ] {
            assert_eq!(operation_id(method, path), name);
        }
    }
}
