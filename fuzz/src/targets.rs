//! The targets: every decoder of bytes that come from outside, each with what must hold beyond
//! "it does not panic".
//!
//! Included by path from the workspace's tests, which run them over the committed seeds on the
//! stable toolchain.

use std::{
    io::{Cursor, Error, ErrorKind},
    sync::Arc,
};

use lombard_core::{
    bank::{Iban, uk::UkAccount},
    iso20022::{self, Message},
    proof::{checkpoint, key, leaf::Leaf, policy::Policy, text::Proof, tile, witness},
    psp::{self, Providers},
    statement,
    tenant::TenantId,
    time::Timestamp,
};
use lombard_embedded::{
    codec,
    log::{self, Fault, FrameBuffer, OpenError},
};
use lombard_service::{
    batch::{
        read::{Context, Piece, Rows},
        record::Format,
    },
    rails::signature::Signer,
};

use super::{api, disk::MemoryDisk};

/// A target's name, and what it does with some bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 12] = [
    ("api_body", api_body),
    ("api_headers", api_headers),
    ("bank_account", bank_account),
    ("batch_csv", batch_csv),
    ("batch_jsonl", batch_jsonl),
    ("batch_pain001", batch_pain001),
    ("iso20022", iso20022),
    ("log_recovery", log_recovery),
    ("proof", proof),
    ("provider_events", provider_events),
    ("signatures", signatures),
    ("statement", statement),
];

/// A moment for what needs one.
const NOW: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);

/// The body of a POST: the first byte chooses the route, the rest is the body. The answer is one
/// that the document has, and a refusal says which.
pub fn api_body(bytes: &[u8]) {
    if let Some((route, body)) = bytes.split_first() {
        api::post(usize::from(*route), body);
    }
}

/// Headers and a query, one a line: `traceparent`, `idempotency-key`, `prefer`, `authorization`,
/// and the query of a list.
pub fn api_headers(bytes: &[u8]) {
    let lines: Vec<&[u8]> = bytes.splitn(5, |byte| *byte == b'\n').collect();
    api::headers(&lines);
}

/// An IBAN, or a sort code and an account number with `/` between them. What is taken is written
/// as it was understood, and understood again.
pub fn bank_account(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok((iban, _)) = Iban::read(text) {
        assert_eq!(iban.to_string().parse(), Ok(iban));
    }
    if let Some((sort_code, number)) = text.split_once('/') {
        let strict = UkAccount::parse(sort_code, number);
        let lenient = UkAccount::read(sort_code, number);
        assert!(strict.is_err() || lenient == strict, "{text}");
    }
}

/// A file of comma-separated values.
pub fn batch_csv(bytes: &[u8]) {
    batch(Format::Csv, bytes);
}

/// A file of JSON Lines.
pub fn batch_jsonl(bytes: &[u8]) {
    batch(Format::JsonLines, bytes);
}

/// A pain.001 file.
pub fn batch_pain001(bytes: &[u8]) {
    batch(Format::Pain001, bytes);
}

/// A file is read to its end, or to the fault that ends it, in no more pieces than it has bytes.
fn batch(format: Format, bytes: &[u8]) {
    let context = Context {
        tenant: TenantId::new(1),
        now: NOW,
    };
    let Ok(mut rows) = Rows::new(format, Cursor::new(bytes), context) else {
        return;
    };
    for _ in 0..=bytes.len() + 16 {
        match rows.next_piece() {
            Ok(Some(Piece::Fault(fault))) => assert!(!fault.rule.is_empty()),
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return,
        }
    }
    panic!("the file has no end");
}

/// An ISO 20022 message, as gateways send them and as `lombard inspect` reads them. What is
/// refused says why.
pub fn iso20022(bytes: &[u8]) {
    if let Err(refusal) = Message::parse(bytes) {
        assert!(!refusal.violations.is_empty());
    }
    let _ = iso20022::inspect(bytes);
}

