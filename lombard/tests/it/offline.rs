//! Commands that need no server.

use serde_json::Value;

use super::server::{ended, run};

#[test]
fn check_tells_a_verdict_and_exits_by_it() {
    let (exit, out, _) = ended(&run(&["check", "iban", "GB82 WEST 1234 5698 7654 32"]));
    assert_eq!((exit, out.starts_with("valid")), (0, true), "{out}");
    let (exit, out, _) = ended(&run(&["check", "iban", "GB83WEST12345698765432", "--json"]));
    let verdict: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (exit, &verdict["valid"], &verdict["reason"]),
        (1, &Value::from(false), &Value::from("check_digits"))
    );
    let (exit, out, _) = ended(&run(&[
        "check",
        "uk-account",
        "12-34-56",
        "12345678",
        "--json",
    ]));
    let verdict: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (exit, &verdict["valid"], &verdict["checked"]),
        (0, &Value::from(true), &Value::from(false))
    );
    let (exit, _, err) = ended(&run(&[
        "check",
        "uk-account",
        "123456",
        "12345678",
        "--weights",
        "/nonexistent",
    ]));
    assert_eq!((exit, err.contains("/nonexistent")), (2, true), "{err}");
}

#[test]
fn inspect_exits_by_what_the_file_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let broken = file(
        "a.xml",
        "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:pain.001.001.09'></Document>",
    );
    let (exit, out, _) = ended(&run(&["inspect", &broken, "--json"]));
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (exit, &found["valid"], &found["message"]),
        (1, &Value::from(false), &Value::from("pain.001.001.09"))
    );
    assert!(
        found["errors"][0]["path"].is_string() && found["errors"][0]["rule"].is_string(),
        "{out}"
    );
    for (name, text, format) in [
        (
            "b.sta",
            ":20:X\r\n:25:Y\r\n:28C:1\r\n:60F:C260101EUR1,\r\n",
            "mt940",
        ),
        ("c.bin", "\0\0\0", "unknown"),
    ] {
        let (exit, out, _) = ended(&run(&["inspect", &file(name, text), "--json"]));
        let found: Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
        assert_eq!((exit, &found["format"]), (2, &Value::from(format)));
    }
    let (exit, _, err) = ended(&run(&["inspect", "/nonexistent"]));
    assert_eq!((exit, err.contains("/nonexistent")), (2, true));
}

#[test]
fn completions_are_printed_for_each_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let (exit, out, _) = ended(&run(&["completions", shell]));
        assert_eq!(exit, 0);
        assert!(out.contains("uk-account"), "{shell}");
    }
}

#[test]
fn a_wrong_setting_stops_the_start_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lombard.toml");
    std::fs::write(&config, "[http]\nconnections = 5\n").unwrap();
    let (exit, _, err) = ended(&run(&["up", "--config", config.to_str().unwrap()]));
    assert_eq!(exit, 2);
    assert!(
        err.contains("lombard.toml:2: there is no setting `http.connections`"),
        "{err}"
    );
}

#[test]
fn without_a_server_commands_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let (exit, out, err) = ended(&run(&["get", "pay_01", "--data", data, "--json"]));
    assert_eq!(exit, 3, "{err}");
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["error"], "unreachable");
    let args = [
        "get",
        "pay_01",
        "--url",
        "http://127.0.0.1:9",
        "--key",
        "sk_test",
    ];
    assert_eq!(ended(&run(&args)).0, 3, "nobody listens there");
}
