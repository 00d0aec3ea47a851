//! The repository as the tools see it: its root, its files, and commands run in it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

/// The workspace's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The folder of what is built and installed.
pub fn target() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR");
    named.map_or_else(|| root().join("target"), PathBuf::from)
}

/// One file of the repository.
pub struct File {
    /// Relative to the root, with slashes.
    pub path: String,
    /// What is in it. Files that are not text are left out.
    pub text: String,
}

/// Every text file that is under version control, or would be with the next commit.
pub fn files() -> Result<Vec<File>> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .context("git cannot be run")?;
    ensure!(listed.status.success(), "this is not a git repository");
    let mut files = Vec::new();
    for path in String::from_utf8(listed.stdout)?.lines() {
        // A file that was deleted and not yet committed is listed, and cannot be read.
        if let Ok(text) = std::fs::read_to_string(root().join(path)) {
            let path = path.to_owned();
            files.push(File { path, text });
        }
    }
    Ok(files)
}

/// `cargo`, of the version that runs us, in the root.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}
