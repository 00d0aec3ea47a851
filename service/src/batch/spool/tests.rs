//! What goes in comes out, and nothing else.

use super::*;
use crate::host::SystemHost;

fn spooled(length: usize, piece: usize) -> (Vec<u8>, Spool) {
    let file: Vec<u8> = (0..length).map(|n| (n * 31 % 251) as u8).collect();
    let mut incoming = Incoming::new(&SystemHost::default(), None);
    for part in file.chunks(piece.max(1)) {
        incoming.push(part).unwrap();
    }
    (file, incoming.end().unwrap())
}

#[test]
fn what_goes_in_comes_out_as_often_as_it_is_read() {
    for (length, piece) in [
        (0, 1),
        (1, 1),
        (MEMORY, 4096),
        (MEMORY + 1, 100_000),
        (MEMORY + CHUNK, CHUNK),
        (3 * MEMORY + 17, 7777),
    ] {
        let (file, mut spool) = spooled(length, piece);
        assert_eq!(spool.bytes, length as u64);
        assert_eq!(spool.digest, <[u8; 32]>::from(Sha256::digest(&file)));
        for _ in 0..2 {
            let mut read = Vec::new();
            spool.read().unwrap().read_to_end(&mut read).unwrap();
            assert!(read == file, "{length} in pieces of {piece}");
        }
    }
}

#[test]
fn a_large_file_is_not_readable_on_the_disk() {
    let (file, spool) = spooled(2 * MEMORY, CHUNK);
    let Held::Disk { file: on_disk, .. } = &*spool.held else {
        panic!("it is large enough for the disk");
    };
    let mut raw = Vec::new();
    (&*on_disk).seek(SeekFrom::Start(0)).unwrap();
    (&*on_disk).read_to_end(&mut raw).unwrap();
    assert!(raw.len() > file.len());
    assert!(!raw.windows(32).any(|part| part == &file[..32]));
}

#[test]
fn a_kept_file_is_there_after_the_process_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let place = Some(folder.path());
    let file: Vec<u8> = (0..2 * CHUNK + 9).map(|n| (n * 31 % 251) as u8).collect();
    let mut incoming = Incoming::new(&SystemHost::default(), place);
    incoming.push(&file).unwrap();
    let spool = incoming.end().unwrap();
    let Held::Disk { secret, named, .. } = &*spool.held else {
        panic!("it is in the folder");
    };
    let path = named.lock().as_ref().unwrap().to_path_buf();
    let (secret, digest) = (secret.clone(), spool.digest);
    spool.keep().unwrap();
    drop(spool);

    let open = |length| Spool::reopen(&path, &*secret, digest, length);
    let mut again = open(file.len() as u64).unwrap();
    let mut read = Vec::new();
    again.read().unwrap().read_to_end(&mut read).unwrap();
    assert!(read == file);
    assert!(open(file.len() as u64 - 1).is_err(), "it was cut");
    let mut raw = std::fs::read(&path).unwrap();
    raw[70_000] ^= 1;
    std::fs::write(&path, raw).unwrap();
    let mut bent = open(file.len() as u64).unwrap();
    assert!(bent.read().unwrap().read_to_end(&mut read).is_err());

    let mut other = Incoming::new(&SystemHost::default(), place);
    other.push(b"not kept").unwrap();
    drop(other.end().unwrap());
    std::fs::write(folder.path().join("somebody-else-s"), b"").unwrap();
    tidy(folder.path(), |_| true).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    tidy(folder.path(), |_| false).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
