//! The pack of evidence, of a running server and without one.

use std::fs;

use serde_json::{Value, json};

use crate::server::{Server, ended, run};

#[test]
fn what_was_read_back_is_in_the_pack_with_a_proof_of_its_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"));
    let card = json!({"card": {
        "number": "4242424242424242", "exp_month": 12, "exp_year": 2031, "holder": "A Holder"}});
    let (code, token) = server.post("/v1/tokens", "t", &card.to_string());
    assert_eq!(code, 201, "{token}");
    let path = format!(
        "/v1/tokens/{}/detokenize",
        token["id"].as_str().expect("an id")
    );
    let (code, read) = server.post(&path, "d", r#"{"purpose": "dispute"}"#);
    assert_eq!(code, 200, "{read}");
    let out = folder.path().join("pack");
    let (url, key) = (server.text("url"), server.text("api_key"));
    let place = out.to_str().expect("a path of text");
    let made = run(&[
        "evidence", "--out", place, "--url", url, "--key", key, "--json",
    ]);
    let told = ended(&made);
    assert_eq!(told.0, 0, "{told:?}");
    let pack: Value =
        serde_json::from_slice(&fs::read(out.join("evidence.json")).unwrap()).unwrap();
    let parts = &pack["installation"];
    assert!(parts["access"][0]["hint"].is_string(), "{parts}");
    assert!(parts["keys"][0]["created_at"].is_string(), "{parts}");
    let deed = &parts["read_back"][0];
    assert_eq!(deed["on"], token["id"], "{deed}");
    // The leaf vouches for the record by its hash.
    let leaf = deed["proof"]["leaf"].as_str().expect("a proof");
    let leaf: Value = serde_json::from_str(leaf).expect("a leaf");
    let record = deed["proof"]["record"].as_str().expect("the record");
    let digest = ring::digest::digest(&ring::digest::SHA256, record.as_bytes());
    let digest: String = digest
        .as_ref()
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect();
    assert_eq!(leaf["digest"], digest);
    let page = fs::read_to_string(out.join("evidence.html")).expect("the page");
    assert!(page.contains("no certificate") && !page.contains("4242424242424242"));
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_requirement_whose_test_did_not_run_is_not_shown_to_be_met() {
    let folder = tempfile::tempdir().expect("a folder");
    let results = folder.path().join("results.json");
    fs::write(&results, r#"{"http::tls::a": "passed"}"#).expect("written");
    let (out, results) = (folder.path().join("pack"), results.to_str().expect("text"));
    let place = out.to_str().expect("a path of text");
    let made = run(&[
        "evidence",
        "--offline",
        "--out",
        place,
        "--tests",
        results,
        "--json",
    ]);
    let told: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    assert_eq!(ended(&made).0, 1, "{told}");
    assert!(told["not_run"].as_u64() > Some(10), "{told}");
    let list: Value =
        serde_json::from_slice(&fs::read(out.join("sbom.cdx.json")).unwrap()).unwrap();
    assert_eq!(list["bomFormat"], "CycloneDX");
}
