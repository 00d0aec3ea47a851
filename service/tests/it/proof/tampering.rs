//! Every way to tamper with a log, and the name by which it is found.

use std::{
    fs,
    path::Path,
    sync::{Arc, atomic::AtomicU64},
};

use lombard_core::{
    currency::Currency,
    ledger::{Balance, Rollup},
    proof::{
        checkpoint,
        key::{KeyKind, Keys, SecretKey},
        leaf::{Leaf, TransactionLeaf},
        policy::Policy,
        tile,
        tree::{Edge, Head},
    },
    store::decode,
};
use lombard_service::{
    ports::Store,
    proof::{
        Blobs,
        blobs::{Folder, MemoryBlobs},
        growth::leaves_of,
        head::{self, HeadRecord},
        log::CHECKPOINT,
        publisher::Publisher,
        verify::{Demands, FolderSource, Report, StoreView, Verdict, verify},
    },
};
use tlog_tiles::record_hash;

use super::{ORIGIN, commit, drain, log_in, log_key, memory, sequencer, tenant, transaction};
use crate::support::TestHost;

/// Leaves of the log that is tampered with: two full bundles and a part-filled one.
const SIZE: u64 = 600;

struct Made {
    folder: tempfile::TempDir,
    store: Arc<lombard_service::memory::Memory>,
    /// A checkpoint of an earlier time.
    early: Head,
}

impl Made {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = memory();
        let early = Self::grow(&folder, &store, 1..301).await;
        Self::grow(&folder, &store, 301..SIZE + 1).await;
        Self {
            folder,
            store,
            early,
        }
    }

    async fn grow(
        folder: &tempfile::TempDir,
        store: &Arc<lombard_service::memory::Memory>,
        numbers: std::ops::Range<u64>,
    ) -> Head {
        let log = log_in(Arc::new(Folder::open(folder.path()).unwrap()));
        commit(store.as_ref(), numbers).await;
        drain(&mut sequencer(store.clone(), log.clone())).await;
        let found = store.get(&[head::key()]).await.unwrap().pop().flatten();
        let head = HeadRecord::of(found.as_ref(), 1).head().unwrap();
        let mut publisher = Publisher::new(Arc::new(TestHost::default()), log).unwrap();
        publisher.publish(&head).await.unwrap();
        head
    }

    fn edit(&self, name: &str, edit: impl FnOnce(&mut Vec<u8>)) {
        let path = self.folder.path().join(name);
        let mut bytes = fs::read(&path).unwrap();
        edit(&mut bytes);
        fs::write(&path, bytes).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.folder.path().join(name)).unwrap();
    }

    fn demands(&self) -> Demands {
        Demands {
            keys: Keys::new([log_key().public()]),
            policy: None,
            since: Some(self.early),
            threads: 2,
        }
    }

    fn verify_with(&self, demands: &Demands) -> Report {
        let source = FolderSource(self.folder.path().to_owned());
        verify(&source, demands, None, &AtomicU64::new(0))
    }

    /// Kinds and places of what is found.
    fn found(&self) -> Vec<(&'static str, String)> {
        found(&self.verify_with(&self.demands()))
    }

    async fn view(&self) -> StoreView {
        let mut view = StoreView::default();
        let mut balances = balances();
        for commit in self.store.changes(0, 0, usize::MAX, 0).await.unwrap() {
            for change in commit.changes.iter() {
                let Some(record) = &change.record else {
                    continue;
                };
                if change.key.sort() == "txn" {
                    let transaction = decode(&record.body.bytes);
                    view.transaction(tenant(), &transaction);
                    for balance in &mut balances {
                        balance.enter(&transaction).unwrap();
                    }
                }
                if change.key == head::key() {
                    view.head(decode(&record.body.bytes));
                }
            }
        }
        for balance in balances {
            view.balance(tenant(), balance);
        }
        view
    }

    async fn report_with_store(&self) -> Report {
        self.report_with(self.view().await)
    }

    fn report_with(&self, view: StoreView) -> Report {
        let source = FolderSource(self.folder.path().to_owned());
        let mut view = Some(view);
        let mut read = |_: &mut Report| view.take();
        verify(
            &source,
            &self.demands(),
            Some(&mut read),
            &AtomicU64::new(0),
        )
    }

    async fn found_with_store(&self) -> Vec<(&'static str, String)> {
        found(&self.report_with_store().await)
    }
}

