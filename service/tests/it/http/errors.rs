//! Everything that is not what was asked for is a problem document.

use axum::{body::Body, http::Request};
use lombard_service::{config::Config, http::ErrorCode};
use serde_json::json;

use super::world::{World, outgoing};

#[tokio::test]
async fn bad_bodies_are_refused_with_their_place() {
    let world = World::new().await;
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let cases: Vec<(String, &str, Option<&str>)> = vec![
        ("{".into(), "invalid_json", None),
        (deep.clone(), "invalid_field", None),
        (
            format!("{{\"metadata\":{deep}}}"),
            "invalid_field",
            Some("/metadata"),
        ),
        ("[]".into(), "invalid_field", None),
        (
            r#"{"debtor":["fps/fees/GBP",null]}"#.into(),
            "invalid_field",
            Some("/debtor"),
        ),
        ("null".into(), "invalid_field", None),
        ("{}".into(), "invalid_field", None),
        (r#"{"amount":1,"amount":2}"#.into(), "invalid_field", None),
        (
            r#"{"surprise":1}"#.into(),
            "invalid_field",
            Some("/surprise"),
        ),
        (r#"{"amount":-1}"#.into(), "invalid_field", Some("/amount")),
        (r#"{"amount":1.5}"#.into(), "invalid_field", Some("/amount")),
        (r#"{"amount":"1"}"#.into(), "invalid_field", Some("/amount")),
        (
            r#"{"amount":9007199254740992}"#.into(),
            "invalid_field",
            Some("/amount"),
        ),
        (r#"{"amount":1e400}"#.into(), "invalid_json", None),
        (
            format!(r#"{{"amount":{}}}"#, "9".repeat(5_000)),
            "invalid_json",
            None,
        ),
        (
            r#"{"currency":"gbp"}"#.into(),
            "invalid_field",
            Some("/currency"),
        ),
        (r#"{"rail":"swift"}"#.into(), "invalid_field", Some("/rail")),
        (
            r#"{"debtor":{"account":"acc_1"}}"#.into(),
            "invalid_field",
            Some("/debtor/account"),
        ),
        (r#"{"end_to_end_id":"\ud800"}"#.into(), "invalid_json", None),
    ];
    for (number, (body, code, field)) in cases.into_iter().enumerate() {
        let answer = world
            .send(world.request("/v1/payments", &format!("k{number}"), body.clone()))
            .await;
        let shown = answer.json();
        assert_eq!(answer.status, 400, "{body:.80}: {shown}");
        assert_eq!(shown["code"], code, "{body:.80}: {shown}");
        assert_eq!(shown["field"].as_str(), field, "{body:.80}: {shown}");
    }
    let mut request = world.request("/v1/payments", "utf8", String::new());
    *request.body_mut() = Body::from(&b"{\"currency\":\"\xff\xfe\xfd\"}"[..]);
    world.send(request).await.refused(400, "invalid_json", None);
}

#[tokio::test]
async fn fields_out_of_their_bounds_are_named() {
    let world = World::new().await;
    let account = world.account(0).await;
    for (member, value, field) in [
        ("end_to_end_id", json!("x".repeat(36)), "/end_to_end_id"),
        ("end_to_end_id", json!(""), "/end_to_end_id"),
        ("remittance", json!("x".repeat(141)), "/remittance"),
        ("reference", json!("a\u{7}b"), "/reference"),
        ("expires_in_seconds", json!(0), "/expires_in_seconds"),
        (
            "expires_in_seconds",
            json!(2_592_001),
            "/expires_in_seconds",
        ),
        ("creditor", json!({}), "/creditor"),
        ("creditor", json!({"name": "A"}), "/creditor"),
        (
            "creditor",
            json!({"iban": "DE89370400440532013000"}),
            "/creditor",
        ),
        (
            "creditor",
            json!({"name": "A", "iban": "DE89370400440532013000", "sort_code": "200000"}),
            "/creditor",
        ),
        ("metadata", json!({"k": "x".repeat(501)}), "/metadata"),
    ] {
        let mut body = outgoing(&account);
        body[member] = value;
        world
            .post("/v1/payments", body)
            .await
            .refused(400, "invalid_field", Some(field));
    }
    let mut body = outgoing(&account);
    body["creditor"] = json!({"name": "A", "iban": "GB82WEST12345698765431"});
    world.post("/v1/payments", body).await.refused(
        422,
        "bank_address_invalid",
        Some("/creditor/iban"),
    );
    let mut body = outgoing(&account);
    body["debtor"]["account"] = json!("acc_00000000000000000000000000");
    world.post("/v1/payments", body).await.refused(
        422,
        "reference_unknown",
        Some("/debtor/account"),
    );
}

#[tokio::test]
async fn paths_methods_types_and_sizes() {
    let world = World::new().await;
    world
        .get("/v1/nothing")
        .await
        .refused(404, "not_found", None);
    world
        .get("/v1/payments/pay_1")
        .await
        .refused(404, "not_found", None);
    world
        .get("/v1/payments/%ff")
        .await
        .refused(404, "not_found", None);
    let request = Request::delete("/v1/payments").body(Body::empty()).unwrap();
    let answer = world.send(request).await;
    assert!(
        answer
            .header("allow")
            .is_some_and(|allow| allow.contains("GET") && allow.contains("POST"))
    );
    answer.refused(405, "method_not_allowed", None);

    let mut request = world.request("/v1/payments", "k", "{}".into());
    request
        .headers_mut()
        .insert("content-type", "text/plain".parse().unwrap());
    world
        .send(request)
        .await
        .refused(415, "media_type_unsupported", None);
    let mut request = world.request("/v1/payments", "k", "{}".into());
    request
        .headers_mut()
        .insert("content-encoding", "gzip".parse().unwrap());
    world
        .send(request)
        .await
        .refused(415, "media_type_unsupported", None);

    let body = format!("{{\"remittance\":\"{}\"}}", "x".repeat(70_000));
    world
        .send(world.request("/v1/payments", "k", body.clone()))
        .await
        .refused(413, "body_too_large", None);
    let stream = futures_util::stream::iter(vec![Ok::<_, std::io::Error>(body)]);
    let mut request = world.request("/v1/payments", "k", String::new());
    *request.body_mut() = Body::from_stream(stream);
    world
        .send(request)
        .await
        .refused(413, "body_too_large", None);

    let mut request = world.request("/v1/payments", "k", "{}".into());
    request
        .headers_mut()
        .insert("x-long", "x".repeat(20_000).parse().unwrap());
    world
        .send(request)
        .await
        .refused(431, "headers_too_large", None);

    for (path, field) in [
        ("/v1/payments?limit=0", "limit"),
        ("/v1/payments?limit=101", "limit"),
        ("/v1/payments?limit=1&limit=2", "limit"),
        ("/v1/payments?cursor=acc_1", "cursor"),
        ("/v1/payments?status=DONE", "status"),
        ("/v1/payments?created_from=now", "created_from"),
        ("/v1/payments?last4=null", "last4"),
        ("/v1/payments?colour=red", "query"),
    ] {
        world
            .get(path)
            .await
            .refused(400, "invalid_parameter", Some(field));
    }
}

#[tokio::test]
async fn a_slow_body_is_given_up() {
    let mut config = Config::default();
    config.http.body_timeout_ms = 20;
    let world = World::with(config).await;
    let mut request = world.request("/v1/payments", "k", String::new());
    let never = futures_util::stream::pending::<Result<String, std::io::Error>>();
    *request.body_mut() = Body::from_stream(never);
    world
        .send(request)
        .await
        .refused(408, "request_timeout", None);
}

#[tokio::test]
async fn a_problem_says_who_and_where() {
    let world = World::new().await;
    let answer = world.get("/v1/nothing").await;
    let trace = answer.header("traceparent").unwrap().to_owned();
    let problem = answer.json();
    let id = problem["request_id"].as_str().unwrap();
    assert_eq!(format!("00-{id}-01"), trace);
    assert_eq!(problem["type"], "/docs/errors#not_found");
    assert_eq!(
        (&problem["status"], &problem["retryable"]),
        (&json!(404), &json!(false))
    );
    let page = world.get("/docs/errors").await;
    let page = String::from_utf8_lossy(&page.bytes);
    for code in ErrorCode::ALL {
        assert!(
            page.contains(&format!("id=\"{}\"", code.code())),
            "{code:?}"
        );
    }
}
