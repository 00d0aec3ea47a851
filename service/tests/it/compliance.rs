//! The pages on compliance name tests; those tests exist.

use std::{fs, path::PathBuf};

#[test]
fn every_test_that_a_page_names_exists() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut named = 0;
    for page in fs::read_dir(root.join("docs/compliance")).unwrap() {
        let page = page.unwrap().path();
        let text = fs::read_to_string(&page).unwrap();
        for name in text.split('`').skip(1).step_by(2) {
            let Some((file, function)) = name.split_once(".rs") else {
                continue;
            };
            let file = root.join(format!("{file}.rs"));
            let source = fs::read_to_string(&file).unwrap_or_default();
            assert!(
                source.contains("#[test") || source.contains("#[tokio::test"),
                "{name}"
            );
            if let Some(function) = function.strip_prefix("::") {
                let written = format!("fn {function}()");
                assert!(source.contains(&written), "{} names {name}", page.display());
            }
            named += 1;
        }
    }
    assert!(named > 20, "the pages name {named} tests");
}
