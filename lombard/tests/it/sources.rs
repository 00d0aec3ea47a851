//! Sources whose files are fetched: from a folder, and by SFTP from OpenSSH's own server.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::park_timeout,
    time::{Duration, Instant, UNIX_EPOCH},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::server::Server;

const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than a look and its settling take.
const LOOKS: Duration = Duration::from_secs(4);

/// A statement of one line that is no payment of ours.
fn statement(number: u32) -> String {
    format!(
        ":20:S{number}\r\n:25:10020030/1234567\r\n:28C:{number}/1\r\n:60F:C261101GBP100,00\r\n\
         :61:2611021102C5,00NTRFNONREF//B{number}\r\n:86:FROM NOBODY {number}\r\n:62F:C261102GBP105,00\r\n-\r\n"
    )
}

/// A server with these settings.
fn server(folder: &TempDir, settings: &str) -> Server {
    let config = folder.path().join("lombard.toml");
    fs::write(&config, settings).expect("written");
    let config = config.to_str().expect("a path of text");
    Server::start_with(&folder.path().join("data"), &[("LOMBARD_CONFIG", config)])
}

/// What the source says of itself.
fn source(server: &Server) -> Value {
    let mut all = server.get("/v1/reconciliation/sources");
    all["data"][0].take()
}

fn runs(server: &Server) -> usize {
    let runs = server.get("/v1/reconciliation/runs");
    runs["data"].as_array().map_or(0, Vec::len)
}

/// The reason of the exception of a kind, when there is one.
fn exception(server: &Server, kind: &str) -> Option<String> {
    let all = server.get("/v1/exceptions");
    let mut all = all["data"].as_array()?.iter();
    let found = all.find(|it| it["kind"] == kind)?;
    Some(found["reason"].as_str()?.to_owned())
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "it never was so: {what}");
        park_timeout(Duration::from_millis(100));
    }
}

#[test]
fn a_folder_is_watched_and_each_file_is_taken_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (come, done) = (folder.path().join("come"), folder.path().join("done"));
    fs::create_dir_all(&come).expect("made");
    fs::create_dir_all(&done).expect("made");
    let settings = format!(
        "[reconciliation.sources.bank.fetch]\nevery_seconds = 1\nfolder = {come:?}\ndone = {done:?}\n"
    );
    let server = server(&folder, &settings);
    fs::write(come.join("half.sta.part"), statement(1)).expect("written");
    fs::write(come.join("one.sta"), statement(2)).expect("written");
    wait_until("taken", || done.join("one.sta").exists());
    assert_eq!(runs(&server), 1);
    assert!(exception(&server, "missing_here").is_some());
    let told = source(&server);
    assert_eq!(
        (&told["from"], &told["files"]),
        (&"folder".into(), &1.into())
    );
    assert_eq!(
        (&told["failures"], &told["last_file"]),
        (&0.into(), &"one.sta".into())
    );

    // The same under its name again, and what is no statement.
    fs::write(come.join("one.sta"), statement(2)).expect("written");
    fs::write(come.join("photo.jpg"), b"\xff\xd8\xff\xe0 no statement").expect("written");
    wait_until("put away", || {
        done.join("one.sta.1").exists() && done.join("photo.jpg").exists()
    });
    assert_eq!(runs(&server), 1);
    assert!(exception(&server, "broken_statement").is_some_and(|it| it.contains("photo.jpg")));
    assert!(
        come.join("half.sta.part").exists(),
        "it is still being written"
    );
}

