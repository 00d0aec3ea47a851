"""Checks a running Lombard's verifiable log with aics-tlog (PyPI): C2SP tlog software that is not ours.

usage: tlog.py URL KEYFILE API_KEY

The checkpoint's signature, the root over all tiles, the inclusion of every leaf, the consistency of sizes, and the
proofs that the API gives.
"""

import base64
import json
import sys
import urllib.request

from aics_tlog import (
    HttpTileReader,
    MerkleTree,
    consistency_proof_from_tiles,
    inclusion_proof_from_tiles,
    parse_note,
    parse_vkey,
    read_entry,
    tree_root_from_tiles,
    verify_checkpoint,
    verify_consistency,
    verify_leaf_inclusion,
)


def fetch(url, key=None, accept=None):
    request = urllib.request.Request(url)
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    if accept:
        request.add_header("Accept", accept)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()


def main():
    base, key_file, api_key = sys.argv[1:]
    vkey = parse_vkey(open(key_file, encoding="utf-8").readline().strip())

    note = parse_note(fetch(f"{base}/log/checkpoint"))
    head = verify_checkpoint(note, vkey)
    assert head.ok, head.error
    print(f"checkpoint of {head.origin}: {head.size} leaves, signature right")

    reader = HttpTileReader(f"{base}/log")
    assert tree_root_from_tiles(reader, head.size) == head.root
    entries = [read_entry(reader, index, head.size) for index in range(head.size)]
    tree = MerkleTree(entries)
    assert tree.root() == head.root
    for index, entry in enumerate(entries):
        proof = inclusion_proof_from_tiles(reader, index, head.size)
        assert verify_leaf_inclusion(entry, index, head.size, proof, head.root)
        assert not verify_leaf_inclusion(entry + b" ", index, head.size, proof, head.root)
    for size in range(1, head.size + 1):
        old = MerkleTree(entries[:size]).root()
        proof = consistency_proof_from_tiles(reader, size, head.size)
        assert verify_consistency(size, head.size, old, head.root, proof)
    print(f"{head.size} inclusion and consistency proofs from the tiles hold")

    shown = 0
    for index, entry in enumerate(entries):
        leaf = json.loads(entry)
        if leaf["kind"] != "txn":  # What operators did has no route of its own.
            continue
        transaction = leaf["id"]
        proof = json.loads(fetch(f"{base}/v1/ledger/{transaction}/proof", api_key))
        checkpoint = verify_checkpoint(parse_note(proof["checkpoint"]["note"]), vkey)
        path = [base64.b64decode(text) for text in proof["path"]]
        leaf = proof["leaf"].encode()
        assert checkpoint.ok and leaf == entry and proof["index"] == index
        assert verify_leaf_inclusion(leaf, index, checkpoint.size, path, checkpoint.root)
        text = fetch(f"{base}/v1/ledger/{transaction}/proof", api_key, "text/plain")
        assert text.startswith(b"c2sp.org/tlog-proof@v1\nextra ")
        shown += 1
    grown = json.loads(fetch(f"{base}/v1/log/consistency?from=1", api_key))
    assert verify_consistency(
        grown["from"],
        grown["to"],
        base64.b64decode(grown["from_root"]),
        base64.b64decode(grown["to_root"]),
        [base64.b64decode(text) for text in grown["proof"]],
    )
    print(f"{shown} inclusion proofs and a consistency proof of the API hold")


main()
