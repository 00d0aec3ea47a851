//! What somebody does to a copy of the log or of the store, in a table: each is found, with its kind and its
//! place, and the exit code says so. `service/tests/it/proof` flips every byte; here the command is held to
//! it, with a data folder that a server made.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use lombard_core::proof::{
    checkpoint,
    key::{KeyKind, SecretKey, parse_secret_keys},
    tile,
    tree::Edge,
};
use lombard_embedded::{disk::Folder, log};
use serde_json::Value;
use tempfile::TempDir;

use crate::server::{Server, ended, run};

/// A data folder with some payments, its server stopped, and a checkpoint kept from the first third.
struct Made {
    folder: TempDir,
}

fn made() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let server = Server::start(&data);
        let keep = folder.path().join("kept.checkpoint");
        // The last part stands in a batch of its own: to go back by one batch alone looks like a service
        // that stopped before it published, which `verify` says it cannot tell.
        for part in 0..3 {
            let file = folder.path().join(format!("{part}.csv"));
            fs::write(&file, payments(part)).expect("written");
            let file = file.to_str().expect("a path of text");
            let (url, key) = (server.text("url"), server.text("api_key"));
            let paid = run(&["pay", file, "--url", url, "--key", key]);
            assert_eq!(ended(&paid).0, 0, "{paid:?}");
            crate::verify::wait_for_leaves(&data, 8 * (u64::from(part) + 1));
            if part == 0 {
                fs::copy(data.join("tlog/checkpoint"), &keep).expect("a copy");
            }
        }
        assert_eq!(server.stop(), 0);
        Made { folder }
    })
}

/// A file of four payments.
fn payments(part: u32) -> String {
    let mut text = String::from(
        "amount,currency,debtor_sort_code,debtor_account_number,creditor_name,creditor_sort_code,\
         creditor_account_number,end_to_end_id\n",
    );
    for n in 0..4 {
        text.push_str(&format!(
            "1250,GBP,000001,10000001,Ann Other,20-00-00,55779911,E-{part}-{n}\n"
        ));
    }
    text
}

/// A copy of the data folder to do things to.
struct Copy {
    folder: TempDir,
}

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        copy(
            &made().folder.path().join("data"),
            &folder.path().join("data"),
        );
        Self { folder }
    }

    fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join("data").join(name)
    }

    fn edit(&self, name: &str, edit: impl FnOnce(&mut Vec<u8>)) {
        let path = self.data(name);
        let mut bytes = fs::read(&path).expect("it is there");
        edit(&mut bytes);
        fs::write(&path, bytes).expect("written");
    }

    fn size(&self) -> u64 {
        let checkpoint = fs::read_to_string(self.data("tlog/checkpoint")).expect("it is there");
        let size = checkpoint.lines().nth(1).expect("a size");
        size.parse().expect("a number")
    }

    fn entries(&self) -> String {
        format!("tlog/tile/entries/000.p/{}", self.size())
    }

    /// The command's exit code and the problems with their places.
    fn verify(&self, more: &[&str]) -> (i32, Vec<(String, String)>) {
        let (log, key, store) = (self.data("tlog"), self.data("tlog.key.pub"), self.data(""));
        let text = |path: &PathBuf| path.to_str().expect("a path of text").to_owned();
        let (log, key, store) = (text(&log), text(&key), text(&store));
        let mut args = vec!["verify", &log, "--json", "--store", &store];
        if !more.contains(&"--key") {
            args.extend(["--key", &key]);
        }
        args.extend(more);
        let output = run(&args);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let told = report["problems"].as_array().cloned().unwrap_or_default();
        let word = |problem: &Value, name: &str| problem[name].as_str().unwrap_or("").to_owned();
        let told = told.iter().map(|it| (word(it, "kind"), word(it, "where")));
        (ended(&output).0, told.collect())
    }

    /// The frames of the store's log: where each begins in its file, and how long it is.
    fn frames(&self) -> Vec<(usize, usize)> {
        let disk = Folder::read_only(&self.data("log")).expect("a folder");
        let mut frames = Vec::new();
        let mut visit = |frame: &log::Frame| {
            frames.push((frame.at.offset as usize, frame.header.extent() as usize));
            Ok(())
        };
        log::verify(Arc::new(disk), None, None, &mut visit).expect("it is sound");
        frames
    }

    fn segment(&self) -> String {
        format!("log/{}", log::file_name(0))
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("readable");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// One thing that is done, and by which kinds it may be found.
struct Case {
    what: &'static str,
    done: fn(&Copy),
    found: &'static [&'static str],
    /// What stands in the place of one of the problems.
    place: &'static str,
}

