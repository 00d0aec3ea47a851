//! Data keys wrapped by KMS, and checkpoints signed by it: against a model of KMS in this process, and
//! against whatever `LOMBARD_AWS_ENDPOINT` names beside it.

pub mod model;

use std::sync::Arc;

use lombard_aws::{
    call::Caller,
    kms::{KmsKeys, UnfitKey},
    meter::Meter,
    residency::Residency,
    signing::KmsLogKeys,
};
use lombard_core::{
    id::Id,
    proof::{checkpoint, key::Keys as Trusted, tree::Head},
    tenant::TenantId,
    time::Timestamp,
};
use lombard_service::{
    memory::Memory,
    proof::keys::LogKeys,
    vault::{
        Subjects,
        keys::{Context, Keys, KeysError},
        subjects::USES_MAX,
    },
};
use model::Model;

use crate::support::{configure, endpoint_outside, host};

const ORIGIN: &str = "lombard/test";

fn somebody(tenant: u32, subject: &str) -> Context {
    Context {
        tenant: TenantId::new(tenant.into()),
        subject: subject.to_owned(),
    }
}

async fn open(endpoint: &str, key: &str) -> Result<(KmsKeys, Arc<Meter>), UnfitKey> {
    let (config, meter) = (configure(endpoint).await, Arc::new(Meter::default()));
    let london = Residency::default();
    let keys = KmsKeys::open(&config, key, &london, host(), meter.clone()).await;
    keys.map(|keys| (keys, meter))
}

fn calls(meter: &Meter, name: &str) -> u64 {
    let sums = meter.sums();
    let of = sums.iter().filter(|(by, _)| by.name == name);
    of.map(|(_, sum)| sum.calls).sum()
}

#[tokio::test]
async fn a_data_key_opens_for_its_subject_alone() {
    let model = Model::serve().await;
    let (keys, meter) = open(&model.url, model::SEAL).await.expect("it fits");
    let ann = somebody(1, "sub_ann");
    let (key, wrapped) = keys.generate(&ann).await.expect("a key");
    let opened = keys.unwrap(&ann, &wrapped).await.expect("it opens");
    assert_eq!(opened.bytes(), key.bytes());
    for other in [somebody(2, "sub_ann"), somebody(1, "sub_bob")] {
        let refused = keys.unwrap(&other, &wrapped).await;
        assert!(matches!(refused, Err(KeysError::NotGenuine)), "{refused:?}");
    }
    let mut changed = wrapped.clone();
    changed.data.replace_range(
        20..21,
        if &wrapped.data[20..21] == "A" {
            "B"
        } else {
            "A"
        },
    );
    let refused = keys.unwrap(&ann, &changed).await;
    assert!(matches!(refused, Err(KeysError::NotGenuine)), "{refused:?}");
    // One of another vault, moved in.
    let moved = keys.wrap(&ann, &key).await.expect("wrapped");
    let opened = keys.unwrap(&ann, &moved).await.expect("it opens");
    assert_eq!(opened.bytes(), key.bytes());
    // A key that is switched off for a while is no erasure.
    model.disable(true);
    let patient = tokio::time::Instant::now() + std::time::Duration::from_millis(200);
    let refused = lombard_aws::deadline::by(patient, keys.unwrap(&ann, &wrapped)).await;
    assert!(
        matches!(refused, Err(KeysError::Unavailable(_))),
        "{refused:?}"
    );
    model.disable(false);
    assert!(keys.unwrap(&ann, &wrapped).await.is_ok());
    let refused_too = calls(&meter, "Decrypt");
    assert_eq!((calls(&meter, "GenerateDataKey"), refused_too), (1, 7));
}

#[tokio::test]
async fn a_rotation_wraps_anew_and_what_was_wrapped_opens_throughout() {
    let model = Model::serve().await;
    let (keys, _) = open(&model.url, model::SEAL).await.expect("it fits");
    let ann = somebody(1, "sub_ann");
    let (key, first) = keys.generate(&ann).await.expect("a key");
    assert_eq!(
        keys.rewrap(&ann, &first).await.expect("asked"),
        None,
        "it is the newest"
    );
    let made = keys
        .rotate(Timestamp::from_unix_ms(1))
        .await
        .expect("rotated");
    assert_ne!(made.id, first.key);
    assert_eq!(keys.describe().await.expect("told")[0].id, made.id);
    let second = keys
        .rewrap(&ann, &first)
        .await
        .expect("asked")
        .expect("anew");
    assert_eq!(second.key, made.id);
    for wrapped in [&first, &second] {
        let opened = keys.unwrap(&ann, wrapped).await.expect("it opens");
        assert_eq!(opened.bytes(), key.bytes());
    }
    assert_eq!(keys.rewrap(&ann, &second).await.expect("asked"), None);
    let refused = keys.rewrap(&somebody(1, "sub_bob"), &first).await;
    assert!(matches!(refused, Err(KeysError::NotGenuine)), "{refused:?}");
}