/// The accounts of [`transaction`], with nothing on them.
fn balances() -> [Balance; 2] {
    let at = transaction(1).at;
    let accounts = transaction(1).accounts();
    [accounts[0], accounts[1]].map(|id| Balance::opening(id, Currency::GBP, at))
}

fn found(report: &Report) -> Vec<(&'static str, String)> {
    report
        .problems
        .iter()
        .map(|it| (it.kind, it.place.clone()))
        .collect()
}

fn named<'a>(all: &'a [(&'static str, &'a str)]) -> Vec<(&'static str, String)> {
    all.iter()
        .map(|(kind, place)| (*kind, (*place).to_owned()))
        .collect()
}

#[tokio::test]
async fn an_untouched_log_is_sound_also_against_its_store() {
    let made = Made::new().await;
    let report = made.verify_with(&made.demands());
    assert_eq!(report.verdict(), Verdict::Sound, "{report:?}");
    assert_eq!((report.size, report.accounts), (Some(SIZE), 2));
    assert_eq!(made.found_with_store().await, []);
}

#[tokio::test]
async fn every_flipped_byte_of_every_file_is_found() {
    let made = Made::new().await;
    let mut files = Vec::new();
    list(made.folder.path(), &mut files);
    files.retain(|file| file.contains("/tile/") || file.ends_with("/checkpoint"));
    assert!(files.len() >= 10, "{files:?}");
    for file in files {
        let name = file
            .strip_prefix(made.folder.path().to_str().unwrap())
            .unwrap()[1..]
            .to_owned();
        let length = fs::read(&file).unwrap().len();
        // Every byte of a small file, some of a large one.
        for place in (0..length).step_by((length / 5).max(1)) {
            made.edit(&name, |bytes| bytes[place] ^= 1);
            let found = made.found();
            assert!(!found.is_empty(), "byte {place} of {name}");
            made.edit(&name, |bytes| bytes[place] ^= 1);
        }
    }
    assert_eq!(made.found(), []);
}

fn list(folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(&path, files);
        } else {
            files.push(path.to_str().unwrap().to_owned());
        }
    }
}

