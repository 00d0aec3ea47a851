//! What is written from the code is fresh, and what is served can be read.

use std::path::PathBuf;

use serde_json::Value;

use super::world::World;

fn root(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(file)
}

/// Compares a file of the repository with what the code says, or writes it anew when asked to.
fn fresh(file: &str, wanted: &str) {
    let path = root(file);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "{file} is stale: run the tests with UPDATE_EXPECT=1 and review the diff"
    );
}

#[test]
fn the_api_document_is_fresh() {
    fresh("openapi.json", lombard_service::http::openapi::document());
}

#[test]
fn the_list_of_errors_is_fresh() {
    fresh("docs/errors.md", &lombard_service::http::error::page());
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    let document: Value = serde_json::from_str(lombard_service::http::openapi::document()).unwrap();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 100);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let document: Value = serde_json::from_str(lombard_service::http::openapi::document()).unwrap();
    let items = document["paths"].as_object().unwrap().values();
    let operations = items.flat_map(|item| item.as_object().unwrap().values());
    let mut names: Vec<_> = operations
        .filter_map(|it| it["operationId"].as_str())
        .collect();
    assert!(names.len() > 50, "{names:?}");
    names.sort_unstable();
    let twice: Vec<_> = names.windows(2).filter(|two| two[0] == two[1]).collect();
    assert!(
        twice.is_empty(),
        "generated clients name functions after them: {twice:?}"
    );
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                references.push(reference.clone());
            }
            members
                .values()
                .for_each(|value| collect(value, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

#[test]
fn every_text_and_number_of_the_document_is_bounded() {
    let document: Value = serde_json::from_str(lombard_service::http::openapi::document()).unwrap();
    let mut loose = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        unbounded(schema, name, &mut loose);
    }
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                if let Some(schema) = parameter.get("schema") {
                    unbounded(
                        schema,
                        &format!("{method} {path} {}", parameter["name"]),
                        &mut loose,
                    );
                }
            }
        }
    }
    assert!(loose.is_empty(), "{loose:#?}");
}

fn unbounded(schema: &Value, at: &str, loose: &mut Vec<String>) {
    let is = |kind: &str| match &schema["type"] {
        Value::String(name) => name == kind,
        Value::Array(names) => names.iter().any(|name| name == kind),
        _ => false,
    };
    let has = |members: &[&str]| members.iter().any(|member| schema.get(member).is_some());
    if is("string") && !has(&["pattern", "maxLength", "enum", "const"]) {
        loose.push(format!("{at}: text"));
    }
    if is("integer") && !has(&["minimum", "exclusiveMinimum"]) {
        loose.push(format!("{at}: number"));
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        unbounded(inner, &format!("{at}/{name}"), loose);
    }
    for member in ["oneOf", "anyOf", "allOf"] {
        for inner in schema[member].as_array().into_iter().flatten() {
            unbounded(inner, at, loose);
        }
    }
    if let Some(items) = schema.get("items") {
        unbounded(items, at, loose);
    }
}

#[tokio::test]
async fn the_pages_are_served_from_this_binary() {
    let world = World::new().await;
    let page = world.get("/docs").await;
    let text = String::from_utf8_lossy(&page.bytes).into_owned();
    assert_eq!(page.status, 200);
    let sources: Vec<&str> = text
        .split(['"', '\''])
        .filter(|part| {
            part.starts_with("/docs/") || part.starts_with("http") || part.starts_with("//")
        })
        .collect();
    assert!(sources.len() >= 3, "{text}");
    for source in sources {
        assert!(source.starts_with("/docs/"), "{source} is not ours");
        assert_eq!(world.get(source).await.status, 200, "{source}");
    }
    let script = world.get("/docs/swagger-initializer.js").await;
    assert!(String::from_utf8_lossy(&script.bytes).contains("/openapi.json"));
    world
        .get("/docs/nothing.js")
        .await
        .refused(404, "not_found", None);
    assert_eq!(
        world.get("/openapi.json").await.expect(200)["openapi"],
        "3.1.0"
    );
    world.get("/readyz").await.expect(200);
}