/// OpenSSH's server in this process' name, on a port of its own.
struct Sshd {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Sshd {
    /// `None`, and said, where there is none and no strict run.
    fn start(test: &str) -> Option<Self> {
        let sshd = Path::new("/usr/sbin/sshd");
        if !sshd.exists() {
            eprintln!("skipped: {test}: no OpenSSH server");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["host", "other", "client"] {
            keygen(&folder.path().join(name));
        }
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("out")).expect("made");
        fs::copy(at("client.pub"), at("authorized")).expect("copied");
        // Where it gives its rights up; it insists on the folder when it begins with them.
        let _ = fs::create_dir_all("/run/sshd");
        // Free now; nobody else is likely to take it in between.
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("its address").port();
        drop(free);
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {host}\nAuthorizedKeysFile {keys}\nPidFile none\n\
             StrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\nSubsystem sftp internal-sftp\n",
            host = at("host").display(),
            keys = at("authorized").display(),
        );
        fs::write(at("sshd_config"), config).expect("written");
        let child = Command::new(sshd)
            .args(["-D", "-e", "-f"])
            .arg(at("sshd_config"))
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        Some(Self {
            child,
            folder,
            port,
        })
    }

    fn out(&self, name: &str) -> PathBuf {
        self.folder.path().join("out").join(name)
    }

    /// The settings of a source there, which must show the public key of this name.
    fn settings(&self, host: &str) -> String {
        let at = |name: &str| self.folder.path().join(name);
        let key = fs::read_to_string(at(&format!("{host}.pub"))).expect("a key");
        let user = std::env::var("USER").unwrap_or_else(|_| "root".to_owned());
        format!(
            "[reconciliation.sources.bank.fetch]\nevery_seconds = 1\n\
             [reconciliation.sources.bank.fetch.sftp]\naddress = \"127.0.0.1:{}\"\nuser = {user:?}\n\
             host_keys = [{:?}]\nkey_file = {:?}\nfolder = {:?}\n",
            self.port,
            key.trim(),
            at("client"),
            at("out"),
        )
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn keygen(path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path)
        .status();
    assert!(made.expect("ssh-keygen is there").success());
}

#[test]
fn files_are_pulled_by_sftp_once_and_when_they_change() {
    let Some(sshd) = Sshd::start("files_are_pulled_by_sftp_once_and_when_they_change") else {
        return;
    };
    fs::write(sshd.out("one.sta"), statement(1)).expect("written");
    fs::write(sshd.out(".two.sta"), statement(2)).expect("written");
    let folder = tempfile::tempdir().expect("a folder");
    let server = server(&folder, &sshd.settings("host"));
    wait_until("fetched", || source(&server)["files"] == 1);
    assert_eq!(runs(&server), 1);
    assert_eq!(source(&server)["from"], "sftp");
    assert!(
        sshd.out("one.sta").exists(),
        "what is the bank's stays there"
    );

    // Written again as it is: it is read, and known.
    let file = fs::File::options().append(true).open(sshd.out("one.sta"));
    let later = UNIX_EPOCH + Duration::from_secs(2_000_000_000);
    file.expect("opened").set_modified(later).expect("touched");
    wait_until("read again", || source(&server)["files"] == 2);
    park_timeout(LOOKS);
    assert_eq!((runs(&server), &source(&server)["files"]), (1, &2.into()));

    // Another content under the same name.
    fs::write(sshd.out("one.sta"), statement(31)).expect("written");
    wait_until("the new one", || runs(&server) == 2);
    let told = source(&server);
    assert_eq!((&told["failures"], &told["why"]), (&0.into(), &Value::Null));
}

#[test]
fn a_server_with_another_host_key_is_refused() {
    let Some(sshd) = Sshd::start("a_server_with_another_host_key_is_refused") else {
        return;
    };
    fs::write(sshd.out("one.sta"), statement(1)).expect("written");
    let folder = tempfile::tempdir().expect("a folder");
    let server = server(&folder, &sshd.settings("other"));
    wait_until("refused", || {
        exception(&server, "source_unreachable").is_some()
    });
    let why = exception(&server, "source_unreachable").expect("it is open");
    assert!(why.contains("host key"), "{why}");
    assert_eq!((runs(&server), &source(&server)["files"]), (0, &0.into()));
}
