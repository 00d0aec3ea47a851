//! Signed notes, checkpoints, keys, cosignatures and policies.

use lombard_core::proof::{
    Hash,
    checkpoint::{self, OpenError},
    key::{KeyError, KeyKind, Keys, PublicKey, SecretKey, parse_secret_keys},
    policy::Policy,
    text::{Proof, ProofError},
    tile::{self, Fetched},
    tree::{Head, check_inclusion, prove_inclusion},
};
use serde_json::Value;
use signed_note::{Note, Verifiers as _};
use tlog_tiles::record_hash;

use super::{grow, key, leaves};
use crate::shared;

fn head() -> Head {
    grow(&leaves(5)).0
}

#[test]
fn notes_open_as_go_opens_them() {
    let name = "notes_open_as_go_opens_them";
    let Some(text) = shared::text(name, "material/vectors/signed-note/note-open.json") else {
        return;
    };
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let signing = &vectors["sign"];
    let secret = SecretKey::parse(signing["skey"].as_str().unwrap()).unwrap();
    let note = signing["text"].as_str().unwrap().as_bytes();
    let signed = checkpoint::assemble(note, &[secret.sign(note, 0)]);
    assert_eq!(signed, signing["want"].as_str().unwrap().as_bytes());
    assert_eq!(secret.text(), signing["skey"].as_str().unwrap());
    assert_eq!(
        secret.public().to_string(),
        vectors["keys"]["peter_vkey"].as_str().unwrap()
    );
    for case in vectors["open"].as_array().unwrap() {
        let keys = case["vkeys"].as_array().unwrap().iter();
        let keys = keys.map(|key| PublicKey::parse(key.as_str().unwrap()).unwrap());
        let keys = Keys::new(keys);
        let message = unbase64(case["msg_b64"].as_str().unwrap());
        let opened = Note::from_bytes(&message).and_then(|note| note.verify(&keys));
        assert_eq!(
            opened.is_ok(),
            case["ok"].as_bool().unwrap(),
            "{}",
            case["desc"]
        );
        if let Ok((verified, unverified)) = opened {
            let names = |found: &[signed_note::Signature]| {
                Value::from(
                    found
                        .iter()
                        .map(|one| one.name().to_owned())
                        .collect::<Vec<_>>(),
                )
            };
            assert_eq!(names(&verified), case["verified"], "{}", case["desc"]);
            assert_eq!(names(&unverified), case["unverified"], "{}", case["desc"]);
        }
    }
}

fn unbase64(text: &str) -> Vec<u8> {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    BASE64_STANDARD.decode(text).unwrap()
}

#[test]
fn checkpoint_texts_are_read_as_the_vectors_say() {
    let name = "checkpoint_texts_are_read_as_the_vectors_say";
    let file = "material/vectors/signed-note/checkpoint-parse.json";
    let Some(text) = shared::text(name, file) else {
        return;
    };
    for case in serde_json::from_str::<Vec<Value>>(&text).unwrap() {
        let parsed = tlog_tiles::Checkpoint::from_bytes(case["text"].as_str().unwrap().as_bytes());
        // The vectors take any base64 for a root; C2SP and we only a SHA-256 hash.
        let hash = case["hash_b64"]
            .as_str()
            .is_some_and(|hash| Hash::parse_hash(hash).is_ok());
        let wanted = case["ok"].as_bool().unwrap() && hash;
        assert_eq!(parsed.is_ok(), wanted, "{}", case["desc"]);
    }
}

#[test]
fn a_log_of_tessera_verifies_at_every_size() {
    let name = "a_log_of_tessera_verifies_at_every_size";
    let Some(folder) = shared::path(name, "material/vectors/tlog/tessera-log") else {
        return;
    };
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let log: Value = serde_json::from_slice(&read("log.json")).unwrap();
    let keys = Keys::parse(log["vkey"].as_str().unwrap()).unwrap();
    let entries: Vec<&str> = log["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_str().unwrap())
        .collect();
    for size in 0..=entries.len() {
        let opened = checkpoint::open(&read(&format!("checkpoint.{size}")), &keys).unwrap();
        let all: Vec<Vec<u8>> = entries[..size]
            .iter()
            .map(|one| one.as_bytes().to_vec())
            .collect();
        assert_eq!(opened.head, grow(&all).0);
        if size == 0 {
            continue;
        }
        let bundle = read(&format!("tile_entries_000.p_{size}"));
        assert_eq!(tile::entries(&bundle).unwrap(), all);
        let mut tiles = Fetched::default();
        tiles.put(
            super::tile(0, 0, size as u32),
            read(&format!("tile_0_000.p_{size}")),
        );
        for (index, leaf) in (0..).zip(&all) {
            let proof = prove_inclusion(&opened.head, index, &tiles).unwrap();
            check_inclusion(&proof, &opened.head, index, record_hash(leaf)).unwrap();
        }
    }
    let signed = read("checkpoint");
    for place in 0..signed.len() {
        let mut flipped = signed.clone();
        flipped[place] ^= 1;
        assert!(checkpoint::open(&flipped, &keys).is_err(), "byte {place}");
    }
}

#[test]
fn inclusion_in_sigstore_s_log_is_judged_as_their_suite_does() {
    let name = "inclusion_in_sigstore_s_log_is_judged_as_their_suite_does";
    let Some(folder) = shared::path(name, "material/vectors/tlog/sigstore-bundles") else {
        return;
    };
    let mut judged = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".bundle.sigstore.json") {
            continue;
        }
        let bundle: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let entry = &bundle["verificationMaterial"]["tlogEntries"][0];
        judged.push((name, judge_rekor(entry).is_some()));
    }
    judged.sort();
    // The other cases that must fail do so by signatures that are not Ed25519, by certificates or
    // by times: none of ours. Their inclusion proofs are right.
    let refused: Vec<&str> = judged
        .iter()
        .filter(|(_, ok)| !ok)
        .map(|(name, _)| name.as_str())
        .collect();
    assert!(judged.len() > refused.len());
    for name in refused {
        assert!(
            name.contains("inclusion-proof_fail")
                || name.contains("v0.1")
                || name.contains("negative"),
            "{name}"
        );
    }
    let ok = |name: &str| {
        judged
            .iter()
            .any(|(known, ok)| known.starts_with(name) && *ok)
    };
    assert!(ok("happy-path-v0.2") && ok("happy-path-v0.3.") && ok("happy-path-intoto"));
    assert!(!ok("invalid-inclusion-proof_fail") && !ok("intoto-missing-inclusion-proof_fail"));
}

