//! Two providers that exist only in the files of `docs/providers.md`: their webhooks and their reports.

use axum::http::Request;
use base64::{Engine, prelude::BASE64_STANDARD};
use lombard_core::command::Report;
use lombard_service::config::Config;
use ring::hmac;
use serde_json::json;
use tempfile::TempDir;

use crate::http::world::{Answer, World, outgoing};

const DOCUMENT: &str = include_str!("../../../../docs/providers.md");

/// The block of the document that follows on a text.
fn block(after: &str) -> &'static str {
    let (_, rest) = DOCUMENT.split_once(after).expect(after);
    let (_, rest) = rest.split_once("```toml\n").expect(after);
    rest.split_once("```").expect(after).0
}

/// A world with the document's configuration, whose files are in a folder of their own.
async fn world() -> (World, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = block("## The configuration").to_owned();
    for name in ["northpay", "northpay-report", "sudpago", "sudpago-report"] {
        let file = format!("{name}.toml");
        let path = folder.path().join(&file);
        std::fs::write(&path, block(&format!("`{file}`"))).unwrap();
        let quoted = |path: &str| format!("= \"{path}\"");
        settings = settings.replace(&quoted(&file), &quoted(path.to_str().unwrap()));
    }
    let config: Config = toml::from_str(&settings).unwrap();
    (World::with(config).await, folder)
}

/// Payments that have left us, with the references that the providers know them by.
async fn sent(world: &World) -> [(String, String); 2] {
    let account = world.account(1_000_000).await;
    let mut made = Vec::new();
    for amount in [1_250, 2_000] {
        let mut body = outgoing(&account);
        body["amount"] = json!(amount);
        let id = world.post("/v1/payments", body).await.text("id");
        world.report(&id, Report::Submitted).await;
        let digits = id.trim_start_matches("pay_").to_owned();
        made.push((id, format!("{}-{digits}", world.tenant.short())));
    }
    made.try_into().unwrap()
}

async fn deliver(world: &World, provider: &str, headers: &[(&str, String)], body: &str) -> Answer {
    let mut request = Request::post(format!("/v1/psp/{provider}/webhooks"));
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    world
        .send(request.body(body.to_owned().into()).unwrap())
        .await
}

async fn status(world: &World, id: &str) -> String {
    let path = format!("/v1/payments/{id}");
    world.get(&path).await.text("status")
}

async fn reconcile(world: &World, source: &str, text: String) -> serde_json::Value {
    let request = Request::post(format!("/v1/reconciliation/statements?source={source}"))
        .header("authorization", format!("Bearer {}", world.key))
        .header(
            "idempotency-key",
            format!("{:032x}", world.app.host.random()),
        )
        .body(text.into());
    world.send(request.unwrap()).await.expect(200)
}

fn mac(algorithm: hmac::Algorithm, secret: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(algorithm, secret), text.as_bytes())
}

#[tokio::test]
async fn one_that_signs_a_time_in_hexadecimal() {
    let (world, _folder) = world().await;
    let [(id, reference), (other, other_reference)] = sent(&world).await;
    let told = |number: &str, what: &str, reference: &str, pence: u64| {
        json!({"delivery": {"id": number}, "what": what, "transfer": {"id": number,
            "your_reference": reference, "pence": pence, "currency": "GBP"}})
        .to_string()
    };
    let yes = told("D1", "transfer.done", &reference, 1_250);
    let now = world.app.host.now().unix_ms() / 1000;
    let seal = |secret: &str, at: u64, body: &str| {
        let tag = mac(
            hmac::HMAC_SHA256,
            secret.as_bytes(),
            &format!("{at}.{body}"),
        );
        let seal = format!("sha256={}", hex::encode(tag));
        [("x-north-seal", seal), ("x-north-time", at.to_string())]
    };
    for (headers, why) in [
        (seal("another-secret", now, &yes), "forged"),
        (seal("north-secret", now - 301, &yes), "old"),
        (seal("north-secret", now, "{}"), "of another body"),
    ] {
        let answer = deliver(&world, "northpay", &headers, &yes).await;
        assert_eq!(answer.status, 401, "{why}");
    }
    assert_eq!(status(&world, &id).await, "AUTH_PENDING");
    for _ in 0..2 {
        let answer = deliver(&world, "northpay", &seal("north-secret", now, &yes), &yes).await;
        assert_eq!(answer.status, 204);
    }
    assert_eq!(status(&world, &id).await, "CLEARED");
    let no = told("D2", "transfer.bounced", &other_reference, 2_000);
    deliver(&world, "northpay", &seal("north-secret", now, &no), &no).await;
    assert_eq!(status(&world, &other).await, "FAILED");
    // What has no row is not guessed.
    let odd = told("D3", "transfer.pondered", &reference, 1_250);
    deliver(&world, "northpay", &seal("north-secret", now, &odd), &odd).await;
    let open = world.get("/v1/exceptions").await.expect(200);
    assert_eq!(open["data"][0]["kind"], "unknown_status");

    let today = &world.app.host.now().to_string()[..10];
    let csv = format!(
        "Fee,Your ref,Day,Kind,Gross,Net,Transfer\n0.30,{reference},{today},transfer,-12.50,-12.80,T1\n\
         1.00,,{today},charge,0.00,-1.00,\n"
    );
    let report = reconcile(&world, "northpay", csv.clone()).await;
    assert_eq!(report["exceptions"], json!([]), "{report}");
    assert_eq!(
        (&report["matched"], &report["explained"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(status(&world, &id).await, "SETTLED");
    assert_eq!(reconcile(&world, "northpay", csv).await, report);
}

#[tokio::test]
async fn one_that_signs_the_body_in_base64() {
    let (world, _folder) = world().await;
    let [(id, reference), (other, other_reference)] = sent(&world).await;
    let notice = |number: u64, state: &str, reference: &str, amount: &str| {
        json!({"numero": number, "estado": state, "pago": {"codigo": format!("P{number}"),
            "referencia": reference, "importe": amount, "divisa": "GBP"}})
    };
    let both = json!({"avisos": [notice(1, "PAGADO", &reference, "12.50"),
        notice(2, "RECHAZADO", &other_reference, "20.00")]})
    .to_string();
    let sign = |secret: &str, body: &str| {
        let tag = mac(hmac::HMAC_SHA512, secret.as_bytes(), body);
        [("sud-firma", BASE64_STANDARD.encode(tag))]
    };
    let forged = deliver(&world, "sudpago", &sign("sud", &both), &both).await;
    assert_eq!(forged.status, 401);
    for _ in 0..2 {
        let answer = deliver(&world, "sudpago", &sign("sud-secret", &both), &both).await;
        assert_eq!((answer.status, &*answer.bytes), (200, &b"recibido"[..]));
    }
    assert_eq!(status(&world, &id).await, "CLEARED");
    assert_eq!(status(&world, &other).await, "FAILED");

    let now = world.app.host.now().to_string();
    let today = format!("{}/{}/{}", &now[8..10], &now[5..7], &now[..4]);
    let csv = |amount: &str| {
        format!("Fecha;Referencia;D/H;Importe;Divisa\n{today};{reference};D;{amount};GBP\n")
    };
    let report = reconcile(&world, "sudpago", csv("12,51")).await;
    assert_eq!(
        report["exceptions"][0]["kind"], "amount_differs",
        "{report}"
    );
    let report = reconcile(&world, "sudpago", csv("12,50")).await;
    assert_eq!(report["exceptions"], json!([]), "{report}");
    assert_eq!(status(&world, &id).await, "SETTLED");
}
