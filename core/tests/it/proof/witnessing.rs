//! What a witness cosigns and what it refuses, with the status that the specification gives.

use lombard_core::proof::{
    checkpoint,
    key::{KeyKind, Keys, SecretKey},
    tree::{Head, prove_consistency},
    witness::{AddCheckpoint, Refusal},
};

use super::{grow, key, leaves};

fn log() -> SecretKey {
    key("log.example", KeyKind::Log, 1)
}

fn signed(head: &Head, by: &SecretKey) -> Vec<u8> {
    let text = checkpoint::text("log.example", head);
    checkpoint::assemble(&text, &[by.sign(&text, 0)])
}

fn ask(old: u64, new: u32) -> AddCheckpoint {
    let (head, tiles) = grow(&leaves(new));
    let proof = match old {
        0 => Vec::new(),
        old => prove_consistency(&head, old, &tiles).unwrap_or_default(),
    };
    AddCheckpoint {
        old_size: old,
        proof,
        checkpoint: signed(&head, &log()),
    }
}

fn known(size: u32) -> Option<Head> {
    Some(grow(&leaves(size)).0)
}

fn status(request: &AddCheckpoint, known: Option<Head>) -> u16 {
    let keys = Keys::new([log().public()]);
    // Over the wire and back, as it really goes.
    let request = AddCheckpoint::parse(&request.to_bytes()).unwrap();
    match request.decide(&keys, known) {
        Ok(accepted) => {
            assert_eq!(accepted.origin, "log.example");
            200
        }
        Err(refusal) => refusal.status(),
    }
}

#[test]
fn growth_is_cosigned_from_whatever_is_known() {
    assert_eq!(status(&ask(0, 5), None), 200);
    assert_eq!(status(&ask(0, 0), None), 200);
    assert_eq!(status(&ask(5, 300), known(5)), 200);
    assert_eq!(status(&ask(5, 5), known(5)), 200);
}

#[test]
fn another_size_is_a_conflict_that_tells_the_size() {
    let keys = Keys::new([log().public()]);
    assert_eq!(ask(3, 9).decide(&keys, known(5)), Err(Refusal::Conflict(5)));
    assert_eq!(ask(3, 9).decide(&keys, None), Err(Refusal::Conflict(0)));
}

#[test]
fn a_rewritten_log_is_not_cosigned() {
    // Two logs under one key that part at leaf 3: a split view.
    let mut other = leaves(9);
    other[3] = b"rewritten".to_vec();
    let (head, tiles) = grow(&other);
    let forked = AddCheckpoint {
        old_size: 5,
        proof: prove_consistency(&head, 5, &tiles).unwrap(),
        checkpoint: signed(&head, &log()),
    };
    assert_eq!(status(&forked, known(5)), 422);
    let same_size = AddCheckpoint {
        old_size: 9,
        proof: Vec::new(),
        checkpoint: signed(&head, &log()),
    };
    assert_eq!(status(&same_size, known(9)), 422);
    let mut idle = ask(0, 5);
    idle.proof = vec![head.root];
    assert_eq!(status(&idle, None), 422);
    let empty = Head {
        size: 0,
        root: head.root,
    };
    let hollow = AddCheckpoint {
        old_size: 0,
        proof: Vec::new(),
        checkpoint: signed(&empty, &log()),
    };
    assert_eq!(status(&hollow, None), 422);
}

#[test]
fn who_signs_is_checked_before_what_is_signed() {
    let mut unsigned = ask(0, 5);
    unsigned.checkpoint = signed(&grow(&leaves(5)).0, &key("log.example", KeyKind::Log, 2));
    assert_eq!(status(&unsigned, None), 403);
    let stranger = key("stranger.example", KeyKind::Log, 1);
    let text = checkpoint::text("stranger.example", &grow(&leaves(5)).0);
    unsigned.checkpoint = checkpoint::assemble(&text, &[stranger.sign(&text, 0)]);
    assert_eq!(status(&unsigned, None), 404);
    assert_eq!(status(&ask(9, 5), known(5)), 400, "shrinking");
}

#[test]
fn rubbish_is_not_a_request() {
    let good = String::from_utf8(ask(5, 300).to_bytes()).unwrap();
    for bad in [
        String::new(),
        good.replace("old 5", "old 05"),
        good.replace("old 5", "old +5"),
        good.replace("old 5\n", "5\n"),
        good.replacen("\n\n", "\n", 1).replace("\n\n", "\n"),
        good.replace(
            "old 5\n",
            &format!("old 5\n{}", "bm90IGEgaGFzaA==\n".repeat(2)),
        ),
        good.replace(
            "old 5\n",
            &format!("old 5\n{}", format!("{}\n", Head::EMPTY.root).repeat(64)),
        ),
    ] {
        assert_eq!(
            AddCheckpoint::parse(bad.as_bytes()),
            Err(Refusal::Malformed),
            "{bad}"
        );
    }
}
