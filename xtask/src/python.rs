//! Programs from PyPI, each set in an environment of its own under the target folder.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::repo;

/// The folder of a set's programs, installed first unless `program` is there; `None` where that
/// cannot be done.
pub fn installed(set: &str, program: &str, packages: &[&str]) -> Option<PathBuf> {
    let folder = repo::target().join(set);
    let programs = folder.join("bin");
    if !programs.join(program).exists() {
        make(&folder, &programs, packages)?;
    }
    Some(programs)
}

fn make(folder: &Path, programs: &Path, packages: &[&str]) -> Option<()> {
    let mut venv = Command::new("python3");
    let mut pip = Command::new(programs.join("pip"));
    let made = works(venv.args(["-m", "venv"]).arg(folder))
        && works(pip.args(["install", "--quiet"]).args(packages));
    made.then_some(())
}

fn works(command: &mut Command) -> bool {
    let output = command.output();
    output.is_ok_and(|output| output.status.success())
}