const IN_THE_LOG: &[Case] = &[
    Case {
        what: "a byte of an entry is flipped",
        done: |copy| copy.edit(&copy.entries(), |bytes| bytes[60] ^= 1),
        found: &["entry_hash"],
        place: "leaf 0",
    },
    Case {
        what: "two entries are swapped",
        done: |copy| copy.edit(&copy.entries(), |bytes| swap_first_two(bytes)),
        found: &["entry_hash"],
        place: "leaf 1",
    },
    Case {
        what: "the last entry is cut off",
        done: |copy| copy.edit(&copy.entries(), |bytes| bytes.truncate(bytes.len() - 9)),
        found: &["bundle_malformed", "bundle_length"],
        place: "tile/entries/000.p",
    },
    Case {
        what: "the bundle is gone",
        done: |copy| fs::remove_file(copy.data(&copy.entries())).expect("removed"),
        found: &["bundle_missing"],
        place: "tile/entries/000.p",
    },
    Case {
        what: "a hash is flipped",
        done: |copy| {
            let tile = format!("tlog/tile/0/000.p/{}", copy.size());
            copy.edit(&tile, |bytes| bytes[33] ^= 128);
        },
        found: &["tile_hash"],
        place: "tile/0/000.p",
    },
    Case {
        what: "a tile is gone",
        done: |copy| {
            let tile = format!("tlog/tile/0/000.p/{}", copy.size());
            fs::remove_file(copy.data(&tile)).expect("removed");
        },
        found: &["tile_missing"],
        place: "tile/0/000.p",
    },
    Case {
        what: "the checkpoint's size is another",
        done: |copy| {
            copy.edit("tlog/checkpoint", |bytes| {
                let text = String::from_utf8_lossy(bytes).into_owned();
                let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                lines[1] = (copy.size() - 1).to_string();
                *bytes = format!("{}\n", lines.join("\n")).into_bytes();
            });
        },
        found: &["checkpoint_signature"],
        place: "checkpoint",
    },
    Case {
        what: "the checkpoint is gone",
        done: |copy| fs::remove_file(copy.data("tlog/checkpoint")).expect("removed"),
        found: &["checkpoint_missing"],
        place: "checkpoint",
    },
    Case {
        what: "the log is put back to an earlier time",
        done: |copy| {
            let kept = made().folder.path().join("kept.checkpoint");
            fs::copy(kept, copy.data("tlog/checkpoint")).expect("a copy");
        },
        found: &["truncated"],
        place: "checkpoint",
    },
    Case {
        what: "its own operator leaves an entry out and signs again",
        done: |copy| forge(copy, |leaves| drop(leaves.remove(4))),
        found: &["truncated", "leaf_missing", "account_entry_missing"],
        place: "",
    },
    Case {
        what: "its own operator changes an amount and signs again",
        done: |copy| {
            forge(copy, |leaves| {
                let text = String::from_utf8_lossy(leaves.last().expect("one")).into_owned();
                *leaves.last_mut().expect("one") = text.replace("1250", "1251").into_bytes();
            });
        },
        found: &["leaf_differs_from_store"],
        place: "leaf ",
    },
];

const IN_THE_STORE: &[Case] = &[
    Case {
        what: "a byte in the middle of the store's log is flipped",
        done: |copy| {
            let (at, _) = copy.frames()[3];
            copy.edit(&copy.segment(), |bytes| bytes[at + 200] ^= 4);
        },
        found: &["store_damaged"],
        place: "offset",
    },
    Case {
        what: "a byte of a frame's header is flipped",
        done: |copy| {
            let (at, _) = copy.frames()[5];
            copy.edit(&copy.segment(), |bytes| bytes[at + 26] ^= 1);
        },
        found: &["store_damaged"],
        place: "offset",
    },
    Case {
        what: "two frames are swapped",
        done: |copy| {
            let frames = copy.frames();
            let same = |n: &usize| frames[*n].1 == frames[*n + 1].1;
            let n = (2..frames.len() - 1).find(same).expect("two of a size");
            let ((first, length), (second, _)) = (frames[n], frames[n + 1]);
            copy.edit(&copy.segment(), |bytes| {
                let taken = bytes[first..first + length].to_vec();
                bytes.copy_within(second..second + length, first);
                bytes[second..second + length].copy_from_slice(&taken);
            });
        },
        found: &["store_damaged"],
        place: "offset",
    },
    Case {
        what: "the second half of the store's log is cut off",
        done: |copy| {
            let frames = copy.frames();
            let from = frames[frames.len() / 2].0;
            copy.edit(&copy.segment(), |bytes| bytes[from..].fill(0));
        },
        found: &["leaf_not_in_store"],
        place: "leaf ",
    },
    Case {
        what: "a frame in the middle is wiped",
        done: |copy| {
            let frames = copy.frames();
            let (from, length) = frames[frames.len() / 2];
            copy.edit(&copy.segment(), |bytes| bytes[from..from + length].fill(0));
        },
        found: &["store_damaged"],
        place: "offset",
    },
    Case {
        what: "the store's log is empty",
        done: |copy| fs::remove_file(copy.data(&copy.segment())).expect("removed"),
        found: &["leaf_not_in_store", "store_damaged"],
        place: "",
    },
];

