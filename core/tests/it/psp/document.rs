//! `docs/psp.md` is written from the files, so it says what the code does.
//!
//! `UPDATE_EXPECT=1 cargo test -p lombard-core --test it psp::document` writes it anew.

use std::fmt::Write;

use expect_test::expect_file;
use lombard_core::psp::{Map, News, Providers, map::Row};

#[test]
fn the_document_is_what_the_files_say() {
    let mut document = include_str!("document_head.md").to_owned();
    for map in Providers::built_in().iter() {
        provider(&mut document, map);
    }
    expect_file!["../../../../docs/psp.md"].assert_eq(&format!("{}\n", document.trim_end()));
}

fn provider(document: &mut String, map: &Map) {
    let _ = write!(
        document,
        "## {}\n\n`{}`; source: {} (read {}).\n\n| whose | status or event | when | our event | certifies | final | retry | hint |\n|{}\n",
        map.title,
        map.provider,
        map.source,
        map.read_on,
        "---|".repeat(8)
    );
    let telling = map
        .rows
        .iter()
        .filter(|row| row.news != News::Noted || !row.hint.is_empty());
    for row in telling {
        let _ = writeln!(document, "{}", line(row));
    }
    let noted = map
        .rows
        .iter()
        .filter(|row| row.news == News::Noted && row.hint.is_empty());
    let count = noted.count();
    if count > 0 {
        let _ = write!(
            document,
            "\nAnother {count} say nothing about the state of a payment, and are recorded as `noted`.\n"
        );
    }
    document.push('\n');
}

fn line(row: &Row) -> String {
    let text = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let of = |value| text(serde_json::to_value(value).unwrap_or_default());
    let when: Vec<_> = { row.when.iter() }
        .map(|condition| format!("`{}` = {}", condition.at, condition.is.join(", ")))
        .collect();
    format!(
        "| {} | `{}` | {} | `{}` | {} | {} | {} | {} |",
        row.object,
        row.status,
        when.join("; "),
        of(row.news),
        text(serde_json::to_value(row.certifies).unwrap_or_default()),
        if row.is_final { "yes" } else { "" },
        text(serde_json::to_value(row.retry).unwrap_or_default()),
        row.hint
    )
}
