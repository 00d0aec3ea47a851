//! Clients that others' generators made from the API's document compile, and make a payment.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use crate::server::{Server, ended};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi.json");
const INTEROP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop");
/// The generator of the Python client, and what it generates for.
const PYTHON: [&str; 4] = [
    "openapi-python-client==0.29.1",
    "httpx>=0.28,<0.29",
    "attrs>=24",
    "python-dateutil>=2.9,<3",
];

fn skipped(test: &str, why: &str) {
    eprintln!("skipped: {test}: {why}");
}

/// Runs a step of the set-up; `None` where it cannot be done here.
fn done(command: &mut Command) -> Option<Output> {
    let output = command.output().ok()?;
    output.status.success().then_some(output)
}

fn succeeded(output: &Output) -> String {
    let (code, said, errors) = ended(output);
    assert_eq!(code, 0, "{said}{errors}");
    said
}

#[test]
fn a_generated_python_client_makes_a_payment() {
    let name = "a_generated_python_client_makes_a_payment";
    let folder = tempfile::tempdir().expect("a folder");
    let venv = folder.path().join("venv");
    let made = done(Command::new("python3").args(["-m", "venv"]).arg(&venv));
    if made.is_none() {
        return skipped(name, "no python3 with venv");
    }
    let mut install = Command::new(venv.join("bin/pip"));
    if done(install.args(["install", "--quiet"]).args(PYTHON)).is_none() {
        return skipped(name, "openapi-python-client cannot be installed");
    }
    let client = folder.path().join("client");
    let generated = Command::new(venv.join("bin/openapi-python-client"))
        .args(["generate", "--path", DOCUMENT, "--output-path"])
        .arg(&client)
        .output();
    succeeded(&generated.expect("the generator runs"));
    let server = Server::start(&folder.path().join("data"));
    let paid = Command::new(venv.join("bin/python"))
        .arg(Path::new(INTEROP).join("client.py"))
        .arg(&client)
        .args(arguments(&server))
        .output();
    let said = succeeded(&paid.expect("python runs"));
    assert!(said.contains("CLEARED"), "{said}");
}

#[test]
fn a_generated_typescript_client_makes_a_payment() {
    let name = "a_generated_typescript_client_makes_a_payment";
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    for file in ["package.json", "client.ts"] {
        fs::copy(Path::new(INTEROP).join(file), home.join(file)).expect("copied");
    }
    let mut install = Command::new("npm");
    install.args(["install", "--silent", "--no-audit", "--no-fund"]);
    if done(install.current_dir(home)).is_none() {
        return skipped(name, "openapi-typescript cannot be installed by npm");
    }
    let tool = |name: &str| {
        let mut command = Command::new(home.join("node_modules/.bin").join(name));
        command.current_dir(home);
        command
    };
    let types = tool("openapi-typescript")
        .args([DOCUMENT, "-o", "lombard.d.ts"])
        .output();
    succeeded(&types.expect("the generator runs"));
    let compiled = tool("tsc")
        .args(["--strict", "--target", "es2022", "--module", "esnext"])
        .args(["--moduleResolution", "bundler", "--skipLibCheck", "false"])
        .arg("client.ts")
        .output();
    succeeded(&compiled.expect("the compiler runs"));
    let server = Server::start(&home.join("data"));
    let paid = Command::new("node")
        .arg("client.js")
        .args(arguments(&server))
        .current_dir(home)
        .output();
    let said = succeeded(&paid.expect("node runs"));
    assert!(said.contains("CLEARED"), "{said}");
}

fn arguments(server: &Server) -> [&str; 3] {
    ["url", "api_key", "account"].map(|member| server.text(member))
}
