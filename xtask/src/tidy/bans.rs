//! Words that may not stand in the sources, where, and what to write instead. What clippy can
//! ban by its path is in `clippy.toml`; here is what only the text shows.

use crate::repo::File;

/// A word that may not stand in some files.
struct Ban {
    word: &'static str,
    /// Files under these prefixes, with this ending.
    under: &'static [&'static str],
    ending: &'static str,
    /// Files in which it is allowed all the same.
    except: &'static [&'static str],
    instead: &'static str,
}

const EVERYWHERE: &[&str] = &[""];
const CORE: &[&str] = &["core/src/"];

const fn ban(
    word: &'static str,
    under: &'static [&'static str],
    ending: &'static str,
    instead: &'static str,
) -> Ban {
    Ban {
        word,
        under,
        ending,
        except: &["xtask/src/tidy/bans.rs"],
        instead,
    }
}

const BANS: &[Ban] = &[
    ban(
        "TODO",
        EVERYWHERE,
        "",
        "do it, or write down in docs/ that it is absent",
    ),
    ban("FIXME", EVERYWHERE, "", "fix it"),
    ban(
        "unimplemented!(",
        EVERYWHERE,
        ".rs",
        "an error that the caller can act on",
    ),
    ban("dbg!(", EVERYWHERE, ".rs", "a `tracing` event"),
    ban(
        "#[allow(dead_code)]\n",
        EVERYWHERE,
        ".rs",
        "why after it, or delete what is not used",
    ),
    ban(
        "#[allow(clippy::all",
        EVERYWHERE,
        ".rs",
        "the one lint, with its reason",
    ),
    ban("#[ignore]", EVERYWHERE, ".rs", "`#[ignore = \"why\"]`"),
    ban(
        "/home/",
        EVERYWHERE,
        "",
        "a path relative to the repository",
    ),
    ban("issue #", EVERYWHERE, "", "the reason itself"),
    ban(
        "async fn",
        CORE,
        ".rs",
        "a value that says what to do; the service does it",
    ),
    ban(
        ".await",
        CORE,
        ".rs",
        "a value that says what to do; the service does it",
    ),
    ban("use std::fs", CORE, ".rs", "the bytes as an argument"),
    ban("use std::net", CORE, ".rs", "the bytes as an argument"),
    ban(
        "use std::thread",
        CORE,
        ".rs",
        "a function; the service runs it",
    ),
    ban(
        "f64",
        CORE,
        ".rs",
        "integers; basis points for rates (a lint would find those in serde's derives)",
    ),
    ban("f32", CORE, ".rs", "integers; basis points for rates"),
    ban(
        "tokio::",
        CORE,
        ".rs",
        "a value that says what to do; the service does it",
    ),
    ban(
        "lombard_aws",
        &["service/", "embedded/", "sim/"],
        ".rs",
        "a port of `service/src/ports.rs`",
    ),
    ban(
        "lombard_embedded",
        &["service/src/"],
        ".rs",
        "a port of `service/src/ports.rs`",
    ),
];

/// Every banned word in every file.
pub fn findings(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        for ban in BANS.iter().filter(|ban| ban.covers(&file.path)) {
            for (number, line) in file.text.split_inclusive('\n').enumerate() {
                if line.contains(ban.word) {
                    findings.push(format!(
                        "{}:{}: `{}` is banned: write {}",
                        file.path,
                        number + 1,
                        ban.word.trim_end(),
                        ban.instead
                    ));
                }
            }
        }
    }
    findings
}

impl Ban {
    fn covers(&self, path: &str) -> bool {
        self.under.iter().any(|prefix| path.starts_with(prefix))
            && path.ends_with(self.ending)
            && !self.except.contains(&path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        let (path, text) = (path.to_owned(), text.to_owned());
        findings(&[File { path, text }]).len()
    }

    #[test]
    fn a_banned_word_is_found_where_it_is_banned() {
        assert_eq!(found("core/src/plan.rs", "pub async fn plan() {}"), 1);
        assert_eq!(found("service/src/app.rs", "pub async fn execute() {}"), 0);
        assert_eq!(found("docs/x.md", "fine\nTODO: say why"), 1);
        assert_eq!(found("service/src/app.rs", "use lombard_embedded::Log;"), 1);
        assert_eq!(
            found("xtask/src/tidy/bans.rs", "TODO"),
            0,
            "the list itself"
        );
    }
}
