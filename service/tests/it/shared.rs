//! The test material that lies beside the repository, and its absence, told aloud.

use std::path::PathBuf;

/// The path of a file or folder of the shared material, or `None` after saying that the test is skipped.
#[allow(clippy::print_stderr)] // A skipped test is reported on stderr by convention.
pub fn path(test: &str, relative: &str) -> Option<PathBuf> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared"));
    if !root.is_dir() {
        eprintln!("skipped: {test}: no ../shared");
        return None;
    }
    Some(root.join(relative))
}

/// The text of a file of the shared material, or `None` after saying that the test is skipped.
pub fn text(test: &str, relative: &str) -> Option<String> {
    let path = path(test, relative)?;
    Some(
        std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display())),
    )
}
