//! A setting looked up: by its key, by its variable, by a key that is nearly its own.

use super::{SETTINGS, Setting};

/// The setting of a key as it stands in a file.
#[must_use]
pub fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| covers(setting.key, key))
}

fn covers(pattern: &str, key: &str) -> bool {
    let (mut pattern, mut key) = (pattern.split('.'), key.split('.'));
    loop {
        match (pattern.next(), key.next()) {
            (None, None) => return true,
            (Some(want), Some(have)) if want == "*" || want == have => {}
            _ => return false,
        }
    }
}

/// The environment variable that sets a key.
#[must_use]
pub fn variable(key: &str) -> String {
    format!("LOMBARD_{}", key.replace(['.', '-'], "_").to_uppercase())
}

/// The known key that is most like `key`, to suggest it.
#[must_use]
pub fn nearest(key: &str) -> Option<&'static str> {
    let by_distance = |setting: &&Setting| distance(setting.key, key);
    let nearest = SETTINGS.iter().min_by_key(by_distance)?;
    (distance(nearest.key, key) <= 3).then_some(nearest.key)
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_and_suggested() {
        assert!(find("rails.fps.url").is_some());
        assert!(find("rails.url").is_none());
        assert_eq!(
            nearest("htpp.connections_max"),
            Some("http.connections_max")
        );
        assert_eq!(nearest("something_else"), None);
        assert_eq!(
            variable("http.body_bytes_max"),
            "LOMBARD_HTTP_BODY_BYTES_MAX"
        );
    }
}
