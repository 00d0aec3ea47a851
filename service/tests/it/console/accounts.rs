//! Accounts of ours: begun with a one-time password, entered with a password and a code, locked.

use data_encoding::BASE32_NOPAD;
use lombard_service::{
    factors::{one_time, step_of},
    ports::Host,
};
use serde_json::json;

use super::browser::{Browser, Shown};
use crate::http::world::World;

const CHOSEN: &str = "twelve steps 12";

/// An account, and its one-time password.
async fn account(world: &World, name: &str) -> (String, String) {
    let body = json!({"name": name, "roles": ["operator", "auditor"]});
    let made = world.post("/v1/people", body).await.expect(201);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("one_time_password"))
}

async fn enter(browser: &Browser, name: &str, password: &str, code: &str) -> Shown {
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("name", name),
            ("password", password),
            ("code", code),
            ("then", ""),
        ])
        .finish();
    browser.post("/console/sign-in/person", &form).await
}

fn code(world: &World, secret: &[u8]) -> String {
    one_time(secret, step_of(world.host.now()))
}

/// The secret that a page shows.
fn secret(shown: &Shown) -> Vec<u8> {
    let rest = shown
        .text
        .split("<code id=\"secret\">")
        .nth(1)
        .expect(&shown.text);
    BASE32_NOPAD
        .decode(rest.split('<').next().unwrap().as_bytes())
        .unwrap()
}

async fn begin(browser: &Browser, page: &Shown, chosen: &str, code: &str) -> Shown {
    let begun = page.hidden("begun", "begin");
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("begun", begun.as_str()),
            ("password", chosen),
            ("again", chosen),
            ("code", code),
        ])
        .finish();
    browser.post("/console/sign-in/begin", &form).await
}

/// An account that was begun, and its generator's secret.
async fn begun(world: &World, name: &str) -> (String, Vec<u8>) {
    let (id, once) = account(world, name).await;
    let browser = Browser::at(world);
    let page = enter(&browser, name, &once, "").await;
    let secret = secret(&page);
    let entered = begin(&browser, &page, CHOSEN, &code(world, &secret)).await;
    assert_eq!(entered.status, 303, "{}", entered.text);
    world.host.advance(60_000);
    (id, secret)
}

#[tokio::test]
async fn an_account_begins_with_a_password_of_its_owner_and_a_generator() {
    let world = World::new().await;
    let (_, once) = account(&world, "Ada").await;
    let browser = Browser::at(&world);
    let page = enter(&browser, "ada", &once, "").await;
    assert_eq!(page.status, 200);
    assert_eq!(
        browser.get("/console").await.status,
        303,
        "nobody is in yet"
    );
    let secret = secret(&page);
    let right = code(&world, &secret);
    for (chosen, code, why) in [
        ("short1", &right, "12 to 128"),
        ("no digits in here", &right, "letters and digits"),
        (once.as_str(), &right, "Choose"),
        (CHOSEN, &"000000".to_owned(), "not the generator"),
    ] {
        let refused = begin(&browser, &page, chosen, code).await;
        assert_eq!(refused.status, 422, "{chosen}");
        assert!(refused.text.contains(why), "{chosen}: {}", refused.text);
    }
    let entered = begin(&browser, &page, CHOSEN, &right).await;
    assert_eq!(
        (entered.status, entered.header("location")),
        (303, "/console")
    );
    assert_eq!(browser.get("/console").await.status, 200);
    // What began does not begin again, and the one-time password is none any more.
    assert_eq!(begin(&browser, &page, CHOSEN, &right).await.status, 409);
    assert_eq!(enter(&browser, "ada", &once, "").await.status, 401);
}

#[tokio::test]
async fn a_one_time_password_is_good_for_a_week() {
    let world = World::new().await;
    let (_, once) = account(&world, "ada").await;
    world.host.advance(8 * 24 * 60 * 60 * 1000);
    assert_eq!(
        enter(&Browser::at(&world), "ada", &once, "").await.status,
        401
    );
}