#[tokio::test]
async fn what_was_changed_is_named_with_its_place() {
    let made = Made::new().await;
    type Edit = fn(&mut Vec<u8>);
    type Case<'a> = (&'a str, Edit, Vec<(&'static str, String)>);
    let flip: Edit = |bytes| bytes[100] ^= 1;
    let cases: [Case<'_>; 9] = [
        ("tile/entries/000", flip, named(&[("entry_hash", "leaf 0")])),
        (
            "tile/entries/002.p/88",
            flip,
            named(&[("entry_hash", "leaf 512")]),
        ),
        ("tile/0/001", flip, named(&[("tile_hash", "tile/0/001")])),
        (
            "tile/0/002.p/88",
            flip,
            named(&[("tile_hash", "tile/0/002.p/88")]),
        ),
        (
            "tile/1/000.p/2",
            |bytes| bytes[40] ^= 1,
            named(&[("tile_hash", "tile/1/000.p/2")]),
        ),
        (
            "tile/entries/001",
            swap_entries,
            named(&[("entry_hash", "leaf 259"), ("entry_hash", "leaf 260")]),
        ),
        (
            "tile/entries/001",
            |bytes| bytes.truncate(bytes.len() - 3),
            named(&[("bundle_malformed", "tile/entries/001")]),
        ),
        (
            "tile/entries/001",
            drop_entry,
            named(&[("bundle_length", "tile/entries/001")]),
        ),
        (
            "tile/0/000",
            |bytes| bytes.truncate(64),
            named(&[("tile_length", "tile/0/000")]),
        ),
    ];
    for (name, edit, wanted) in cases {
        let good = fs::read(made.folder.path().join(name)).unwrap();
        made.edit(name, edit);
        assert_eq!(made.found(), wanted, "{name}");
        fs::write(made.folder.path().join(name), good).unwrap();
    }
    assert_eq!(made.found(), []);
}

/// Two entries of the same length change places.
fn swap_entries(bytes: &mut Vec<u8>) {
    let entries: Vec<Vec<u8>> = tile::entries(bytes)
        .unwrap()
        .into_iter()
        .map(<[u8]>::to_vec)
        .collect();
    bytes.clear();
    for place in 0..entries.len() {
        let from = match place {
            3 => 4,
            4 => 3,
            other => other,
        };
        tile::append(bytes, &entries[from]);
    }
}

fn drop_entry(bytes: &mut Vec<u8>) {
    let length = tile::entries(bytes).unwrap()[0].len() + 2;
    bytes.drain(..length);
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let made = Made::new().await;
    for (name, kind) in [
        ("tile/entries/000", "bundle_missing"),
        ("tile/entries/002.p/88", "bundle_missing"),
        ("tile/0/001", "tile_missing"),
        ("tile/1/000.p/2", "tile_missing"),
        ("checkpoint", "checkpoint_missing"),
    ] {
        let good = fs::read(made.folder.path().join(name)).unwrap();
        made.remove(name);
        assert_eq!(made.found(), named(&[(kind, name)]));
        fs::write(made.folder.path().join(name), good).unwrap();
    }
    made.remove("tile/0/001");
    made.remove("tile/entries/001");
    assert_eq!(
        made.found(),
        named(&[
            ("tile_missing", "tile/0/001"),
            ("bundle_missing", "tile/entries/001")
        ])
    );
    let stray = made.folder.path().join("tile/0/notes.txt");
    fs::write(&stray, "here").unwrap();
    assert!(
        made.found()
            .contains(&("unexpected_file", "tile/0/notes.txt".to_owned()))
    );
}

/// A log of these leaves, made by whoever has the key, in place of the true one.
fn forge(made: &Made, leaves: &[Vec<u8>], key: &SecretKey) {
    let tiles = made.folder.path().join("tile");
    fs::remove_dir_all(&tiles).unwrap();
    let put = |name: String, bytes: &[u8]| {
        let path = made.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let mut edge = Edge::default();
    for leaf in leaves {
        edge.push(record_hash(leaf), &mut |tile, data: &[u8]| {
            put(tile::path(&tile), data)
        });
    }
    for (tile, data) in edge.tiles() {
        put(tile::path(&tile), data);
    }
    for (n, chunk) in leaves.chunks(256).enumerate() {
        let mut bundle = Vec::new();
        for leaf in chunk {
            tile::append(&mut bundle, leaf);
        }
        put(
            tile::path(&tile::bundle(n as u64, chunk.len() as u64)),
            &bundle,
        );
    }
    let text = checkpoint::text(ORIGIN, &edge.head());
    let signed = checkpoint::assemble(&text, &[key.sign(&text, 0)]);
    put(CHECKPOINT.to_owned(), &signed);
}

fn leaf(n: u64) -> Vec<u8> {
    Leaf::Transaction(TransactionLeaf::of(tenant(), &transaction(n))).encode()
}

fn all() -> Vec<Vec<u8>> {
    (1..=SIZE).map(leaf).collect()
}

#[tokio::test]
async fn a_log_that_its_own_operator_rewrote_is_found_by_what_was_remembered_or_stored() {
    let made = Made::new().await;
    let kinds = |found: Vec<(&'static str, String)>| {
        let mut kinds: Vec<_> = found.into_iter().map(|(kind, _)| kind).collect();
        kinds.dedup();
        kinds
    };
    forge(&made, &all(), &log_key());
    assert_eq!(made.found(), [], "the forger can make the true log");

    forge(
        &made,
        &all(),
        &SecretKey::from_seed(ORIGIN, KeyKind::Log, &[8; 32]).unwrap(),
    );
    assert_eq!(
        made.found(),
        named(&[("checkpoint_unsigned", "checkpoint")])
    );

    // The tail cut off, with a valid signature under what is left.
    forge(&made, &all()[..200], &log_key());
    assert_eq!(made.found(), named(&[("truncated", "checkpoint")]));
    forge(&made, &all()[..400], &log_key());
    assert_eq!(made.found(), [], "an honest log looked like this once");
    assert_eq!(kinds(made.found_with_store().await), ["truncated"]);

    // The last of an account's entries changed in the first part: history was rewritten.
    let mut rewritten = all();
    rewritten[200] = String::from_utf8(leaf(201))
        .unwrap()
        .replace("\"amount\":201", "\"amount\":999")
        .into_bytes();
    forge(&made, &rewritten, &log_key());
    assert_eq!(made.found(), named(&[("inconsistent", "leaves 0 to 299")]));
    assert_eq!(
        kinds(made.found_with_store().await),
        ["inconsistent", "leaf_differs_from_store", "balance_differs"]
    );

    // The same after what was remembered: only the store, or a later memory, can tell.
    let mut late = all();
    late[500] = String::from_utf8(leaf(501))
        .unwrap()
        .replace("\"amount\":501", "\"amount\":999")
        .into_bytes();
    forge(&made, &late, &log_key());
    assert_eq!(made.found(), []);
    let found = made.found_with_store().await;
    assert_eq!(found[0], ("leaf_differs_from_store", "leaf 500".to_owned()));
    assert_eq!(kinds(found), ["leaf_differs_from_store", "balance_differs"]);
}

#[tokio::test]
async fn a_balance_that_the_log_does_not_add_up_to_is_named() {
    let made = Made::new().await;
    for at in 0..2 {
        let account = balances()[at].account;
        let mut full = balances()[at].clone();
        (1..=SIZE).for_each(|n| drop(full.enter(&transaction(n)).unwrap()));
        let judge = async |balance: Balance| {
            let mut view = made.view().await;
            view.balance(tenant(), balance);
            found(&made.report_with(view))
        };
        assert_eq!(judge(full.clone()).await, []);
        full.sums.debits_posted += 1;
        let place = account.to_string();
        assert_eq!(judge(full).await, named(&[("balance_differs", &place)]));
        // A house account may lack its last entries yet; a customer's may not.
        let mut behind = balances()[at].clone();
        (1..SIZE).for_each(|n| drop(behind.enter(&transaction(n)).unwrap()));
        let house = account.rollup() == Rollup::House;
        let wanted: &[_] = if house {
            &[]
        } else {
            &[("balance_differs", place.as_str())]
        };
        assert_eq!(judge(behind).await, named(wanted));
    }
}

#[tokio::test]
async fn leaves_that_are_no_books_are_found_by_the_books_alone() {
    let made = Made::new().await;
    let demands = Demands {
        since: None,
        ..made.demands()
    };
    let judge = |leaves: &[Vec<u8>]| {
        forge(&made, leaves, &log_key());
        found(&made.verify_with(&demands))
    };
    let edited = |place: usize, from: &str, to: &str| {
        let mut leaves = all();
        let text = String::from_utf8(leaves[place].clone()).unwrap();
        assert!(text.contains(from), "{text}");
        leaves[place] = text.replacen(from, to, 1).into_bytes();
        leaves
    };
    let mut doubled = all();
    doubled.push(leaf(7));
    assert_eq!(judge(&doubled), named(&[("leaf_duplicate", "leaf 600")]));
    let mut left_out = all();
    left_out.remove(9);
    assert_eq!(
        judge(&left_out),
        named(&[("account_entry_missing", "leaf 9")])
    );
    assert_eq!(
        judge(&edited(9, "\"amount\":10", "\"amount\":11")),
        named(&[("leaf_unbalanced", "leaf 9")])
    );
    assert_eq!(
        judge(&edited(9, "{\"at\"", "{ \"at\"")),
        named(&[("leaf_not_canonical", "leaf 9")])
    );
    assert_eq!(
        judge(&edited(9, "\"kind\":\"txn\"", "\"kind\":\"gift\"")),
        named(&[("leaf_unknown", "leaf 9")])
    );
    assert_eq!(
        judge(&edited(9, "\"number\":10", "\"number\":9")),
        named(&[
            ("account_entry_twice", "leaf 9"),
            ("account_entry_missing", "leaf 10")
        ])
    );
    assert_eq!(
        judge(&edited(9, "\"side\":\"credit\"", "\"side\":\"crédit\"")),
        named(&[("leaf_malformed", "leaf 9")])
    );
    // Both sides exchanged: the customer would pay what he does not have.
    let swapped = String::from_utf8(leaf(1)).unwrap();
    let swapped = swapped
        .replace("debit", "x")
        .replace("credit", "debit")
        .replace(":\"x\"", ":\"credit\"");
    let mut overdrawn = all();
    overdrawn[0] = swapped.into_bytes();
    assert_eq!(judge(&overdrawn), named(&[("account_overdrawn", "leaf 0")]));
}

#[tokio::test]
async fn too_few_witnesses_are_told_and_a_checkpoint_that_meets_the_policy_passes() {
    let made = Made::new().await;
    let witness = SecretKey::from_seed("w.example", KeyKind::Witness, &[3; 32]).unwrap();
    let policy = format!("witness w {}\nquorum w\n", witness.public());
    let demands = Demands {
        policy: Some(Policy::parse(&policy).unwrap()),
        ..made.demands()
    };
    assert_eq!(
        found(&made.verify_with(&demands)),
        named(&[("checkpoint_quorum", "checkpoint")])
    );
    made.edit(CHECKPOINT, |bytes| {
        let (text, mut signatures) = checkpoint::split(bytes).unwrap();
        signatures.push(witness.sign(&text, 1_795_000_000));
        *bytes = checkpoint::assemble(&text, &signatures);
    });
    assert_eq!(found(&made.verify_with(&demands)), []);
}

#[tokio::test]
async fn what_is_not_a_log_is_neither_sound_nor_unsound() {
    let empty = tempfile::tempdir().unwrap();
    let source = FolderSource(empty.path().to_owned());
    let report = verify(&source, &Demands::default(), None, &AtomicU64::new(0));
    assert_eq!(report.verdict(), Verdict::Unknown);
}

#[tokio::test]
async fn a_batch_that_is_staged_and_not_published_yet_is_no_cut_tail() {
    let made = Made::new().await;
    let before = fs::read(made.folder.path().join(CHECKPOINT)).unwrap();
    commit(made.store.as_ref(), 601..611).await;
    let folder = Arc::new(Folder::open(made.folder.path()).unwrap());
    drain(&mut sequencer(made.store.clone(), log_in(folder))).await;
    assert_eq!(
        fs::read(made.folder.path().join(CHECKPOINT)).unwrap(),
        before
    );
    let report = made.report_with_store().await;
    assert_eq!(
        (report.verdict(), report.pending),
        (Verdict::Unknown, 10),
        "{report:?}"
    );
    fs::remove_dir_all(made.folder.path().join("staged")).unwrap();
    assert_eq!(
        made.found_with_store().await,
        named(&[("truncated", "checkpoint")])
    );
}

#[tokio::test]
async fn an_earlier_checkpoint_beside_later_files_is_a_cut_tail() {
    let made = Made::new().await;
    let before = fs::read(made.folder.path().join(CHECKPOINT)).unwrap();
    Made::grow(&made.folder, &made.store, 601..611).await;
    assert_eq!(made.found(), []);
    fs::write(made.folder.path().join(CHECKPOINT), before).unwrap();
    // A crash before the checkpoint of the last batch leaves the same.
    let report = made.verify_with(&made.demands());
    assert_eq!(report.verdict(), Verdict::Unknown, "{report:?}");
    assert_eq!(report.unread[0].place, "checkpoint");
    // Without the batch, or with another one after it, no crash explains it.
    Made::grow(&made.folder, &made.store, 611..621).await;
    Made::grow(&made.folder, &made.store, 621..900).await;
    let text = checkpoint::text(ORIGIN, &made.early);
    let signed = checkpoint::assemble(&text, &[log_key().sign(&text, 0)]);
    fs::write(made.folder.path().join(CHECKPOINT), signed).unwrap();
    assert_eq!(made.found(), named(&[("truncated", "checkpoint")]));
    assert_eq!(
        made.found_with_store().await,
        named(&[("truncated", "checkpoint")])
    );
}

#[tokio::test]
async fn a_store_whose_end_is_missing_knows_less_than_the_log() {
    let made = Made::new().await;
    // All transactions are there; what was cut off came after them.
    let mut view = made.view().await;
    let found_record = made
        .store
        .get(&[head::key()])
        .await
        .unwrap()
        .pop()
        .flatten();
    view.head(HeadRecord {
        size: SIZE - 10,
        ..HeadRecord::of(found_record.as_ref(), 1)
    });
    let report = made.report_with(view);
    assert_eq!(found(&report), named(&[("store_truncated", "store")]));
}

#[tokio::test]
async fn a_checkpoint_of_more_leaves_than_there_are_is_told_and_not_followed() {
    let made = Made::new().await;
    for size in [1 << 32, i64::MAX as u64] {
        let root = made.early.root;
        let text = checkpoint::text(ORIGIN, &Head { size, root });
        let signed = checkpoint::assemble(&text, &[log_key().sign(&text, 0)]);
        fs::write(made.folder.path().join(CHECKPOINT), signed).unwrap();
        let found = made.found();
        assert_eq!(found[0], ("tile_missing", "tile/0/002".to_owned()));
        assert!(found.len() <= 1_001, "{}", found.len());
    }
}

#[tokio::test]
async fn what_lies_in_a_place_that_no_file_has_is_told() {
    let made = Made::new().await;
    let tile = made.folder.path().join("tile/0/001");
    fs::remove_file(&tile).unwrap();
    fs::create_dir(&tile).unwrap();
    assert_eq!(made.found(), named(&[("tile_missing", "tile/0/001")]));
    forge(&made, &all(), &log_key());
    // Levels that a log of 64 bits has no nodes on.
    for stray in ["tile/8/000.p/1", "tile/63/000"] {
        let stray = made.folder.path().join(stray);
        fs::create_dir_all(stray.parent().unwrap()).unwrap();
        fs::write(&stray, [0; 32]).unwrap();
        assert_eq!(made.found(), named(&[("truncated", "checkpoint")]));
        fs::remove_file(&stray).unwrap();
    }
    let never = Head {
        size: 0,
        ..made.early
    };
    let demands = Demands {
        since: Some(never),
        ..made.demands()
    };
    assert_eq!(
        found(&made.verify_with(&demands)),
        named(&[("inconsistent", "checkpoint")])
    );
    fs::remove_dir_all(made.folder.path()).unwrap();
    assert_eq!(
        made.found_with_store().await,
        named(&[("checkpoint_missing", "checkpoint")])
    );
}

#[tokio::test]
async fn the_feed_is_what_the_view_of_the_store_is_made_of() {
    let made = Made::new().await;
    let feed = made.store.changes(0, 0, usize::MAX, 0).await.unwrap();
    assert_eq!(
        feed.iter().flat_map(leaves_of).count(),
        made.view().await.len()
    );
    let blobs = MemoryBlobs::default();
    assert_eq!(blobs.get("checkpoint").await.unwrap(), None);
}