fn swap_first_two(bytes: &mut [u8]) {
    let length = |at: usize| usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]])) + 2;
    let (first, second) = (length(0), length(length(0)));
    bytes[..first + second].rotate_left(first);
}

/// Writes the log anew with other leaves, signed with its own key.
fn forge(copy: &Copy, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let bundle = fs::read(copy.data(&copy.entries())).expect("it is there");
    let leaves = tile::entries(&bundle).expect("a bundle");
    let mut leaves: Vec<Vec<u8>> = leaves.into_iter().map(<[u8]>::to_vec).collect();
    change(&mut leaves);
    fs::remove_dir_all(copy.data("tlog/tile")).expect("removed");
    let put = |name: String, bytes: &[u8]| {
        let path = copy.data("tlog").join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        fs::write(path, bytes).expect("written");
    };
    let (mut edge, mut bundle) = (Edge::default(), Vec::new());
    for leaf in &leaves {
        edge.push(tlog_tiles::record_hash(leaf), &mut |_, _: &[u8]| ());
        tile::append(&mut bundle, leaf);
    }
    for (tile, data) in edge.tiles() {
        put(tile::path(&tile), data);
    }
    put(tile::path(&tile::bundle(0, leaves.len() as u64)), &bundle);
    let text = fs::read_to_string(copy.data("tlog.key")).expect("it is there");
    let key: SecretKey = parse_secret_keys(&text).expect("a key").remove(0);
    let text = checkpoint::text(key.public().name(), &edge.head());
    let signed = checkpoint::assemble(&text, &[key.sign(&text, 0)]);
    put("checkpoint".to_owned(), &signed);
}

fn hold_to(cases: &[Case]) {
    for case in cases {
        let copy = Copy::new();
        (case.done)(&copy);
        let (code, found) = copy.verify(&[]);
        assert_eq!(code, 1, "{}: {found:?}", case.what);
        let named = found
            .iter()
            .any(|(kind, place)| case.found.contains(&kind.as_str()) && place.contains(case.place));
        assert!(named, "{}: {found:?}", case.what);
    }
}

#[test]
fn what_is_done_to_a_log_is_found_and_named() {
    assert_eq!(Copy::new().verify(&[]), (0, Vec::new()));
    hold_to(IN_THE_LOG);
}

#[test]
fn what_is_done_to_a_store_is_found_and_named() {
    hold_to(IN_THE_STORE);
}

#[test]
fn a_view_that_others_do_not_have_is_found_by_what_was_kept() {
    let copy = Copy::new();
    let kept = copy.folder.path().join("kept");
    fs::copy(copy.data("tlog/checkpoint"), &kept).expect("a copy");
    let kept = kept.to_str().expect("text").to_owned();
    forge(&copy, |leaves| {
        let text = String::from_utf8_lossy(&leaves[5]).into_owned();
        leaves[5] = text.replace("\"at\":17", "\"at\":18").into_bytes();
    });
    let (code, found) = copy.verify(&["--since", &kept]);
    let named = found.iter().any(|(kind, _)| kind == "inconsistent");
    assert_eq!((code, named), (1, true), "{found:?}");
    // Of an earlier time it is too short, whatever else is right.
    let copy = Copy::new();
    let earlier = made().folder.path().join("kept.checkpoint");
    fs::copy(earlier, copy.data("tlog/checkpoint")).expect("a copy");
    let (code, found) = copy.verify(&["--since", &kept]);
    let named = found.iter().any(|(kind, _)| kind == "truncated");
    assert_eq!((code, named), (1, true), "{found:?}");
}