#[tokio::test]
async fn it_takes_the_password_and_a_code_that_was_not_used() {
    let world = World::new().await;
    let (_, secret) = begun(&world, "ada").await;
    let right = code(&world, &secret);
    let failure = enter(&Browser::at(&world), "nobody", CHOSEN, &right).await;
    for (name, password, code) in [
        ("ada", "another 12345", right.as_str()),
        ("ada", CHOSEN, "000000"),
        ("ada", CHOSEN, ""),
        ("bob", CHOSEN, right.as_str()),
    ] {
        let refused = enter(&Browser::at(&world), name, password, code).await;
        assert_eq!(
            (refused.status, &refused.text),
            (401, &failure.text),
            "{name} {password} {code}"
        );
        assert!(refused.header("set-cookie").is_empty());
    }
    let browser = Browser::at(&world);
    let entered = enter(&browser, "ada", CHOSEN, &right).await;
    assert_eq!(entered.status, 303, "{}", entered.text);
    assert_eq!(
        browser.get("/console/audit").await.status,
        200,
        "an auditor too"
    );
    assert_eq!(
        enter(&browser, "ada", CHOSEN, &right).await.status,
        401,
        "used"
    );
    let audit = world
        .get("/v1/audit?limit=100")
        .await
        .expect(200)
        .to_string();
    assert!(
        audit.contains("\"refused\"") && audit.contains("sign_in"),
        "{audit}"
    );
    assert!(!audit.contains("ada"), "names are not on record");
}

#[tokio::test]
async fn of_two_who_send_one_code_at_once_one_is_in() {
    let world = World::new().await;
    let (_, secret) = begun(&world, "ada").await;
    let right = code(&world, &secret);
    let browsers: Vec<_> = (0..6).map(|_| Browser::at(&world)).collect();
    let tries = browsers
        .iter()
        .map(|browser| enter(browser, "ada", CHOSEN, &right));
    let came = futures_util::future::join_all(tries).await;
    assert_eq!(came.iter().filter(|shown| shown.status == 303).count(), 1);
}

#[tokio::test]
async fn ten_failures_lock_for_half_an_hour_and_a_reset_begins_anew() {
    let world = World::new().await;
    let (id, secret) = begun(&world, "ada").await;
    let browser = Browser::at(&world);
    for _ in 0..10 {
        enter(&browser, "ada", "another 12345", "000000").await;
    }
    let right = code(&world, &secret);
    assert_eq!(
        enter(&browser, "ada", CHOSEN, &right).await.status,
        401,
        "locked"
    );
    let listed = world.get("/v1/people").await.expect(200);
    assert_eq!(listed["data"][0]["locked"], true);
    world.host.advance(31 * 60_000);
    let right = code(&world, &secret);
    assert_eq!(enter(&browser, "ada", CHOSEN, &right).await.status, 303);
    let reset = world
        .post(&format!("/v1/people/{id}/reset"), json!({}))
        .await
        .expect(200);
    let once = reset["one_time_password"].as_str().unwrap();
    world.host.advance(60_000);
    let right = code(&world, &secret);
    assert_eq!(
        enter(&browser, "ada", CHOSEN, &right).await.status,
        401,
        "no more"
    );
    let page = enter(&browser, "ada", once, "").await;
    let fresh = self::secret(&page);
    let refused = begin(&browser, &page, CHOSEN, &code(&world, &fresh)).await;
    assert!(refused.text.contains("used before"), "{}", refused.text);
    let entered = begin(&browser, &page, "other steps 34", &code(&world, &fresh)).await;
    assert_eq!(entered.status, 303);
    // Revoked, he is out at once.
    world
        .call_as(
            &world.key,
            "DELETE",
            &format!("/v1/api_keys/{id}"),
            json!({}),
        )
        .await
        .expect(200);
    assert_eq!(browser.get("/console").await.status, 303);
}

#[tokio::test]
async fn a_name_is_one_person_s_until_he_is_revoked() {
    let world = World::new().await;
    let (id, _) = account(&world, "Ada").await;
    let body = json!({"name": "aDA", "roles": ["viewer"]});
    assert_eq!(world.post("/v1/people", body.clone()).await.status, 400);
    world
        .call_as(
            &world.key,
            "DELETE",
            &format!("/v1/api_keys/{id}"),
            json!({}),
        )
        .await
        .expect(200);
    world.post("/v1/people", body).await.expect(201);
}

#[tokio::test]
async fn api_keys_sign_nobody_in_where_they_may_not() {
    let mut config = lombard_service::config::Config::default();
    config.sign_in.api_keys = false;
    let world = World::with(config).await;
    let form = format!("key={}&then=", world.key);
    assert_eq!(
        Browser::at(&world)
            .post("/console/sign-in", &form)
            .await
            .status,
        403
    );
}
