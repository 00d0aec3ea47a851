//! The peer: what a careful team would write on PostgreSQL, run beside us by the same client.
//!
//! The folder of the peer has a crate of a server (arguments: HTTP port, PostgreSQL port, pool,
//! `tx` or `proc`, hot) and, one level up, the schema. A database of its own is made in a
//! temporary folder, with the settings of the peer's own script, and stopped at the end.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use super::{
    figures::{Figures, median, round},
    load::{self, Load},
    template::{KEY, KeySpace, Place, Template, post},
};

/// Connections to the database, as in the peer's own script.
const POOL: &str = "16";
const SETTINGS: &str = "\
listen_addresses = '127.0.0.1'
shared_buffers = 2GB
max_wal_size = 8GB
min_wal_size = 2GB
checkpoint_timeout = 15min
max_connections = 64
";

/// A built peer with a running database.
pub struct Peer {
    program: PathBuf,
    schema: PathBuf,
    payment: String,
    postgres: Postgres,
}

/// What the peer reached, in the middle of the runs.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Compared {
    /// `tx`: statements in a transaction; `proc`: one stored procedure.
    pub mode: &'static str,
    /// Its figures.
    pub peer: Figures,
    /// How many times its rate ours is.
    pub ratio: f64,
}

impl Peer {
    /// Builds the server and starts a database.
    pub fn start(folder: &Path) -> Result<Self> {
        let folder = folder.canonicalize().context("the peer's folder")?;
        let target = std::env::temp_dir().join("lombard-peer");
        let built = Command::new("cargo")
            .args(["build", "--release", "--quiet", "--locked"])
            .current_dir(&folder)
            .arg("--target-dir")
            .arg(&target)
            .status()?;
        ensure!(built.success(), "the peer does not build");
        let payment = folder.join("../../yardstick/payment.json");
        Ok(Self {
            program: target.join("release/pghttp"),
            schema: folder.join("../schema.sql"),
            payment: std::fs::read_to_string(&payment)
                .with_context(|| payment.display().to_string())?,
            postgres: Postgres::start()?,
        })
    }

    /// Runs it once on a fresh schema.
    pub fn run(
        &self,
        mode: &str,
        hot: bool,
        like: &Load<Template>,
        space: KeySpace,
    ) -> Result<Figures> {
        self.postgres.fresh(&self.schema)?;
        let address = free_address()?;
        let mut server = Command::new(&self.program)
            .args([
                &address.port().to_string(),
                &self.postgres.port.to_string(),
                POOL,
                mode,
            ])
            .arg(if hot { "1" } else { "0" })
            .stdin(Stdio::null())
            .spawn()?;
        let ran = wait_for(address).and_then(|()| {
            let requests = self.template(address, space);
            load::run(&Load {
                address,
                requests,
                ..like.clone()
            })
        });
        let _ = server.kill();
        let _ = server.wait();
        Ok(Figures::of(&ran?))
    }

    /// The yardstick's payment, each with its own key and one of many debtors.
    fn template(&self, address: SocketAddr, space: KeySpace) -> Template {
        const DEBTOR: &str = "DE89370400440532013000";
        let body = self.payment.trim();
        let body = body.replace("8f14e45f-ceea-467f-a0e6-5d4c3b2a1f00", KEY);
        let debtors: Vec<String> = (0..10_007).map(|n| format!("DE{n:020}")).collect();
        let request = post(&address.to_string(), "/v1/payments", "", &body);
        let places = vec![
            (KEY, Place::Key(space)),
            (DEBTOR, Place::OneOf(debtors.into())),
        ];
        Template::new(&request, places)
    }
}

/// The middle of the peer's runs beside the middle of ours.
#[must_use]
pub fn compare(mode: &'static str, ours: &Figures, runs: &[Figures]) -> Compared {
    let peer = median(runs).clone();
    let ratio = round(ours.payments_per_second / peer.payments_per_second, 2);
    Compared { mode, peer, ratio }
}

/// A database in a temporary folder, stopped when this is dropped.
struct Postgres {
    folder: tempfile::TempDir,
    tools: PathBuf,
    port: u16,
}

impl Postgres {
    fn start() -> Result<Self> {
        let found = Command::new("sh")
            .args(["-c", "readlink -f \"$(command -v postgres)\""])
            .output()?;
        let found = PathBuf::from(String::from_utf8(found.stdout)?.trim());
        let tools = found
            .parent()
            .filter(|_| found.is_file())
            .context("PostgreSQL 15 is not installed")?;
        let (tools, folder, port) = (
            tools.to_owned(),
            tempfile::tempdir()?,
            free_address()?.port(),
        );
        let postgres = Self {
            folder,
            tools,
            port,
        };
        // PostgreSQL does not run as root; its user must reach the folder.
        succeed(
            Command::new("chown")
                .arg("postgres")
                .arg(postgres.folder.path()),
        )?;
        succeed(
            postgres
                .tool("initdb")
                .args(["-A", "trust", "--no-locale", "-E", "UTF8"]),
        )?;
        let settings = format!(
            "{SETTINGS}port = {port}\nunix_socket_directories = '{}'\n",
            postgres.folder.path().display()
        );
        std::fs::write(postgres.data().join("postgresql.auto.conf"), settings)?;
        let log = postgres.folder.path().join("log");
        succeed(
            postgres
                .tool("pg_ctl")
                .arg("-l")
                .arg(log)
                .args(["-w", "start"]),
        )?;
        Ok(postgres)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// One of its tools, as its user, on its data.
    fn tool(&self, name: &str) -> Command {
        let mut command = Command::new("runuser");
        command
            .args(["-u", "postgres", "--"])
            .arg(self.tools.join(name))
            .arg("-D")
            .arg(self.data());
        command.current_dir("/").stdout(Stdio::null());
        command
    }

    fn fresh(&self, schema: &Path) -> Result<()> {
        let psql = || {
            let mut psql = Command::new("psql");
            psql.args([
                "-q",
                "-h",
                "127.0.0.1",
                "-U",
                "postgres",
                "-p",
                &self.port.to_string(),
            ]);
            psql.stdout(Stdio::null()).stderr(Stdio::null());
            psql
        };
        succeed(psql().arg("-f").arg(schema))?;
        succeed(psql().args(["-c", "VACUUM ANALYZE", "-c", "CHECKPOINT"]))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self
            .tool("pg_ctl")
            .args(["-m", "fast", "-w", "stop"])
            .status();
    }
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?}"))?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn wait_for(address: SocketAddr) -> Result<()> {
    for _ in 0..100 {
        if std::net::TcpStream::connect_timeout(&address, Duration::from_millis(100)).is_ok() {
            return Ok(());
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    anyhow::bail!("the peer does not listen")
}