#[tokio::test]
async fn only_keys_of_this_region_and_usage_are_taken() {
    let model = Model::serve().await;
    for (key, why) in [
        (model::SIGN, "of another usage"),
        (model::ABROAD, "is in the region"),
        (model::COPIED, "several regions"),
        ("nobody", "not there"),
    ] {
        let refused = open(&model.url, key).await.map(|_| ());
        let refused = refused.expect_err(key).to_string();
        assert!(refused.contains(why), "{key}: {refused}");
    }
    model.disable(true);
    let refused = open(&model.url, model::SEAL).await.map(|_| ());
    assert!(refused.is_err_and(|it| it.to_string().contains("not enabled")));
}

#[tokio::test]
async fn a_remembered_key_is_asked_for_again_after_so_many_uses() {
    let model = Model::serve().await;
    let (keys, meter) = open(&model.url, model::SEAL).await.expect("it fits");
    let store = Arc::new(Memory::default());
    let subjects = Subjects::new(store, Arc::new(keys), host());
    let subject = subjects.draft(TenantId::new(1), Id::of_name("ann")).await;
    let subject = subject.expect("a key");
    for _ in 0..=USES_MAX {
        subjects.newest(&subject).await.expect("it opens");
    }
    assert_eq!(calls(&meter, "Decrypt"), 1);
    subjects.forget(subject.tenant, subject.id);
    subjects.newest(&subject).await.expect("it opens");
    assert_eq!(calls(&meter, "Decrypt"), 2);
}

#[tokio::test]
async fn a_checkpoint_is_signed_as_anybody_verifies_it() {
    let model = Model::serve().await;
    let config = configure(&model.url).await;
    let meter = Arc::new(Meter::default());
    let caller = Caller::new(host(), meter.clone());
    let signer = KmsLogKeys::open(&config, model::SIGN, ORIGIN, caller).await;
    let signer = signer.expect("it fits");
    let text = checkpoint::text(ORIGIN, &Head::EMPTY);
    let signed = signer.sign(&text).await.expect("signed");
    let note = checkpoint::assemble(&text, &signed);
    let opened = checkpoint::open(&note, &Trusted::new(signer.public()));
    assert_eq!(opened.expect("it verifies").head, Head::EMPTY);
    let counted = (calls(&meter, "GetPublicKey"), calls(&meter, "Sign"));
    assert_eq!(counted, (1, 1));
    // What does not verify is not given away.
    model.lie(true);
    assert!(signer.sign(&text).await.is_err());
}

/// An emulator outside: MiniStack's KMS holds contexts apart, and has neither integrity nor `ReEncrypt`.
#[tokio::test]
async fn data_keys_are_wrapped_at_the_endpoint_outside_if_there_is_one() {
    let Some(endpoint) = endpoint_outside() else {
        return; // The model above was held to more.
    };
    let client = aws_sdk_kms::Client::new(&configure(&endpoint).await);
    let Ok(made) = client.create_key().send().await else {
        return; // A DynamoDB alone has no keys.
    };
    let made = made.key_metadata.expect("a key");
    let (keys, _) = open(&endpoint, made.key_id()).await.expect("it fits");
    let ann = somebody(1, "sub_ann");
    let (key, wrapped) = keys.generate(&ann).await.expect("a key");
    let opened = keys.unwrap(&ann, &wrapped).await.expect("it opens");
    assert_eq!(opened.bytes(), key.bytes());
    assert!(
        keys.unwrap(&somebody(1, "sub_bob"), &wrapped)
            .await
            .is_err()
    );
    let moved = keys.wrap(&ann, &key).await.expect("wrapped");
    let opened = keys.unwrap(&ann, &moved).await.expect("it opens");
    assert_eq!(opened.bytes(), key.bytes());
}
