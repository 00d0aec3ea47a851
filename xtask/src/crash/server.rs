//! The processes of a crash test: a simulator that lives through it all, and a server that is
//! killed again and again on the same folder and the same address.

use std::{
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};
use serde_json::Value;

/// The secret between the two.
const SECRET: &str = "crash-test-secret";

/// A child that is killed when this is dropped.
pub struct Process {
    child: Child,
    /// The line that it said when it was ready.
    pub ready: Value,
}

impl Process {
    /// Starts it, and waits until it says that it is ready.
    pub fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{command:?}"))?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("no output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let ready =
            serde_json::from_str(&line).with_context(|| format!("{command:?} said {line:?}"));
        match ready {
            Ok(ready) => Ok(Self { child, ready }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Kills it at once (SIGKILL), wherever it is.
    pub fn kill(mut self) {
        // Dropping does it; this names it.
        let _ = self.child.kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the processes of one test have in common.
pub struct Stage<'a> {
    /// The binary.
    pub program: &'a Path,
    /// The data folder.
    pub data: &'a Path,
    /// Where the server listens, every time.
    pub server: SocketAddr,
    /// Where the simulator listens.
    pub simulator: SocketAddr,
}

impl Stage<'_> {
    /// Starts the simulator.
    pub fn simulator(&self) -> Result<Process> {
        Process::start(
            Command::new(self.program)
                .args([
                    "sim",
                    "rail",
                    "--json",
                    "--listen",
                    &self.simulator.to_string(),
                ])
                .args([
                    "--lombard-url",
                    &format!("http://{}", self.server),
                    "--secret",
                    SECRET,
                ])
                .env("LOMBARD_LOG_FILTER", "error"),
        )
    }

    /// Starts the server, as after a crash.
    pub fn server(&self) -> Result<Process> {
        let url = format!("http://{}", self.simulator);
        let mut command = Command::new(self.program);
        command
            .args([
                "up",
                "--json",
                "--listen",
                &self.server.to_string(),
                "--data",
            ])
            .arg(self.data)
            .env("LOMBARD_LOG_FILTER", "error")
            .env("LOMBARD_SIMULATOR", "false");
        for (rail, own_agent) in [("FPS", "000001"), ("SEPA_INST", "COBADEFFXXX")] {
            command
                .env(format!("LOMBARD_RAILS_{rail}_URL"), &url)
                .env(format!("LOMBARD_RAILS_{rail}_SECRET"), SECRET)
                .env(format!("LOMBARD_RAILS_{rail}_OWN_AGENT"), own_agent);
        }
        Process::start(&mut command)
    }
}

/// An address of this machine that nobody listens on.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
