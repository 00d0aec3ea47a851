//! A running `lombard up` for a test, and the command for everything else.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;

/// The command with some arguments, of which the environment of the test run sets nothing.
pub fn lombard(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lombard"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LOMBARD_")) {
        command.env_remove(name);
    }
    command.args(args).stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub fn run(args: &[&str]) -> Output {
    lombard(args).output().expect("the command runs")
}

/// Its exit code, its standard output and its standard error.
pub fn ended(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap_or(-1),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// A running server. It is killed when this is dropped.
pub struct Server {
    child: Child,
    /// What it said when it was ready.
    pub ready: Value,
}

impl Server {
    /// Starts one on free ports and waits until it is ready.
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// The same, with variables of the environment.
    pub fn start_with(data: &Path, variables: &[(&str, &str)]) -> Self {
        let mut child = lombard(&[
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
        .envs(variables.iter().copied())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command runs");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it is read");
        let ready = serde_json::from_str(&line).expect("a line of JSON when it is ready");
        Self { child, ready }
    }

    /// A text of what it said.
    pub fn text(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap_or_default()
    }

    /// Asks it to end, and gives the exit code.
    pub fn stop(mut self) -> i32 {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it runs");
        self.child.wait().expect("it ends").code().unwrap_or(-1)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
