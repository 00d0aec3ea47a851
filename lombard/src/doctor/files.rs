//! The data folder: its keys, its disk, what the clock says of it, and the backup.

use std::{
    fs::Metadata,
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, SystemTime},
};

use super::{Findings, Health};
use crate::up::{KEY_FILE, LOG_KEY_FILE, SHRED_FILE};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Older keys should be exchanged.
const KEY_AGE: Duration = DAY.saturating_mul(365);
/// An older backup is none.
const BACKUP_AGE: Duration = DAY.saturating_mul(2);
/// A file from so far ahead means that the clock was set back.
const AHEAD: Duration = Duration::from_secs(60);
/// Below this the store's index stops.
const ROOM_LEAST: u64 = 256 << 20;
/// Below this somebody should make room.
const ROOM_ENOUGH: u64 = 2 << 30;

/// Looks at a folder and at the folder of its backups.
pub fn look(data: &Path, backup: Option<&Path>, found: &mut Findings) {
    if !data.is_dir() {
        let says = format!("{} is no folder; give --data", data.display());
        return found.note(Health::Wrong, "data folder", says);
    }
    for name in [KEY_FILE, SHRED_FILE, LOG_KEY_FILE] {
        key(&data.join(name), name, found);
    }
    disk(data, found);
    clock(data, found);
    match backup {
        None => found.note(Health::Worry, "backup", "not looked at; give --backup"),
        Some(folder) => match age(newest(folder)) {
            Some(age) if age < BACKUP_AGE => {
                let hours = age.as_secs() / 3600;
                found.note(
                    Health::Fine,
                    "backup",
                    format!("the newest file is {hours} h old"),
                );
            }
            Some(age) => {
                let days = age.as_secs() / DAY.as_secs();
                let says = format!("the newest file is {days} days old; run `lombard backup`");
                found.note(Health::Wrong, "backup", says);
            }
            None => {
                let says = format!(
                    "there is none in {}; run `lombard backup`",
                    folder.display()
                );
                found.note(Health::Wrong, "backup", says);
            }
        },
    }
}

fn key(path: &Path, name: &str, found: &mut Findings) {
    let Ok(metadata) = path.metadata() else {
        let says = "it is missing; put it back from where it is kept (docs/runbooks/start.md)";
        return found.note(Health::Wrong, name, says);
    };
    if metadata.permissions().mode() & 0o077 != 0 {
        let says = format!("others may read it: chmod 600 {}", path.display());
        return found.note(Health::Wrong, name, says);
    }
    match age(metadata.modified().ok()) {
        Some(age) if age > KEY_AGE => {
            let days = age.as_secs() / DAY.as_secs();
            found.note(
                Health::Worry,
                name,
                format!("it is {days} days old; exchange it"),
            );
        }
        _ => found.note(Health::Fine, name, "it is there, and its owner's alone"),
    }
}

fn disk(data: &Path, found: &mut Findings) {
    let Ok(disk) = rustix::fs::statvfs(data) else {
        return found.note(Health::Worry, "disk", "it cannot be asked how full it is");
    };
    let free = disk.f_bavail * disk.f_frsize;
    let health = match free {
        free if free < ROOM_LEAST => Health::Wrong,
        free if free < ROOM_ENOUGH => Health::Worry,
        _ => Health::Fine,
    };
    found.note(health, "disk", format!("{} MiB are free", free >> 20));
}

/// A clock that was set back makes ids and time-outs wrong.
fn clock(data: &Path, found: &mut Findings) {
    let ahead = newest(&data.join("log")).and_then(|newest| newest.duration_since(now()).ok());
    match ahead {
        Some(ahead) if ahead > AHEAD => {
            let says = format!(
                "files are from {} s ahead: the clock was set back; mend it before a start",
                ahead.as_secs()
            );
            found.note(Health::Wrong, "clock", says);
        }
        _ => found.note(
            Health::Fine,
            "clock",
            "it is not behind what was written last",
        ),
    }
}

fn newest(folder: &Path) -> Option<SystemTime> {
    let files = folder.read_dir().ok()?.flatten();
    let times = files.filter_map(|file| file.metadata().as_ref().ok().map(Metadata::modified));
    times.flatten().max()
}

fn age(of: Option<SystemTime>) -> Option<Duration> {
    Some(now().duration_since(of?).unwrap_or_default())
}

#[expect(clippy::disallowed_methods, reason = "the clock itself is looked at")]
fn now() -> SystemTime {
    SystemTime::now()
}
