//! The witness over HTTP: what it answers, what it remembers, and that it catches a split view.

use std::{fs, path::Path, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use http_body_util::BodyExt;
use lombard_core::proof::{
    checkpoint,
    key::{KeyKind, Keys, SecretKey},
    tile::Fetched,
    tree::{Edge, Head, prove_consistency},
    witness::AddCheckpoint,
};
use lombard_service::proof::witness::{Witness, WitnessError, router};
use tlog_tiles::record_hash;
use tower::ServiceExt;

use super::{ORIGIN, log_key};
use crate::support::TestHost;

fn witness_key() -> SecretKey {
    SecretKey::from_seed("w.example", KeyKind::Witness, &[4; 32]).unwrap()
}

fn open(file: &Path, new: bool) -> Result<Witness, WitnessError> {
    let logs = Keys::new([log_key().public()]);
    Witness::open(
        logs,
        vec![witness_key()],
        file,
        new,
        Arc::new(TestHost::default()),
    )
}

/// A log of `size` leaves of which the fourth says `fourth`.
fn grown(size: u64, fourth: &str) -> (Head, Fetched) {
    let mut edge = Edge::default();
    for n in 0..size {
        let leaf = if n == 3 {
            fourth.to_owned()
        } else {
            n.to_string()
        };
        edge.push(record_hash(leaf.as_bytes()), &mut |_, _: &[u8]| ());
    }
    let mut tiles = Fetched::default();
    for (tile, data) in edge.tiles() {
        tiles.put(tile, data.to_vec());
    }
    (edge.head(), tiles)
}

fn request(old: u64, size: u64, fourth: &str) -> Vec<u8> {
    let (head, tiles) = grown(size, fourth);
    let text = checkpoint::text(ORIGIN, &head);
    let proof = prove_consistency(&head, old, &tiles).unwrap_or_default();
    AddCheckpoint {
        old_size: old,
        proof,
        checkpoint: checkpoint::assemble(&text, &[log_key().sign(&text, 0)]),
    }
    .to_bytes()
}

async fn ask(router: &Router, body: Vec<u8>) -> (u16, String, Vec<u8>) {
    let request = Request::post("/add-checkpoint")
        .body(Body::from(body))
        .unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    let kind = answer.headers()[header::CONTENT_TYPE]
        .to_str()
        .unwrap()
        .to_owned();
    let status = answer.status().as_u16();
    let body = answer
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes()
        .to_vec();
    (status, kind, body)
}

#[tokio::test]
async fn it_cosigns_growth_and_remembers_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let witness = router(Arc::new(open(&file, true).unwrap()));
    let (status, _, line) = ask(&witness, request(0, 5, "3")).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&line));
    let (head, _) = grown(5, "3");
    let text = checkpoint::text(ORIGIN, &head);
    let mut note = checkpoint::assemble(&text, &[log_key().sign(&text, 0)]);
    note.extend_from_slice(&line);
    let keys = Keys::new([log_key().public(), witness_key().public()]);
    assert_eq!(checkpoint::open(&note, &keys).unwrap().signed_by.len(), 2);

    let again = router(Arc::new(open(&file, false).unwrap()));
    let conflict = (409, "text/x.tlog.size".to_owned(), b"5\n".to_vec());
    assert_eq!(ask(&again, request(0, 9, "3")).await, conflict);
    assert_eq!(ask(&again, request(5, 9, "3")).await.0, 200);

    let hash = "/5f1f0d0c".to_owned();
    let unknown = Request::get(format!("{hash}/checkpoint"))
        .body(Body::empty())
        .unwrap();
    assert_eq!(again.clone().oneshot(unknown).await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_split_view_under_the_log_s_own_key_is_caught() {
    let folder = tempfile::tempdir().unwrap();
    let witness = router(Arc::new(open(&folder.path().join("state"), true).unwrap()));
    assert_eq!(
        ask(&witness, request(0, 6, "what one was shown")).await.0,
        200
    );
    assert_eq!(
        ask(&witness, request(6, 9, "what another was shown"))
            .await
            .0,
        422
    );
    assert_eq!(
        ask(&witness, request(6, 6, "what another was shown"))
            .await
            .0,
        422
    );
    assert_eq!(
        ask(&witness, request(6, 9, "what one was shown")).await.0,
        200
    );
    assert_eq!(ask(&witness, b"old 6\n\nrubbish".to_vec()).await.0, 400);
}

#[test]
fn it_does_not_begin_anew_by_accident() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    assert!(
        matches!(open(&file, false), Err(WitnessError::File(_))),
        "no state"
    );
    open(&file, true).unwrap();
    assert!(
        matches!(open(&file, true), Err(WitnessError::File(_))),
        "there is one"
    );
    fs::write(&file, "{").unwrap();
    assert!(matches!(open(&file, false), Err(WitnessError::Damaged)));
    let logs = Keys::new([log_key().public()]);
    let host = Arc::new(TestHost::default());
    let wrong = Witness::open(
        logs,
        vec![log_key()],
        &folder.path().join("other"),
        true,
        host,
    );
    assert!(matches!(wrong, Err(WitnessError::Keys)));
}
