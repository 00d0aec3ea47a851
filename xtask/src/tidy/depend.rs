//! What the workspace may depend on: the core on next to nothing, everything on permissive
//! licences and on crates.io alone. The lists for the latter are in `deny.toml`.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::repo;

/// All that the core may name. Nothing here does IO, or is asked to: `csv` reads bytes that it is
/// given and `toml` text, `time` is there for its calendar alone, and the signatures of the
/// verifiable log are made with keys and nonces that come as arguments.
const CORE_ALLOWED: &[&str] = &[
    "base64",
    "csv",
    "ed25519-dalek",
    "quick-xml",
    "serde",
    "serde_json",
    "sha2",
    "signed_note",
    "thiserror",
    "time",
    "tlog_tiles",
    "toml",
    "zeroize",
];

/// Dependencies that break a rule.
pub fn findings() -> Result<Vec<String>> {
    let output = repo::cargo()
        .args(["metadata", "--format-version", "1", "--locked"])
        .output()
        .context("cargo cannot be run")?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .context("cargo metadata failed: is Cargo.lock fresh?")?;
    let rules = std::fs::read_to_string(repo::root().join("deny.toml"))?;
    Ok(check(&metadata, &Rules::read(&rules)?))
}

/// What `deny.toml` says.
struct Rules {
    licences: Vec<String>,
    banned: BTreeMap<String, Ban>,
}

/// Why a crate is banned, and which crates may need it all the same.
struct Ban {
    reason: String,
    wrappers: Vec<String>,
}

impl Rules {
    fn read(text: &str) -> Result<Self> {
        let table: toml::Table = text.parse().context("deny.toml")?;
        let licences = table["licenses"]["allow"]
            .as_array()
            .context("licenses.allow")?;
        let banned = table["bans"]["deny"].as_array().context("bans.deny")?;
        let text = |value: &toml::Value| value.as_str().unwrap_or_default().to_owned();
        Ok(Self {
            licences: licences.iter().map(text).collect(),
            banned: banned
                .iter()
                .map(|ban| {
                    let wrappers = ban.get("wrappers").and_then(|it| it.as_array());
                    let wrappers = wrappers.map(|all| all.iter().map(text).collect());
                    let reason = text(&ban["reason"]);
                    let wrappers = wrappers.unwrap_or_default();
                    (text(&ban["crate"]), Ban { reason, wrappers })
                })
                .collect(),
        })
    }

    /// Whether an SPDX expression leaves a choice that is allowed.
    fn allow(&self, expression: &str) -> bool {
        let expression = expression.replace('/', " OR ");
        let flat = expression.replace(['(', ')'], " ");
        // Every part of an AND must have an allowed alternative. An OR of ANDs would be taken
        // too strictly, which is the safe side.
        flat.split(" AND ").all(|part| {
            part.split(" OR ")
                .any(|one| self.licences.iter().any(|licence| licence == one.trim()))
        })
    }
}

fn check(metadata: &Value, rules: &Rules) -> Vec<String> {
    let mut findings = Vec::new();
    let packages = metadata["packages"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        if let Some(ban) = rules.banned.get(name)
            && !needed_by_these_alone(metadata, name, &ban.wrappers)
        {
            let reason = &ban.reason;
            findings.push(format!("Cargo.lock: {name} is banned: {reason}"));
        }
        let licence = package["license"].as_str().unwrap_or("none stated");
        if !rules.allow(licence) {
            findings.push(format!("Cargo.lock: the licence of {name} is {licence}"));
        }
        let source = package["source"]
            .as_str()
            .unwrap_or("registry+https://github.com/rust-lang/crates.io-index");
        if source != "registry+https://github.com/rust-lang/crates.io-index" {
            findings.push(format!(
                "Cargo.lock: {name} comes from {source}, not from crates.io"
            ));
        }
        if name == "lombard-core" {
            let dependencies = package["dependencies"]
                .as_array()
                .map_or(&[][..], Vec::as_slice);
            for dependency in dependencies.iter().filter(|one| one["kind"].is_null()) {
                let needs = dependency["name"].as_str().unwrap_or_default();
                if !CORE_ALLOWED.contains(&needs) {
                    findings.push(format!(
                        "core/Cargo.toml: the core may not depend on {needs}: do it in the service"
                    ));
                }
            }
        }
    }
    findings
}

/// Whether a crate is there for the sake of these alone. What a manifest names and no feature
/// switches on does not count, so the graph is asked.
fn needed_by_these_alone(metadata: &Value, name: &str, wrappers: &[String]) -> bool {
    let nodes = metadata["resolve"]["nodes"].as_array();
    let needs_it = |node: &&Value| {
        let needs = node["deps"].as_array();
        needs.is_some_and(|needs| needs.iter().any(|one| one["name"] == name))
    };
    // An id ends with `name@version`, or with the version alone behind a path that has the name.
    let is = |node: &Value, wrapper: &String| {
        let id = node["id"].as_str().unwrap_or_default();
        id.contains(&format!("#{wrapper}@"))
    };
    let needing = nodes.into_iter().flatten().filter(needs_it);
    let mut needing = needing.peekable();
    needing.peek().is_some() && needing.all(|node| wrappers.iter().any(|wrapper| is(node, wrapper)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const RULES: &str = r#"
        [licenses]
        allow = ["MIT", "Zlib"]
        [bans]
        deny = [{ crate = "evil", reason = "it is" }, { crate = "odd", wrappers = ["good"], reason = "" }]
    "#;

    #[test]
    fn licences_are_read_as_expressions() {
        let rules = Rules::read(RULES).unwrap();
        for fine in [
            "MIT",
            "GPL-3.0 OR MIT",
            "MIT/Apache-2.0",
            "(MIT OR GPL-3.0) AND Zlib",
        ] {
            assert!(rules.allow(fine), "{fine}");
        }
        for not in ["GPL-3.0", "MIT AND GPL-3.0", "none stated", ""] {
            assert!(!rules.allow(not), "{not}");
        }
    }

    #[test]
    fn each_rule_finds_what_breaks_it() {
        let package = |name: &str, licence: &str| json!({"name": name, "license": licence, "dependencies": []});
        let metadata = json!({"packages": [
            package("good", "MIT"),
            package("odd", "MIT"),
            package("evil", "MIT"),
            package("sticky", "GPL-3.0"),
            {"name": "near", "license": "MIT", "source": "git+https://example.com", "dependencies": []},
            {"name": "lombard-core", "license": "MIT", "dependencies": [
                {"name": "tokio", "kind": null}, {"name": "proptest", "kind": "dev"}]},
        ], "resolve": {"nodes": [
            {"id": "registry+https://example.com#good@1.0.0", "deps": [{"name": "odd"}]},
        ]}});
        let findings = check(&metadata, &Rules::read(RULES).unwrap());
        assert_eq!(findings.len(), 4, "{findings:?}");
        assert!(
            !findings.iter().any(|it| it.contains("odd")),
            "one that a crate may wrap is no finding"
        );
    }
}
