//! Tenants of a running server, made by whoever has its data folder.

use serde_json::Value;

use crate::server::{Server, ended, lombard, run};

/// Makes a tenant: its id and its key.
fn tenant(data: &str, name: &str) -> (String, String) {
    let made = run(&["tenant", "create", name, "--data", data, "--json"]);
    let (code, out, err) = ended(&made);
    assert_eq!(code, 0, "{err}");
    let made: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(made["name"], name);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("api_key"))
}

#[test]
fn tenants_are_made_beside_each_other_and_see_nothing_of_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let server = Server::start(folder.path());
    let url = server.ready["url"].as_str().unwrap();
    let (first, key) = tenant(data, "Acme Payments");
    let (second, other) = tenant(data, "Babbage & Sons");
    assert_ne!(first, second);

    let (code, out, _) = ended(&run(&["tenant", "list", "--data", data, "--json"]));
    assert_eq!(code, 0);
    let listed: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let ids: Vec<&str> = listed.iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&&*first) && ids.contains(&&*second), "{ids:?}");
    assert!(
        listed.iter().all(|it| it["api_key"].is_null()),
        "{listed:?}"
    );

    // The demo's account is nobody's but the demo's.
    let account = server.ready["account"].as_str().unwrap();
    for (key, code) in [
        (&*key, 4),
        (&*other, 4),
        (server.ready["api_key"].as_str().unwrap(), 0),
    ] {
        let got = lombard(&["get", account, "--url", url, "--key", key]).output();
        assert_eq!(ended(&got.unwrap()).0, code);
    }
    let (code, _, err) = ended(&run(&["tenant", "create", "", "--data", data]));
    assert_eq!(code, 2, "{err}");
}

#[test]
fn without_a_server_there_is_nobody_to_ask() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let (code, _, err) = ended(&run(&["tenant", "list", "--data", data]));
    assert_eq!(code, 3);
    assert!(err.contains("no server runs on"), "{err}");
}
