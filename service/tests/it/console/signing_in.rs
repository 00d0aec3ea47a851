//! Who gets in, for how long, and what a page may load.

use axum::{body::Body, http::Request};

use super::browser::Browser;
use crate::http::world::World;

#[tokio::test]
async fn nobody_sees_a_page_before_signing_in() {
    let world = World::new().await;
    let browser = Browser::at(&world);
    for path in [
        "/console",
        "/console/payments?status=FAILED",
        "/console/accounts/acc_x",
        "/console/search?q=x",
    ] {
        let shown = browser.get(path).await;
        assert_eq!(shown.status, 303, "{path}");
        assert!(
            shown
                .header("location")
                .starts_with("/console/sign-in?then=%2Fconsole"),
            "{path}"
        );
    }
    let wrong = browser
        .post("/console/sign-in", "key=sk_test_wrong&then=")
        .await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.header("set-cookie").is_empty());
}

#[tokio::test]
async fn the_cookie_is_kept_from_scripts_and_other_sites_and_holds_no_key() {
    let world = World::new().await;
    let form = format!("key={}&then=/console/payments", world.key);
    let entered = Browser::at(&world).post("/console/sign-in", &form).await;
    assert_eq!(
        (entered.status, entered.header("location")),
        (303, "/console/payments")
    );
    let cookie = entered.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/console"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains(&world.key));
}

#[tokio::test]
async fn a_session_ends_after_fifteen_idle_minutes_and_at_signing_out() {
    const MINUTE: u64 = 60_000;
    let world = World::new().await;
    let browser = Browser::signed_in(&world, &world.key).await;
    for _ in 0..3 {
        world.host.advance(14 * MINUTE);
        assert_eq!(browser.get("/console").await.status, 200, "in use");
    }
    world.host.advance(16 * MINUTE);
    assert_eq!(browser.get("/console").await.status, 303, "idle");
    let browser = Browser::signed_in(&world, &world.key).await;
    browser.post("/console/sign-out", "").await;
    assert_eq!(browser.get("/console").await.status, 303, "signed out");
}

#[tokio::test]
async fn a_form_of_another_site_is_refused() {
    let world = World::new().await;
    let browser = Browser::signed_in(&world, &world.key).await;
    let request = |origin: &str| {
        Request::post("/console/sign-out")
            .header("host", "pay.example")
            .header("origin", origin)
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(
        browser.send(request("https://evil.example")).await.status,
        403
    );
    assert_eq!(browser.send(request("null")).await.status, 403);
    assert_eq!(browser.get("/console").await.status, 200, "still signed in");
    assert_eq!(
        browser.send(request("https://pay.example")).await.status,
        303
    );
}

#[tokio::test]
async fn a_page_loads_nothing_from_elsewhere_and_holds_no_script() {
    let world = World::new().await;
    let browser = Browser::signed_in(&world, &world.key).await;
    for path in [
        "/console",
        "/console/payments",
        "/console/accounts",
        "/console/exceptions",
        "/console/batches",
        "/console/webhooks",
    ] {
        let shown = browser.get(path).await;
        assert_eq!(shown.status, 200, "{path}: {}", shown.text);
        let policy = shown.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        for inline in [
            "<style",
            " style=",
            " onclick=",
            "<script>",
            "http://",
            "https://",
        ] {
            assert!(!shown.text.contains(inline), "{path} holds {inline}");
        }
        assert!(
            shown.text.len() < 150 * 1024,
            "{path}: {} bytes",
            shown.text.len()
        );
        assert_eq!(shown.header("cache-control"), "no-store");
    }
    for (path, kind) in [
        ("/console/style.css", "text/css"),
        ("/console/keys.js", "text/javascript"),
    ] {
        assert!(
            browser
                .get(path)
                .await
                .header("content-type")
                .starts_with(kind),
            "{path}"
        );
    }
}