fn judge_rekor(entry: &Value) -> Option<()> {
    let proof = &entry["inclusionProof"];
    let number = |value: &Value| value.as_str()?.parse::<u64>().ok();
    let (origin, head) =
        checkpoint::peek(proof["checkpoint"]["envelope"].as_str()?.as_bytes()).ok()?;
    let root = Hash::parse_hash(proof["rootHash"].as_str()?).ok()?;
    if !origin.starts_with("rekor") || head.root != root || number(&proof["treeSize"])? != head.size
    {
        return None;
    }
    number(&entry["logIndex"])?;
    let hashes = proof["hashes"].as_array()?.iter();
    let path: Vec<Hash> = hashes
        .map(|hash| Hash::parse_hash(hash.as_str()?).ok())
        .collect::<Option<_>>()?;
    let leaf = record_hash(&unbase64(entry["canonicalizedBody"].as_str()?));
    check_inclusion(&path, &head, number(&proof["logIndex"])?, leaf).ok()
}

#[test]
fn the_example_of_the_specification_is_reproduced() {
    let key =
        PublicKey::parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
            .unwrap();
    let note = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    let keys = Keys::new([key]);
    assert!(keys.verifier("example.com/foo", 0x530d_903a).is_ok());
    assert!(
        Note::from_bytes(note.as_bytes())
            .unwrap()
            .verify(&keys)
            .is_ok()
    );
}

