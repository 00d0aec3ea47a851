//! `lombard evidence`: what an assessor asks for first, in one folder: the requirements with how each is
//! met and what its tests said, who has access, keys and their ages, what was read back in clear with
//! proofs, what was erased and what the law defers, and what the program is made of.
//!
//! **It is no certificate**, and says so: it shows what this software and this installation can say of
//! themselves. What could not be looked at is named with the reason, never left out.

mod controls;
mod gather;
mod page;
mod parts_list;

use std::{fs, path::PathBuf};

use clap::Args;
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use self::{
    controls::{Control, Results},
    gather::Installation,
};
use crate::{
    client,
    exit::{Exit, Failure, OrExit, Outcome},
    say,
};

/// What the pack is and is not, on its first page.
const NO_CERTIFICATE: &str = "This pack is no certificate. It is what the software and the installation say of \
    themselves; an assessor looks at the installation, its network, its people and their work.";

/// Arguments of `lombard evidence`.
#[derive(Debug, Args)]
#[command(after_help = "\
Writes evidence.html, evidence.json and sbom.cdx.json (CycloneDX 1.6). The key must have the grants
`audit`, `credentials` and `vault_keys`; what it may not read is named as such.
The exit code is 1 when a test that a requirement names failed or, with --tests, did not run.

Examples: lombard evidence --out evidence-2026-11
          lombard evidence --out pack --offline --tests target/test-results.json")]
pub struct Evidence {
    #[command(flatten)]
    server: client::Server,
    /// The folder to write to; made if it is not there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What the tests of this version said, as `./test` writes it (target/test-results.json).
    #[arg(long, value_name = "FILE")]
    tests: Option<PathBuf>,
    /// What an audit of the dependencies said: the output of `cargo audit --json` or `cargo deny`.
    #[arg(long, value_name = "FILE")]
    advisories: Option<PathBuf>,
    /// Ask no server: requirements, tests and the list of parts alone.
    #[arg(long)]
    offline: bool,
}

/// The pack.
#[derive(Debug, Serialize)]
struct Pack {
    about: &'static str,
    version: &'static str,
    written_at: String,
    controls: Vec<Control>,
    /// What the tests were taken from, or that none were given.
    tests: String,
    /// Absent when no server was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    installation: Option<Installation>,
    /// How many parts `sbom.cdx.json` lists.
    parts: usize,
    /// What was said of known vulnerabilities, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    advisories: Option<String>,
}

/// What was written, in short.
#[derive(Debug, Serialize)]
struct Told {
    out: PathBuf,
    controls: usize,
    passed: usize,
    failed: usize,
    not_run: usize,
    not_met: usize,
    parts: usize,
    /// What could not be read of the installation.
    unread: Vec<String>,
}

/// Writes the pack.
pub async fn run(args: &Evidence, as_json: bool) -> Outcome {
    let results = Results::read(args.tests.as_deref())?;
    let advisories = args.advisories.as_ref().map(|path| {
        let text = fs::read_to_string(path);
        text.or_exit(Exit::Usage, path.display())
    });
    let installation = if args.offline {
        None
    } else {
        Some(gather::from(&args.server.remote()?).await?)
    };
    let sbom = parts_list::cyclone_dx();
    let now = OffsetDateTime::now_utc();
    let pack = Pack {
        about: NO_CERTIFICATE,
        version: env!("CARGO_PKG_VERSION"),
        written_at: now.format(&Rfc3339).or_exit(Exit::Internal, "the time")?,
        controls: controls::all(&results),
        tests: results.source(),
        parts: sbom["components"].as_array().map_or(0, Vec::len),
        installation,
        advisories: advisories.transpose()?,
    };
    fs::create_dir_all(&args.out).or_exit(Exit::NotWritable, args.out.display())?;
    write(args, "evidence.json", &pretty(&pack)?)?;
    write(args, "sbom.cdx.json", &pretty(&sbom)?)?;
    write(args, "evidence.html", &page::of(&pack).into_string())?;
    tell(args, &pack, as_json);
    let broken = pack.controls.iter().any(Control::is_broken);
    Ok(if broken { Exit::No } else { Exit::Done })
}

fn pretty(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(value).or_exit(Exit::Internal, "the pack")
}

fn write(args: &Evidence, name: &str, text: &str) -> Result<(), Failure> {
    let path = args.out.join(name);
    fs::write(&path, text).or_exit(Exit::NotWritable, path.display())
}

fn tell(args: &Evidence, pack: &Pack, as_json: bool) {
    let count = |which: fn(&Control) -> bool| pack.controls.iter().filter(|it| which(it)).count();
    let unread = pack.installation.as_ref().map(Installation::unread);
    let told = Told {
        out: args.out.clone(),
        controls: pack.controls.len(),
        passed: count(Control::has_passed),
        failed: count(Control::has_failed),
        not_run: count(Control::was_not_run),
        not_met: count(|it| it.not_met),
        parts: pack.parts,
        unread: unread.unwrap_or_default(),
    };
    if as_json {
        return say::json(&told);
    }
    let out = args.out.display();
    say::line(&format!(
        "{out}: {} requirements ({} with tests that passed, {} failed, {} not run; {} say that they are not \
         met by the software), {} parts",
        told.controls, told.passed, told.failed, told.not_run, told.not_met, told.parts
    ));
    for what in &told.unread {
        say::line(&format!("  not read: {what}"));
    }
    say::line(NO_CERTIFICATE);
}
