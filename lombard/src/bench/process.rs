//! A server of our own in a process of its own, so that client and server share nothing but the
//! machine; and what it used, as Linux tells.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use crate::exit::{Exit, Failure, OrExit, failure};

/// What `lombard up --json` prints when it is ready.
#[derive(Clone, Debug, Deserialize)]
pub struct Ready {
    /// Where the API is.
    pub url: String,
    /// The demo tenant's key.
    pub api_key: String,
}

/// A running `lombard up`. It is stopped when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// What it said of itself.
    pub ready: Ready,
}

impl Process {
    /// Starts a server on a data folder, on free ports, and waits until it is ready.
    ///
    /// # Errors
    /// When it cannot be started or ends before it is ready.
    pub fn start(data: &Path) -> Result<Self, Failure> {
        Self::start_with(data, &[])
    }

    /// The same with settings that are not the defaults, by the names of their variables.
    ///
    /// # Errors
    /// As [`Process::start`].
    pub fn start_with(data: &Path, settings: &[(&str, &OsStr)]) -> Result<Self, Failure> {
        let program = std::env::current_exe().or_exit(Exit::Internal, "no program")?;
        let mut command = Command::new(program);
        // What is measured is the defaults, whatever is set here for other servers.
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"LOMBARD_") {
                command.env_remove(name);
            }
        }
        let mut child = command
            .args([
                "up",
                "--json",
                "--listen",
                "127.0.0.1:0",
                "--rail-listen",
                "127.0.0.1:0",
            ])
            .arg("--data")
            .arg(data)
            .env("LOMBARD_LOG_FILTER", "warn")
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .or_exit(Exit::Internal, "the server cannot be started")?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            // A server that does not get ready ends, and ends the line with it.
            let _ = BufReader::new(stdout).read_line(&mut line);
        }
        match serde_json::from_str(&line) {
            Ok(ready) => Ok(Self { child, ready }),
            Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(failure(
                    Exit::Internal,
                    format!("the server did not get ready: {}", line.trim()),
                ))
            }
        }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a crash would (`kill -9`).
    pub fn crash(mut self) {
        // It is gone either way, and dropping waits for it.
        let _ = self.child.kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(id) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(id, Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

/// Processor time that a process has used, with its ended children.
#[must_use]
pub fn cpu_time(id: u32) -> Option<Duration> {
    // Linux counts in hundredths of a second whatever the kernel's own tick is.
    const TICK_MS: u64 = 10;
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The second field is the name in brackets, which may have spaces; user and system time are
    // the 12th and 13th after it.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * TICK_MS))
}

/// Memory of a process that is in use, in bytes.
#[must_use]
pub fn memory_bytes(id: u32) -> Option<u64> {
    status(id, "VmRSS:")
}

/// The most that a process had in use, since it began or since [`forget_peak`].
#[must_use]
pub fn peak_memory_bytes(id: u32) -> Option<u64> {
    status(id, "VmHWM:")
}

/// Begins anew with the most that a process had in use.
pub fn forget_peak(id: u32) {
    // Where the kernel does not let us, the peak is of the whole run, which is more.
    let _ = std::fs::write(format!("/proc/{id}/clear_refs"), "5");
}

fn status(id: u32, name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}

/// Whether a folder lies on a disk, as far as can be told: in memory nothing is durable.
#[must_use]
pub fn is_on_disk(folder: &Path) -> bool {
    const TMPFS: rustix::fs::FsWord = 0x0102_1994;
    const RAMFS: rustix::fs::FsWord = 0x8584_58f6;
    rustix::fs::statfs(folder).is_ok_and(|found| !matches!(found.f_type, TMPFS | RAMFS))
}