/// The log of a store, as a crash or a bad disk left it: it is opened or refused, and a log that
/// was opened takes a write and can be opened again.
pub fn log_recovery(bytes: &[u8]) {
    const SEGMENT: usize = 64 * 1024;
    let disk = MemoryDisk::default();
    let mut segment = bytes.to_vec();
    segment.resize(bytes.len().next_multiple_of(SEGMENT).max(SEGMENT), 0);
    segment.truncate(4 * SEGMENT);
    disk.put(&log::file_name(0), segment);
    let options = log::Options {
        segment_bytes: SEGMENT as u32,
        prepare_ahead: false,
    };
    let open = || -> Result<log::Recovered, OpenError> {
        log::open(
            Arc::new(disk.clone()),
            &options,
            None,
            [7; 16],
            &mut |frame| {
                let mut rest = frame.transactions();
                for _ in 0..frame.header.count {
                    let (_, length) = codec::read(rest, |_, _| {}).ok_or(Fault::Content)?;
                    rest = rest.get(length..).ok_or(Fault::Content)?;
                }
                Ok(())
            },
        )
    };
    let Ok(mut log) = open() else { return };
    let mut buffer = FrameBuffer::default();
    let written: Result<(), Error> = buffer.push(|to| {
        codec::write(&[], to, |_, _| {}).map_err(|_| Error::from(ErrorKind::InvalidData))
    });
    if written.is_ok() && !buffer.is_empty() && log.writer.append(1, &mut buffer).is_ok() {
        let last = log.writer.last();
        drop(log);
        let again = open().map(|log| log.writer.last());
        assert_eq!(again.ok(), Some(last), "what was written is there");
    }
}

/// What a verifier of the log reads of strangers: checkpoints, keys, proofs, policies, leaves,
/// bundles, addresses of tiles, what a witness is asked. What is read can be written as it was.
pub fn proof(bytes: &[u8]) {
    let keys = key::Keys::new([]);
    let _ = checkpoint::peek(bytes);
    let _ = checkpoint::open(bytes, &keys);
    let _ = witness::AddCheckpoint::parse(bytes);
    if let Ok(entries) = tile::entries(bytes) {
        let mut bundle = Vec::new();
        entries
            .iter()
            .for_each(|entry| tile::append(&mut bundle, entry));
        assert_eq!(bundle, bytes);
    }
    if let Ok(leaf) = Leaf::decode(bytes) {
        assert_eq!(leaf.encode(), bytes, "a leaf has one form");
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let _ = (key::PublicKey::parse(text), key::Keys::parse(text));
    let _ = (Policy::parse(text), tile::parse_path(text));
    if let Ok(proof) = Proof::parse(text) {
        let again = Proof::parse(&proof.to_text()).map(|proof| proof.to_text());
        assert_eq!(again.ok(), Some(proof.to_text()));
    }
}

/// A signature header and a body, with a line between them; and an id as texts have it.
pub fn signatures(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (header, body) = text.split_once('\n').unwrap_or((&text, ""));
    let signer = Signer::new("secret");
    assert!(signer.verify(Some(header), NOW, body.as_bytes()).is_err());
    let genuine = signer.sign(NOW, body.as_bytes());
    let both = format!("{genuine},{header}");
    // Whatever stands after it, what is genuine is found or the whole is refused.
    let _ = signer.verify(Some(&both), NOW, body.as_bytes());
    assert!(signer.verify(Some(&genuine), NOW, body.as_bytes()).is_ok());
    let _ = header.parse::<TenantId>();
    let _ = Timestamp::parse_rfc3339(header);
}

/// A provider's delivery, by each provider's file: its events have ids, and are as many as it holds.
pub fn provider_events(bytes: &[u8]) {
    for map in Providers::built_in().iter() {
        if let Ok(events) = psp::read::events(map, bytes) {
            assert!(events.len() <= psp::read::MOST_EVENTS);
            assert!(events.iter().all(|it| !it.event_id.is_empty()));
        }
    }
}

/// A bank's statement or a provider's report.
pub fn statement(bytes: &[u8]) {
    let mut preview = statement::Preview::default();
    let _ = statement::inspect(bytes, None, &mut preview, &mut || {});
}
