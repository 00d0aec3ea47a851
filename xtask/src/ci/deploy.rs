//! What holds for the AWS deployment: it type-checks, synthesises through every pack of rules, is as
//! reviewed, and deploys to an emulator and away again.
//!
//! Tools come from the registries at pinned versions: Node's into `deploy/node_modules`, Python's into
//! the target folder. Where there is no npm or Python the step is skipped, by name.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{Tally, say};
use crate::{emulators, lambda, repo};

/// The oldest Node that the tools run on.
const NODE_MAJOR: u32 = 20;

/// Checks all of it.
pub fn run(tally: &mut Tally) {
    let Some(tools) = Tools::ready(tally) else {
        return;
    };
    let npm = |name: &str| {
        let mut command = tools.in_deploy("npm");
        command.args(["run", "--silent", name]);
        command
    };
    super::step(tally, "deploy: types", &mut npm("check"));
    super::step(
        tally,
        "deploy: synthesis, rules of AWS and PCI",
        &mut npm("synth"),
    );
    super::step(tally, "deploy: tests", &mut npm("test"));
    let mut lint = tools.in_deploy(tools.python.join("cfn-lint"));
    super::step(tally, "deploy: cfn-lint", &mut lint);
    let mut emulator = npm("emulator");
    match lambda::for_tests() {
        Ok(programs) => drop(emulator.env("LOMBARD_BIN", programs)),
        Err(error) => {
            super::say_more(&format!("{error:#}"));
            tally.check("deploy: the functions' program", false);
        }
    }
    super::step(
        tally,
        "deploy: to an emulator, payments there, and away",
        &mut emulator,
    );
}

struct Tools {
    folder: PathBuf,
    /// Where Python's commands are.
    python: PathBuf,
}

impl Tools {
    /// Fetches what is needed; `None`, and said so, where that cannot be.
    fn ready(tally: &mut Tally) -> Option<Self> {
        let mut skipped = |why: &str| tally.skipped.push(format!("skipped: deploy: {why}"));
        if !node_is_recent() {
            skipped(&format!("no Node {NODE_MAJOR} or later"));
            return None;
        }
        say("deploy: tools");
        let Ok(python) = emulators::python() else {
            skipped("pip cannot install cfn-lint and MiniStack");
            return None;
        };
        let tools = Self {
            folder: repo::root().join("deploy"),
            python,
        };
        let mut install = tools.in_deploy("npm");
        install.args(["ci", "--silent", "--no-audit", "--no-fund"]);
        if !done(&mut install) {
            skipped("npm cannot install what it needs");
            return None;
        }
        Some(tools)
    }

    /// A command in the folder of the deployment, with what it may need to know.
    fn in_deploy(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .current_dir(&self.folder)
            .env("LOMBARD_MINISTACK", self.python.join("ministack"))
            .env("CDK_DISABLE_CLI_TELEMETRY", "true")
            .env("JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION", "true")
            .env("NODE_NO_WARNINGS", "1");
        command
    }
}

fn done(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

fn node_is_recent() -> bool {
    let Ok(output) = Command::new("node").arg("--version").output() else {
        return false;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let major = text.trim().trim_start_matches('v').split('.').next();
    major
        .and_then(|it| it.parse::<u32>().ok())
        .is_some_and(|it| it >= NODE_MAJOR)
}
