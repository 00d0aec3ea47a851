//! An installation moves from a folder to DynamoDB and back, and is the same: checkpoint, balances,
//! records, what people gave. Killed in the middle it goes on; changed on the way it is refused.

mod local;

use std::{
    panic::AssertUnwindSafe,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::FutureExt;
use local::Local;
use lombard_aws::dynamo::{Dynamo, table};
use lombard_core::{
    ledger::Rollup,
    store::{Change, Snapshot},
};
use lombard_service::{
    app::App,
    migrate::{
        self, Census, ExportKey, MigrateError, Side,
        import::import,
        state::{NotToBeServed, may_serve},
    },
    ports::Store,
    proof::{blobs::MemoryBlobs, keys::LogKeys},
    vault::{
        FileKeys, KeyFile,
        keys::{Keys, KeysError},
        subjects,
    },
    worker::cursor,
};

use crate::{
    support::{Running, emulator, host},
    world::pay,
};

/// A side on DynamoDB whose log is in memory.
fn on_dynamo(running: &Running, vault: &Dynamo, local: &Local, keys: Arc<dyn Keys>) -> Side {
    Side {
        store: Arc::new(running.store.clone()),
        records: Arc::new(running.store.clone()),
        vault_store: Arc::new(vault.clone()),
        vault_records: Arc::new(vault.clone()),
        vault: local.vault(),
        keys,
        log: Arc::new(MemoryBlobs::default()),
        log_keys: local.log_keys.public(),
    }
}

async fn vault_table(running: &Running) -> Dynamo {
    let name = format!("{}-vault", running.store.table());
    let vault = Dynamo::new(&running.config, &name, host());
    table::make(vault.client(), &name).await.expect("tables");
    vault
}

fn keys_of(folder: &Path) -> Arc<dyn Keys> {
    let file = KeyFile::open(&folder.join("vault.keys")).expect("keys");
    let keys = FileKeys::open(Arc::new(file), &folder.join("other.shred"));
    Arc::new(keys.expect("a shred file"))
}

async fn out(
    side: &Side,
    file: &Path,
    key: &ExportKey,
) -> Result<migrate::export::Told, MigrateError> {
    migrate::export(side, file, key, || "0a".repeat(16), false, &|_| ()).await
}

async fn sum_of(census: &dyn Census) -> u64 {
    let (mut count, mut place) = (0, None::<String>);
    loop {
        let page = census.page(place.as_deref()).await.expect("readable");
        count += page.records.len() as u64;
        place = page.next;
        if place.is_none() {
            return count;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_moves_to_dynamodb_and_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let first = Local::open(&at("first"));
    let world = first.live(40).await;
    let (subject, data_key) = first.add_subject("somebody").await;
    let (erased, _) = first.add_subject("somebody else").await;
    first.destroy(&erased).await;
    let mut told = erased.clone();
    told.keys.clear();
    let place = subjects::key(erased.tenant, erased.id);
    let found = first.vault_engine.get(std::slice::from_ref(&place)).await;
    let mut snapshot = Snapshot::default();
    snapshot.put(place.clone(), found.expect("readable").remove(0));
    let mut writes = snapshot.checks();
    writes.update(&place, told.body());
    first.vault_engine.commit(&writes).await.expect("erased");

    // A rehearsal with a changed line is refused, and nothing was written.
    let key = ExportKey::read_or_make(&at("export.key")).expect("a key");
    let there = out(&first.side(), &at("export"), &key)
        .await
        .expect("exported");
    let text = std::fs::read_to_string(at("export")).expect("text");
    // Long enough that sealed text does not have them by chance.
    assert!(
        !text.contains("currency") && !text.contains("payment"),
        "sealed"
    );

    let running = Running::at(&emulator().await).await;
    let vault = vault_table(&running).await;
    let side = on_dynamo(&running, &vault, &first, keys_of(&first.folder));
    refuse_changed(&side, &text, &at("changed"), &key).await;
    assert_eq!(sum_of(side.records.as_ref()).await, 0, "nothing is written");

    // Killed in the middle, it goes on; and until it is whole nobody serves on it.
    let steps = AtomicU64::new(0);
    let dying = |_: u64| {
        assert!(steps.fetch_add(1, Ordering::Relaxed) < 2, "killed");
    };
    let export = at("export");
    let killed = AssertUnwindSafe(import(&side, &export, &key, &dying));
    let died = killed.catch_unwind().await;
    assert!(died.is_err(), "it died");
    let refused = may_serve(side.store.as_ref()).await;
    assert!(matches!(refused, Err(NotToBeServed::Importing)));
    let here = import(&side, &at("export"), &key, &|_| ())
        .await
        .expect("imported");
    assert_eq!((&here.root, here.size), (&there.root, there.size));
    may_serve(side.store.as_ref()).await.expect("it is whole");
    // Once more is nothing more.
    let again = import(&side, &at("export"), &key, &|_| ())
        .await
        .expect("it is there");
    assert_eq!(again.records, here.records);

    // The consumers begin behind all of it.
    let app = App {
        store: side.store.clone(),
        ..world.app.clone()
    };
    let reached = cursor::load(&app, "funds", 0).await.expect("a place");
    let later = running.store.changes(0, reached, 1000, 0).await;
    let later = later.expect("readable");
    let is_bookkeeping = |change: &Change| {
        let own = ["cursor#", "log#", "migration#"];
        own.iter().any(|it| change.key.partition().starts_with(it))
    };
    let mut changes = later.iter().flat_map(|commit| commit.changes.iter());
    assert!(changes.all(is_bookkeeping), "{later:?}");

    // And back, to another folder.
    let back = ExportKey::read_or_make(&at("back.key")).expect("a key");
    let told = migrate::export(&side, &at("back"), &back, || "0b".repeat(16), true, &|_| ()).await;
    assert_eq!(told.expect("exported").root, there.root);
    let retired = may_serve(side.store.as_ref()).await;
    assert!(matches!(retired, Err(NotToBeServed::Retired(_))));
    let second = first.with_keys_of(&at("second"));
    let home = import(&second.side(), &at("back"), &back, &|_| ())
        .await
        .expect("imported");
    assert_eq!((home.root, home.records), (there.root, there.records));

    // Who was erased stays erased, who was not is there.
    let found = second.subjects().find(subject.tenant, subject.id).await;
    let found = found.expect("readable").expect("it moved");
    let (_, opened) = second.subjects().newest(&found).await.expect("it opens");
    assert_eq!(opened.bytes().as_slice(), data_key);
    let found = second.subjects().find(erased.tenant, erased.id).await;
    assert!(
        found
            .expect("readable")
            .expect("its record")
            .keys
            .is_empty()
    );
    // The log goes on where it was.
    second.publish().await;
    running.stop().await;
}

/// Every way of changing an export is noticed before anything is written.
async fn refuse_changed(side: &Side, text: &str, file: &Path, key: &ExportKey) {
    let lines: Vec<&str> = text.lines().collect();
    let flipped = |n: usize| {
        let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let middle = lines[n].len() / 2;
        let other = if lines[n].as_bytes()[middle] == b'A' {
            "B"
        } else {
            "A"
        };
        lines[n].replace_range(middle..=middle, other);
        lines.join("\n") + "\n"
    };
    let without = |n: usize| {
        let kept = lines.iter().enumerate().filter(|(at, _)| *at != n);
        kept.map(|(_, line)| format!("{line}\n"))
            .collect::<String>()
    };
    let last = lines.len() - 1;
    for changed in [
        flipped(1),
        flipped(last),
        without(2),
        format!("{text}{}\n", lines[last]),
    ] {
        std::fs::write(file, changed).expect("written");
        let refused = import(side, file, key, &|_| ()).await;
        assert!(
            matches!(refused, Err(MigrateError::NotGenuine(_))),
            "{refused:?}"
        );
    }
    for cut in [without(last), text[..text.len() - 1].to_owned()] {
        std::fs::write(file, cut).expect("written");
        let refused = import(side, file, key, &|_| ()).await;
        assert!(
            matches!(refused, Err(MigrateError::Unfinished)),
            "{refused:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_fit_to_be_moved_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let first = Local::open(&at("first"));
    let world = first.live(2).await;
    let key = ExportKey::read_or_make(&at("export.key")).expect("a key");
    out(&first.side(), &at("export"), &key)
        .await
        .expect("exported");

    // Other keys beside the target.
    let stranger = Local::open(&at("stranger"));
    let refused = import(&stranger.side(), &at("export"), &key, &|_| ()).await;
    assert!(
        matches!(refused, Err(MigrateError::OtherKeys(_))),
        "{refused:?}"
    );
    let other = ExportKey::read_or_make(&at("other.key")).expect("a key");
    let refused = import(&first.side(), &at("export"), &other, &|_| ()).await;
    assert!(
        matches!(refused, Err(MigrateError::NotGenuine(2))),
        "{refused:?}"
    );
    // A target with something in it.
    let refused = import(&first.side(), &at("export"), &key, &|_| ()).await;
    assert!(
        matches!(refused, Err(MigrateError::NotEmpty(_))),
        "{refused:?}"
    );

    // Work that nobody has done yet.
    let payer = world.open("payer", Rollup::Constrained).await;
    let merchant = world.open("merchant", Rollup::House).await;
    world
        .until_done(pay("late", payer, merchant, 7), "late")
        .await;
    first.publish().await;
    let refused = out(&first.side(), &at("late"), &key).await;
    assert!(
        matches!(refused, Err(MigrateError::NotQuiet(_))),
        "{refused:?}"
    );
    first.rest(&world.app).await;
    // The file of another moment is not gone on with.
    let refused = out(&first.side(), &at("export"), &key).await;
    assert!(matches!(refused, Err(MigrateError::Changed)), "{refused:?}");
    out(&first.side(), &at("late"), &key)
        .await
        .expect("exported");
    // A destroyed key is not moved, nor passed over.
    let (subject, _) = first.add_subject("somebody").await;
    first.destroy(&subject).await;
    let refused = out(&first.side(), &at("damaged"), &key).await;
    assert!(
        matches!(refused, Err(MigrateError::Keys(KeysError::Gone(_)))),
        "{refused:?}"
    );
}