#[test]
fn keys_are_read_back_and_rubbish_is_not_a_key() {
    for kind in [KeyKind::Log, KeyKind::Witness] {
        let secret = key("example.com/log", kind, 7);
        let text = secret.text();
        assert_eq!(
            parse_secret_keys(&format!("# the key\n\n{text}\n")).unwrap()[0].text(),
            text
        );
        assert_eq!(
            PublicKey::parse(&secret.public().to_string()),
            Ok(secret.public())
        );
        assert!(!format!("{secret:?}").contains(&text[40..]));
        let other_name = text.replace("example.com/log", "example.com/lug");
        assert_eq!(
            SecretKey::parse(&other_name).unwrap_err(),
            KeyError::WrongId
        );
    }
    // Type 6 is ML-DSA-44; the weak key is the neutral point, under which anything verifies.
    let unknown = PublicKey::parse("a+00000000+BgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(unknown, Err(KeyError::UnknownType(6)));
    let weak = PublicKey::parse("a+00000000+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(weak, Err(KeyError::Malformed));
    for bad in ["", "a", "a+b+c", "PRIVATE+KEY+a", "a b+00000000+AQ=="] {
        assert!(
            PublicKey::parse(bad).is_err() && SecretKey::parse(bad).is_err(),
            "{bad}"
        );
    }
    assert_eq!(Keys::parse("# none\n"), Err(KeyError::Empty));
    assert!(SecretKey::from_seed("two words", KeyKind::Log, &[0; 32]).is_err());
}

#[test]
fn a_checkpoint_is_signed_by_old_and_new_key_during_a_rotation() {
    let (old, new) = (
        key("log.example", KeyKind::Log, 1),
        key("log.example", KeyKind::Log, 2),
    );
    let text = checkpoint::text("log.example", &head());
    let signed = checkpoint::assemble(&text, &[old.sign(&text, 0), new.sign(&text, 0)]);
    for trusted in [
        vec![old.public()],
        vec![new.public()],
        vec![old.public(), new.public()],
    ] {
        let opened = checkpoint::open(&signed, &Keys::new(trusted.clone())).unwrap();
        assert_eq!((opened.head, opened.signed_by), (head(), trusted));
    }
    let stranger = Keys::new([key("log.example", KeyKind::Log, 3).public()]);
    assert_eq!(
        checkpoint::open(&signed, &stranger),
        Err(OpenError::Unsigned)
    );
    assert_eq!(checkpoint::split(&signed).unwrap().0, text);
    assert_eq!(checkpoint::split(&signed).unwrap().1.len(), 2);
}

#[test]
fn a_checkpoint_speaks_for_its_own_log_and_needs_the_log_s_own_signature() {
    let log = key("log.example", KeyKind::Log, 1);
    let text = checkpoint::text("another.example", &head());
    let signed = checkpoint::assemble(&text, &[log.sign(&text, 0)]);
    let wrong = Err(OpenError::WrongOrigin {
        origin: "another.example".to_owned(),
    });
    assert_eq!(checkpoint::open(&signed, &Keys::new([log.public()])), wrong);
    let witness = key("log.example", KeyKind::Witness, 2);
    let text = checkpoint::text("log.example", &head());
    let cosigned = checkpoint::assemble(&text, &[witness.sign(&text, 9)]);
    assert_eq!(
        checkpoint::open(&cosigned, &Keys::new([witness.public()])),
        Err(OpenError::Unsigned)
    );
}

#[test]
fn a_cosignature_binds_its_time() {
    let (log, witness) = (
        key("log.example", KeyKind::Log, 1),
        key("w.example", KeyKind::Witness, 2),
    );
    let text = checkpoint::text("log.example", &head());
    let keys = Keys::new([log.public(), witness.public()]);
    let signed = checkpoint::assemble(
        &text,
        &[log.sign(&text, 0), witness.sign(&text, 1_700_000_000)],
    );
    assert_eq!(checkpoint::open(&signed, &keys).unwrap().signed_by.len(), 2);
    let good = witness.sign(&text, 1_700_000_000);
    let mut bytes = good.signature().to_vec();
    assert_eq!(bytes.len(), 72);
    bytes[7] ^= 1;
    let later = signed_note::Signature::new("w.example".to_owned(), good.id(), bytes).unwrap();
    let forged = checkpoint::assemble(&text, &[log.sign(&text, 0), later]);
    let wrong = OpenError::BadSignature {
        name: "w.example".to_owned(),
        id: good.id(),
    };
    assert_eq!(checkpoint::open(&forged, &keys), Err(wrong));
}

#[test]
fn a_policy_counts_witnesses_and_groups() {
    let witness = |seed| key(&format!("w{seed}.example"), KeyKind::Witness, seed).public();
    let text = format!(
        "# ours\nlog {}\nwitness a {}\nwitness b {} https://b\nwitness c {}\n\
         group ab any a b\ngroup two 2 ab c\nquorum two\n",
        key("log.example", KeyKind::Log, 9).public(),
        witness(1),
        witness(2),
        witness(3),
    );
    let policy = Policy::parse(&text).unwrap();
    assert!(policy.is_met_by(&[witness(1), witness(3)]));
    assert!(!policy.is_met_by(&[witness(1), witness(2)]));
    assert!(!policy.is_met_by(&[]));
    assert_eq!(policy.witnesses[1].url.as_deref(), Some("https://b"));
    assert!(Policy::parse("quorum none").unwrap().is_met_by(&[]));
    for (bad, line) in [
        (text.replace("quorum two\n", ""), 0),
        (text.replace("quorum two", "quorum three"), 8),
        (text.replace("2 ab c", "3 ab c"), 7),
        (text.replace("any a b", "any a a"), 6),
        (
            text.replace(&witness(2).to_string(), &witness(1).to_string()),
            4,
        ),
        (format!("{text}quorum none\n"), 9),
    ] {
        assert_eq!(Policy::parse(&bad).unwrap_err().line, line, "{bad}");
    }
}

#[test]
fn a_proof_in_a_file_proves_its_leaf_and_nothing_else() {
    let all = leaves(300);
    let (head, tiles) = grow(&all);
    let log = key("log.example", KeyKind::Log, 1);
    let keys = Keys::new([log.public()]);
    let text = checkpoint::text("log.example", &head);
    let proof = Proof {
        leaf: all[7].clone(),
        index: 7,
        path: prove_inclusion(&head, 7, &tiles).unwrap(),
        checkpoint: checkpoint::assemble(&text, &[log.sign(&text, 0)]),
    };
    let file = proof.to_text();
    assert!(file.starts_with("c2sp.org/tlog-proof@v1\nextra AAAABw==\nindex 7\n"));
    assert_eq!(Proof::parse(&file), Ok(proof.clone()));
    assert_eq!(proof.verify(&keys).unwrap().head, head);
    let other = Proof {
        leaf: all[8].clone(),
        ..proof.clone()
    };
    assert!(matches!(other.verify(&keys), Err(ProofError::NotProven(_))));
    for bad in ["index 07", "index -1", "index"] {
        assert_eq!(
            Proof::parse(&file.replace("index 7", bad)),
            Err(ProofError::Malformed)
        );
    }
}
