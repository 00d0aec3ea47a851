//! A running `lombard up` for a test, and the command for everything else.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread::JoinHandle,
    time::Duration,
};

use serde_json::{Value, json};

/// The command with some arguments, of which the environment of the test run sets nothing.
pub fn lombard(args: &[&str]) -> Command {
    let mut command = clean(env!("CARGO_BIN_EXE_lombard"));
    command.args(args).stdin(Stdio::null());
    command
}

/// A command to which the environment of the test run says nothing of Lombard.
pub fn clean(program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LOMBARD_")) {
        command.env_remove(name);
    }
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
    /// What it says on standard error, until it ends.
    said: Option<JoinHandle<String>>,
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
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it is read");
        let mut stderr = child.stderr.take().expect("it is piped");
        let said = std::thread::spawn(move || {
            let mut said = String::new();
            // What is not text is not read to its end, and then missing from the message.
            let _ = stderr.read_to_string(&mut said);
            said
        });
        let Ok(ready) = serde_json::from_str(&line) else {
            let _ = child.wait();
            let said = said.join().unwrap_or_default();
            panic!("no line of JSON: {line}{said}");
        };
        Self {
            child,
            ready,
            said: Some(said),
        }
    }

    /// A text of what it said.
    pub fn text(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap_or_default()
    }

    /// Gets JSON.
    pub fn get(&self, path: &str) -> Value {
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: lombard\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
            self.text("api_key"),
        );
        let (status, body) = self.ask(&head).unwrap_or_default();
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Posts JSON, and gives the status and the answer; 0 from a server that is ending.
    pub fn post(&self, path: &str, key: &str, body: &str) -> (u16, Value) {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: lombard\r\nauthorization: Bearer {}\r\nidempotency-key: {key}\r\n\
             content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            self.text("api_key"),
            body.len()
        );
        self.ask(&head).unwrap_or_default()
    }

    /// Posts anything, with headers as lines that end in CRLF.
    pub fn send(&self, path: &str, headers: &str, body: &str) -> (u16, Value) {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: lombard\r\n{headers}connection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.ask(&head).unwrap_or_default()
    }

    /// Tells the simulators of this server something (docs/rails.md).
    pub fn control(&self, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let head = format!(
            "POST /control/{path} HTTP/1.1\r\nhost: rail\r\ncontent-type: application/json\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let (status, said) = ask(self.text("rail_url"), &head).unwrap_or_default();
        assert!((200..300).contains(&status), "{path}: {status} {said}");
        said
    }

    /// Lets so much time pass for the server.
    pub fn ahead(&self, time: Duration) {
        self.control("clock", &json!({"ahead_seconds": time.as_secs()}));
    }

    /// The status of an answer and its JSON; `None` from a server that takes no connection.
    fn ask(&self, request: &str) -> Option<(u16, Value)> {
        ask(self.text("url"), request)
    }

    /// Ends it without a word, as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Waits until it ends by itself, and gives the exit code and what it said.
    pub fn wait(mut self) -> (i32, String) {
        let ended = self.child.wait().expect("it ends");
        let said = self.said.take().and_then(|said| said.join().ok());
        (ended.code().unwrap_or(-1), said.unwrap_or_default())
    }

    /// Asks it to end, and gives the exit code.
    pub fn stop(mut self) -> i32 {
        self.terminate()
    }

    /// The same, of one that is started again.
    pub fn terminate(&mut self) -> i32 {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it runs");
        self.child.wait().expect("it ends").code().unwrap_or(-1)
    }
}

fn ask(url: &str, request: &str) -> Option<(u16, Value)> {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).ok()?;
    let mut said = String::new();
    let asked = stream.write_all(request.as_bytes());
    // What came before the end is the answer, whole or not.
    let _ = asked.and_then(|()| stream.read_to_string(&mut said));
    let status = said.get(9..12).and_then(|status| status.parse().ok());
    let body = said.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let body = serde_json::from_str(body).unwrap_or_default();
    Some((status.unwrap_or(0), body))
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
