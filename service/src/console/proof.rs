//! Proofs of the verifiable log, verified when a page is made and not taken on trust.

use lombard_core::proof::{
    Hash,
    tree::{Head, check_inclusion},
};
use maud::{Markup, html};
use serde_json::Value;

use super::parts::{facts, list, number, text, whole_id};

/// Whether a proof holds; if not, `why`.
pub fn verdict(holds: bool, why: &Markup) -> Markup {
    let tone = if holds { "good" } else { "bad" };
    html! {
        div.note data-tone=(tone) role="status" {
            p {
                @if holds { strong { "Verified." } " From the leaf and the path follows the root that the checkpoint signs." }
                @else { strong { "It does not hold." } " " (why) " Open the runbook of a damaged log." }
            }
        }
    }
}

/// A proof in full.
pub fn shown(proof: &Value) -> Markup {
    let checkpoint = &proof["checkpoint"];
    html! {
        (facts(&[
            ("Leaf", html! { "no. " (number(proof, "index")) " of " (number(checkpoint, "size")) }),
            ("Leaf hash", whole_id(text(proof, "leaf_hash"))),
            ("Root", whole_id(text(checkpoint, "root"))),
            ("Witnessed", html! { @if checkpoint["witnessed"] == true { "yes, as the policy asks" } @else { "not yet" } }),
        ]))
        details { summary { "Leaf, path and signed checkpoint" }
            pre { (text(proof, "leaf")) }
            pre { @for hash in list(proof, "path") { (hash.as_str().unwrap_or_default()) "\n" } }
            pre { (text(checkpoint, "note")) }
        }
    }
}

/// Whether the path leads from the leaf's bytes to the root, counted here and not taken on trust.
pub fn verified(proof: &Value) -> bool {
    let hash = |text: &str| Hash::parse_hash(text).ok();
    let path: Option<Vec<_>> = { list(proof, "path").iter() }
        .map(|one| hash(one.as_str()?))
        .collect();
    let checkpoint = &proof["checkpoint"];
    let (Some(path), Some(root)) = (path, hash(text(checkpoint, "root"))) else {
        return false;
    };
    let size = number(checkpoint, "size");
    let leaf = tlog_tiles::record_hash(text(proof, "leaf").as_bytes());
    check_inclusion(&path, &Head { size, root }, number(proof, "index"), leaf).is_ok()
}
