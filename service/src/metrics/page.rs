//! The page `docs/metrics.md`.

use std::fmt::Write;

use super::catalogue::catalogue;
use super::kinds::BUCKETS_S;

const HEAD: &str = include_str!("page_head.txt");

/// The page, made of the catalogue.
#[must_use]
pub fn page() -> String {
    let bounds = BUCKETS_S.map(|bound| bound.to_string()).join(", ");
    let mut page = HEAD.replace("{bounds}", &bounds);
    for row in catalogue() {
        let labels: Vec<_> = row.labels.iter().map(described).collect();
        let labels = if labels.is_empty() {
            "none".to_owned()
        } else {
            labels.join("; ")
        };
        // Writing to a text does not fail.
        let _ = writeln!(
            page,
            "| `{}` | {} | {labels} | {} |",
            row.name, row.kind, row.help
        );
    }
    page
}

fn described((name, values): &(&'static str, Vec<&'static str>)) -> String {
    if values.is_empty() {
        return format!("`{name}`: as declared in `openapi.json`, or `none`");
    }
    let values: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
    format!("`{name}`: {}", values.join(", "))
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;

    #[test]
    fn the_page_is_what_the_catalogue_says() {
        expect_file!["../../../docs/metrics.md"].assert_eq(&super::page());
    }
}