#[test]
fn a_key_that_is_not_the_log_s_and_witnesses_that_have_not_seen_it_are_named() {
    let copy = Copy::new();
    let file = |name: &str, text: String| {
        let path = copy.folder.path().join(name);
        fs::write(&path, text).expect("written");
        path.to_str().expect("text").to_owned()
    };
    let own = fs::read_to_string(copy.data("tlog.key.pub")).expect("it is there");
    let name = own.split('+').next().expect("a name").to_owned();
    let other = SecretKey::from_seed(&name, KeyKind::Log, &[9; 32]).expect("a key");
    let other = file("other.pub", format!("{}\n", other.public()));
    let (code, found) = copy.verify(&["--key", &other]);
    assert_eq!(code, 1);
    assert_eq!(found[0].0, "checkpoint_unsigned", "{found:?}");
    let witness = SecretKey::from_seed("north", KeyKind::Witness, &[8; 32]).expect("a key");
    let policy = format!(
        "log {}\nwitness north {}\nquorum north\n",
        own.trim(),
        witness.public()
    );
    let policy = file("policy", policy);
    let (code, found) = copy.verify(&["--policy", &policy]);
    assert_eq!(code, 1);
    assert_eq!(found[0].0, "checkpoint_quorum", "{found:?}");
}

#[test]
fn what_cannot_be_read_is_neither_sound_nor_unsound() {
    let copy = Copy::new();
    let text = |path: PathBuf| path.to_str().expect("text").to_owned();
    let (log, key) = (text(copy.data("tlog")), text(copy.data("tlog.key.pub")));
    let (nowhere, file) = (text(copy.data("nowhere")), text(copy.data("tlog.key")));
    for args in [
        ["verify", &nowhere, "--key", &key, "--json"].as_slice(),
        &["verify", &log, "--key", &nowhere, "--json"],
        &["verify", &log, "--key", &key, "--store", &nowhere, "--json"],
        &["verify", &log, "--key", &key, "--store", &file, "--json"],
        &["verify", &log, "--key", &key, "--since", &nowhere, "--json"],
        &[
            "verify", &log, "--key", &key, "--policy", &nowhere, "--json",
        ],
        &["verify", "http://127.0.0.1:9/log", "--key", &key, "--json"],
    ] {
        assert_eq!(ended(&run(args)).0, 2, "{args:?}");
    }
}

#[test]
fn old_signatures_stay_verifiable_while_keys_are_rotated() {
    let copy = Copy::new();
    let (data, secret, public) = (
        copy.data(""),
        copy.data("tlog.key"),
        copy.data("tlog.key.pub"),
    );
    let old = fs::read_to_string(&public).expect("it is there");
    let origin = old.split('+').next().expect("a name").to_owned();
    let earlier = copy.folder.path().join("earlier");
    fs::copy(copy.data("tlog/checkpoint"), &earlier).expect("a copy");
    let text = |path: &Path| path.to_str().expect("text").to_owned();
    let added = run(&["log", "keygen", &origin, "--out", &text(&secret), "--add"]);
    assert_eq!(ended(&added).0, 0, "{added:?}");
    let both = fs::read_to_string(&public).expect("it is there");
    let new = both.lines().last().expect("the new one").to_owned();
    let only = |name: &str, line: &str| {
        let path = copy.folder.path().join(name);
        fs::write(&path, format!("{line}\n")).expect("written");
        text(&path)
    };
    let (old, new) = (only("old.pub", old.trim()), only("new.pub", &new));
    // Both sign while both are there: readers of either key are served.
    assert_eq!(Server::start(&data).stop(), 0);
    assert_eq!(copy.verify(&["--key", &old]), (0, Vec::new()));
    assert_eq!(copy.verify(&["--key", &new]), (0, Vec::new()));
    // The old one is gone: what it signed is still a measure for whoever has kept it.
    let secrets = fs::read_to_string(&secret).expect("it is there");
    let last = secrets.lines().last().expect("the new one");
    fs::write(&secret, format!("{last}\n")).expect("written");
    assert_eq!(Server::start(&data).stop(), 0);
    assert_eq!(copy.verify(&["--key", &new]), (0, Vec::new()));
    let (code, found) = copy.verify(&["--key", &old]);
    assert_eq!((code, found[0].0.as_str()), (1, "checkpoint_unsigned"));
    let since = copy.verify(&["--since", &text(&earlier)]);
    assert_eq!(since, (0, Vec::new()));
}
