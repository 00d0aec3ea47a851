//! Hashing, tiles and proofs.

use lombard_core::proof::{
    Hash,
    tile::{self, Fetched, Resource},
    tree::{
        Edge, Head, ProveError, check_consistency, check_inclusion, prove_consistency,
        prove_inclusion, root_at,
    },
};
use serde_json::Value;
use tlog_tiles::record_hash;

use super::{grow, leaves, root_by_definition};
use crate::shared;

fn hash(text: &Value) -> Option<Hash> {
    Hash::parse_hash(text.as_str()?).ok()
}

#[test]
fn the_reference_tree_has_the_reference_hashes() {
    let name = "the_reference_tree_has_the_reference_hashes";
    let file = "material/vectors/merkle/rfc6962-reference-tree.json";
    let Some(text) = shared::text(name, file) else {
        return;
    };
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let bytes = |value: &Value| unhex(value.as_str().unwrap());
    let inputs: Vec<_> = vectors["leaf_inputs_hex"]
        .as_array()
        .unwrap()
        .iter()
        .map(bytes)
        .collect();
    let roots = vectors["root_hash_hex_by_size"].as_array().unwrap();
    assert_eq!(roots.len(), inputs.len() + 1);
    for (size, root) in roots.iter().enumerate() {
        let (head, _) = grow(&inputs[..size]);
        assert_eq!(head.root.0.to_vec(), bytes(root), "size {size}");
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

#[test]
fn proofs_hold_and_corrupted_ones_do_not_as_the_vectors_say() {
    let name = "proofs_hold_and_corrupted_ones_do_not_as_the_vectors_say";
    let Some(folder) = shared::path(name, "material/vectors/merkle/proofs") else {
        return;
    };
    let mut counts = [0, 0];
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let case: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let holds = judge(&case).is_some();
        let wanted = !case["wantErr"].as_bool().unwrap();
        assert_eq!(holds, wanted, "{}", path.display());
        counts[usize::from(holds)] += 1;
    }
    assert_eq!(counts, [114, 8]);
}

/// What is not even a hash or a number does not hold either.
fn judge(case: &Value) -> Option<()> {
    let nothing = Vec::new();
    let proof = case["proof"].as_array().unwrap_or(&nothing);
    let proof: Vec<Hash> = proof.iter().map(hash).collect::<Option<_>>()?;
    if case["leafIdx"].is_null() {
        let old = Head {
            size: case["size1"].as_u64()?,
            root: hash(&case["root1"])?,
        };
        let new = Head {
            size: case["size2"].as_u64()?,
            root: hash(&case["root2"])?,
        };
        return check_consistency(&proof, &old, &new).ok();
    }
    let head = Head {
        size: case["treeSize"].as_u64()?,
        root: hash(&case["root"])?,
    };
    check_inclusion(
        &proof,
        &head,
        case["leafIdx"].as_u64()?,
        hash(&case["leafHash"])?,
    )
    .ok()
}

#[test]
fn every_proof_of_every_small_tree_holds_and_no_flipped_bit_does() {
    let all = leaves(33);
    for size in 1..=33u64 {
        let (head, tiles) = grow(&all[..size as usize]);
        assert_eq!(head.root, root_by_definition(&all[..size as usize]));
        for index in 0..size {
            let leaf = record_hash(&all[index as usize]);
            let proof = prove_inclusion(&head, index, &tiles).unwrap();
            check_inclusion(&proof, &head, index, leaf).unwrap();
            for broken in spoilt(&proof) {
                assert!(check_inclusion(&broken, &head, index, leaf).is_err());
            }
            for other in (0..size).filter(|other| *other != index) {
                assert!(check_inclusion(&proof, &head, other, leaf).is_err());
            }
        }
        for old in 1..=size {
            let before = grow(&all[..old as usize]).0;
            assert_eq!(root_at(&head, old, &tiles).unwrap(), before.root);
            let proof = prove_consistency(&head, old, &tiles).unwrap();
            check_consistency(&proof, &before, &head).unwrap();
            for broken in spoilt(&proof) {
                assert!(check_consistency(&broken, &before, &head).is_err());
            }
        }
        assert_eq!(
            prove_consistency(&head, 0, &tiles),
            Err(ProveError::OutOfRange)
        );
        assert_eq!(
            prove_inclusion(&head, size, &tiles),
            Err(ProveError::OutOfRange)
        );
    }
}

/// The proof with a bit of each hash flipped, with a hash too few and with one too many.
fn spoilt(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = vec![[proof, &[record_hash(b"more")]].concat()];
    for place in 0..proof.len() {
        let mut flipped = proof.to_vec();
        flipped[place].0[place % 32] ^= 1 << (place % 8);
        all.push(flipped);
        let mut cut = proof.to_vec();
        cut.remove(place);
        all.push(cut);
    }
    all
}

#[test]
fn an_edge_grows_the_same_tree_after_a_restart_at_any_size() {
    let all = leaves(600);
    let (head, _) = grow(&all);
    for stop in [1, 2, 255, 256, 257, 511, 512, 513, 599] {
        let (_, tiles) = grow(&all[..stop]);
        let mut edge = Edge::restore(stop as u64, &tiles).unwrap();
        let mut full = Vec::new();
        for leaf in &all[stop..] {
            edge.push(record_hash(leaf), &mut |tile, _: &[u8]| full.push(tile));
        }
        assert_eq!(edge.head(), head, "{stop}");
        assert!(full.iter().all(|tile| tile.width() == 256));
    }
}

#[test]
fn a_large_tree_is_the_same_by_leaves_and_by_tiles() {
    let all = leaves(256 * 256 + 300);
    let mut by_leaf = Edge::default();
    let mut by_tile = Edge::default();
    let mut tiles = Vec::new();
    for leaf in &all {
        by_leaf.push(record_hash(leaf), &mut |tile, data: &[u8]| {
            tiles.push((tile, data.to_vec()));
        });
    }
    let mut higher = 0;
    for (_, data) in tiles.iter().filter(|(tile, _)| tile.level() == 0) {
        by_tile.push_tile(tlog_tiles::Tile::subtree_hash(data), &mut |_, _: &[u8]| {
            higher += 1;
        });
    }
    assert_eq!(higher, 1, "one full tile of level 1");
    for leaf in &all[257 * 256..] {
        by_tile.push(record_hash(leaf), &mut |_, _: &[u8]| ());
    }
    assert_eq!(by_tile.head(), by_leaf.head());
    let paths: Vec<_> = by_leaf.tiles().map(|(tile, _)| tile::path(&tile)).collect();
    assert_eq!(
        paths,
        ["tile/0/257.p/44", "tile/1/001.p/1", "tile/2/000.p/1"]
    );
}

#[test]
fn who_proves_is_told_which_tiles_are_missing_and_is_not_fooled_by_others() {
    let all = leaves(700);
    let (head, whole) = grow(&all);
    let mut some = Fetched::default();
    let mut rounds = 0;
    let proof = loop {
        match prove_inclusion(&head, 300, &some) {
            Ok(proof) => break proof,
            Err(ProveError::Missing(missing)) => {
                for tile in missing {
                    some.put(tile, whole.get(&tile).unwrap().to_vec());
                }
            }
            Err(other) => panic!("{other}"),
        }
        rounds += 1;
    };
    assert_eq!(rounds, 1);
    check_inclusion(&proof, &head, 300, record_hash(&all[300])).unwrap();
    let mut wrong = Fetched::default();
    for tile in [
        super::tile(0, 1, 256),
        super::tile(0, 2, 188),
        super::tile(1, 0, 2),
    ] {
        let mut data = whole.get(&tile).unwrap().to_vec();
        data[40] ^= 1;
        wrong.put(tile, data);
    }
    assert!(matches!(
        prove_inclusion(&head, 300, &wrong),
        Err(ProveError::Inconsistent(_))
    ));
}

#[test]
fn paths_are_those_of_the_specification() {
    assert_eq!(
        tile::path(&super::tile(0, 1_234_067, 256)),
        "tile/0/x001/x234/067"
    );
    assert_eq!(
        tile::path(&tile::bundle(273, 112)),
        "tile/entries/273.p/112"
    );
    assert_eq!(
        tile::partials(&tile::bundle(273, 112)),
        "tile/entries/273.p/"
    );
    for good in [
        "tile/entries/x001/000",
        "tile/0/000",
        "tile/63/x123/x456/789.p/255",
    ] {
        let resource = tile::parse_path(good).unwrap();
        let (Resource::Hashes(tile) | Resource::Entries(tile)) = resource;
        assert_eq!(tile::path(&tile), good);
    }
    for bad in [
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/entries/../../etc",
        "tile/-1/000",
        "tile/0/",
        "tile/data/000",
        "tile/0/000.p/01",
        "tile/999/000",
        "tile/0/000/",
        "tile/300/000",
    ] {
        assert_eq!(tile::parse_path(bad), None, "{bad}");
    }
}

#[test]
fn a_bundle_is_taken_apart_as_it_was_put_together_and_not_when_cut() {
    let mut bundle = Vec::new();
    for entry in [b"one".as_slice(), b"", &[7; 65_535]] {
        tile::append(&mut bundle, entry);
    }
    let entries = tile::entries(&bundle).unwrap();
    assert_eq!(
        entries.iter().map(|entry| entry.len()).collect::<Vec<_>>(),
        [3, 0, 65_535]
    );
    assert_eq!(tile::entries(&bundle[..bundle.len() - 1]).unwrap_err().0, 2);
    assert_eq!(tile::entries(&bundle[..6]).unwrap_err().0, 1);
}
