//! Accounts: opened, listed, closed, their entries.

use serde_json::{Value, json};

use super::world::{World, internal};

#[tokio::test]
async fn an_account_keeps_its_address_to_itself() {
    let world = World::new().await;
    let body = json!({"name": "Wallet", "currency": "GBP", "holder_name": "Ada Lovelace",
        "address": {"sort_code": "20-00-00", "account_number": "55779911"}, "metadata": {"crm.id": "4711"}});
    let answer = world.post("/v1/accounts", body.clone()).await;
    let text = String::from_utf8_lossy(&answer.bytes).into_owned();
    assert!(
        !text.contains("Ada") && !text.contains("55779911"),
        "{text}"
    );
    let account = answer.expect(201);
    assert_eq!(
        account["addresses"],
        json!([{"scheme": "uk_account", "last4": "9911"}])
    );
    assert_eq!(account["kind"], "constrained");
    assert_eq!(account["metadata"]["crm.id"], "4711");
    world
        .post("/v1/accounts", body)
        .await
        .refused(409, "address_taken", Some("/address"));
}

#[tokio::test]
async fn what_is_no_account_is_refused() {
    let world = World::new().await;
    let cases: &[(Value, u16, &str, &str)] = &[
        (
            json!({"name": "", "currency": "GBP"}),
            400,
            "invalid_field",
            "/name",
        ),
        (
            json!({"name": "a\nb", "currency": "GBP"}),
            400,
            "invalid_field",
            "/name",
        ),
        (
            json!({"name": "a", "currency": "XXX"}),
            400,
            "invalid_field",
            "/currency",
        ),
        (
            json!({"name": "a", "currency": "GBP", "kind": "other"}),
            400,
            "invalid_field",
            "/kind",
        ),
        (
            json!({"name": "a", "currency": "GBP", "address": {}}),
            400,
            "invalid_field",
            "/address",
        ),
        (
            json!({"name": "a", "currency": "GBP", "address": {"iban": "GB82WEST12345698765431"}}),
            422,
            "bank_address_invalid",
            "/address/iban",
        ),
        (
            json!({"name": "a", "currency": "GBP", "address": {"sort_code": "1", "account_number": "55779911"}}),
            422,
            "bank_address_invalid",
            "/address/sort_code",
        ),
        (
            json!({"name": "a", "currency": "GBP", "address": {"sort_code": "200000"}}),
            400,
            "invalid_field",
            "/address",
        ),
        (
            json!({"name": "a", "currency": "GBP", "kind": "house", "address": {"iban": "DE89370400440532013000"}}),
            400,
            "invalid_field",
            "/address",
        ),
        (
            json!({"name": "a", "currency": "GBP", "metadata": {"a b": "c"}}),
            400,
            "invalid_field",
            "/metadata",
        ),
        (
            json!({"name": "a", "currency": "GBP", "metadata": {"a": 1}}),
            400,
            "invalid_field",
            "/metadata/a",
        ),
    ];
    for (body, status, code, field) in cases {
        let answer = world.post("/v1/accounts", body.clone()).await;
        answer.refused(*status, code, Some(field));
    }
}

#[tokio::test]
async fn house_accounts_are_there_and_have_names() {
    let world = World::new().await;
    let by_name = world
        .get("/v1/accounts/fps%2Fsettlement%2FGBP")
        .await
        .expect(200);
    assert_eq!(
        (&by_name["name"], &by_name["kind"]),
        (&json!("fps/settlement/GBP"), &json!("house"))
    );
    let listed = world
        .get("/v1/accounts?kind=house&limit=100")
        .await
        .expect(200);
    assert_eq!(
        listed["data"].as_array().unwrap().len(),
        12,
        "five a rail, and fees of our books"
    );
    let found = world
        .get("/v1/accounts?name=fps%2Fsettlement%2FGBP")
        .await
        .expect(200);
    assert_eq!(found["data"][0]["id"], by_name["id"]);
    world
        .get("/v1/accounts/fps%2Fsettlement%2FUSD")
        .await
        .refused(404, "not_found", None);
    let path = "/v1/accounts/fps%2Fsettlement%2FGBP/close";
    world
        .post(path, json!({}))
        .await
        .refused(409, "not_applicable", None);
}

#[tokio::test]
async fn an_empty_account_is_closed_and_takes_nothing_more() {
    let world = World::new().await;
    let (full, account) = (world.account(100).await, world.account(0).await);
    world
        .post(&format!("/v1/accounts/{full}/close"), json!({}))
        .await
        .refused(409, "account_not_empty", None);
    let closed = world
        .post(&format!("/v1/accounts/{account}/close"), json!({}))
        .await
        .expect(200);
    assert_eq!(closed["state"], "closed");
    let answer = world
        .post("/v1/payments", internal(&full, &account, 1))
        .await;
    answer.refused(422, "account_closed", Some("/creditor/account"));
}

#[tokio::test]
async fn entries_are_listed_from_either_end() {
    let world = World::new().await;
    let account = world.account(0).await;
    for pence in 1..=5 {
        world.fund(&account, pence).await;
    }
    let numbers = |path: String| {
        let world = &world;
        async move {
            let mut all = Vec::new();
            let mut next = path.clone();
            loop {
                let page = world.get(&next).await.expect(200);
                let data = page["data"].as_array().unwrap();
                all.extend(data.iter().map(|entry| entry["number"].as_u64().unwrap()));
                match page["next_cursor"].as_str() {
                    Some(cursor) => next = format!("{path}&cursor={cursor}"),
                    None => return all,
                }
            }
        }
    };
    let path = format!("/v1/accounts/{account}/entries?limit=2");
    assert_eq!(numbers(path.clone()).await, [5, 4, 3, 2, 1]);
    assert_eq!(
        numbers(format!("{path}&order=oldest")).await,
        [1, 2, 3, 4, 5]
    );
    let last = world.get(&path).await.expect(200);
    assert_eq!(last["data"][0]["after"]["available"], 15);
    world
        .get(&format!("{path}&order=up"))
        .await
        .refused(400, "invalid_parameter", Some("order"));
    world
        .get(&format!("{path}&cursor=0"))
        .await
        .refused(400, "invalid_parameter", Some("cursor"));
}

#[tokio::test]
async fn a_balance_is_known_as_of_any_moment() {
    let world = World::new().await;
    let account = world.account(0).await;
    let opened = world.host_time();
    let mut moments = Vec::new();
    for pence in 1..=9 {
        world.host.advance(1_000);
        world.fund(&account, pence).await;
        moments.push((world.host_time(), (1..=pence).sum::<u64>()));
    }
    let available = |at: String| {
        let path = format!("/v1/accounts/{account}?at={at}");
        let world = &world;
        async move {
            world.get(&path).await.expect(200)["balance"]["available"]
                .as_u64()
                .unwrap()
        }
    };
    assert_eq!(available(opened).await, 0);
    for (at, sum) in moments {
        assert_eq!(available(at).await, sum);
    }
    world
        .get(&format!("/v1/accounts/{account}?at=yesterday"))
        .await
        .refused(400, "invalid_parameter", Some("at"));
}

impl World {
    fn host_time(&self) -> String {
        use lombard_service::ports::Host;
        self.host.now().to_string()
    }
}
