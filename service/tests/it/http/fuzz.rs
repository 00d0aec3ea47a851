//! Hostile bodies: whatever is sent, the answer is a documented one, and nothing breaks.

use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::Value;

use super::{isolation::posts, world::World};

/// JSON of any shape, with the names and values that requests are made of among it.
fn json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("amount"),
        Just("currency"),
        Just("debtor"),
        Just("creditor"),
        Just("account"),
        Just("name"),
        Just("iban"),
        Just("sort_code"),
        Just("account_number"),
        Just("legs"),
        Just("side"),
        Just("metadata"),
        Just("GBP"),
        Just("fps/settlement/GBP"),
        Just("debit"),
        Just("kind"),
        Just("house"),
        Just("reference"),
    ];
    let text = prop_oneof![word.clone().prop_map(str::to_owned), any::<String>()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(text.clone(), inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A valid request with one part of it replaced or removed.
fn damaged() -> impl Strategy<Value = Value> {
    let whole = prop_oneof![
        Just(super::world::outgoing("fps/settlement/GBP")),
        Just(super::world::internal(
            "fps/settlement/GBP",
            "fps/fees/GBP",
            7
        )),
    ];
    (
        whole,
        any::<prop::sample::Index>(),
        prop::option::of(json()),
    )
        .prop_map(|(mut body, at, by)| {
            let members = body.as_object_mut().unwrap();
            let name = members.keys().nth(at.index(members.len())).unwrap().clone();
            match by {
                Some(value) => members.insert(name, value),
                None => members.remove(&name),
            };
            body
        })
}

#[test]
fn any_body_has_a_documented_answer() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let world = runtime.block_on(World::new());
    let paths: Vec<String> = posts()
        .iter()
        // Files are not JSON; what is wrong with them is tested with the batches.
        .filter(|path| *path != "/v1/batches")
        .map(|path| path.replace("{id}", "pay_00000000000000000000000000"))
        .collect();
    let number = std::cell::Cell::new(0);
    let strategy = (any::<prop::sample::Index>(), prop_oneof![json(), damaged()]);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(512));
    let outcome = runner.run(&strategy, |(path, body)| {
        number.set(number.get() + 1);
        let path = &paths[path.index(paths.len())];
        let answer =
            runtime.block_on(world.post_with(path, &format!("k{}", number.get()), body.clone()));
        prop_assert!(
            matches!(answer.status, 200 | 201 | 400 | 404 | 409 | 422),
            "{} {path} {body}",
            answer.status
        );
        if answer.status >= 400 {
            prop_assert!(answer.json()["code"].is_string());
        }
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn any_bytes_have_a_documented_answer() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let world = runtime.block_on(World::new());
    let mut runner = TestRunner::new(ProptestConfig::with_cases(256));
    let outcome = runner.run(&any::<Vec<u8>>(), |bytes| {
        let mut request = world.request("/v1/payments", "k", String::new());
        *request.body_mut() = bytes.clone().into();
        let answer = runtime.block_on(world.send(request));
        prop_assert_eq!(answer.status, 400);
        Ok(())
    });
    outcome.unwrap();
}
