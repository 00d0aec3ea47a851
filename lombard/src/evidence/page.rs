//! The pack as a page that can be printed: no scripts, nothing fetched.

use maud::{DOCTYPE, Markup, html};
use serde_json::Value;

use super::{
    Pack,
    controls::{Control, Ended},
    gather::Part,
};

const STYLE: &str = "\
body{font:15px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;color:#1b2430}\
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}\
.note{border-left:4px solid #b45309;padding:.5rem 1rem;background:#fff7ed}\
table{border-collapse:collapse;width:100%;font-size:.87rem}\
th,td{border-bottom:1px solid #d5dbe3;padding:.4rem .6rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}\
th{background:#f3f5f8}.passed{color:#166534}.failed,.not{color:#b91c1c;font-weight:600}.said{color:#57606e}\
code{font-size:.82rem}";

/// The page.
pub fn of(pack: &Pack) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Lombard: evidence" }
                style { (STYLE) }
            }
            body {
                h1 { "Evidence" }
                p { "Lombard " (pack.version) ", written " (pack.written_at) "." }
                p.note { (pack.about) }
                h2 { "Requirements" }
                p { "Tests: " (pack.tests) "." }
                (controls(&pack.controls))
                @match &pack.installation {
                    Some(installation) => @for (name, part) in installation.parts() {
                        h2 { (name) }
                        (of_part(part))
                    },
                    None => { h2 { "Installation" } p { "No server was asked." } }
                }
                h2 { "What it is made of" }
                p { (pack.parts) " parts, in " code { "sbom.cdx.json" } " (CycloneDX 1.6)." }
                h2 { "Known vulnerabilities" }
                @match &pack.advisories {
                    Some(said) => pre { (said) },
                    None => p { "Not looked up: no output of an audit of the dependencies was given (--advisories)." }
                }
            }
        }
    }
}

fn controls(controls: &[Control]) -> Markup {
    html! {
        table {
            thead { tr {
                th { "Standard" } th { "Requirement" } th { "How it is met" } th { "Tests" }
                th { "The deployer's part" }
            } }
            tbody {
                @for control in controls {
                    tr {
                        td { (control.standard) }
                        td { (control.requirement) }
                        td {
                            @if control.not_met { span.not { "Not met in full. " } }
                            (plain(&control.how))
                        }
                        td {
                            @for named in &control.tests {
                                div { code { (named.test) } " " span class=(class(named.ended)) { (named.ended.words()) } }
                            }
                        }
                        td { (plain(&control.deployer)) }
                    }
                }
            }
        }
    }
}

const fn class(ended: Ended) -> &'static str {
    match ended {
        Ended::Passed => "passed",
        Ended::Failed | Ended::NotRun => "failed",
        Ended::NotSaid => "said",
    }
}

/// Text without the marks of the pages that it is from.
fn plain(text: &str) -> String {
    text.replace("**", "").replace('`', "")
}

fn of_part(part: &Part) -> Markup {
    match part {
        Part::Unread { unread } => html! { p.not { "Could not be read: " (unread) } },
        Part::Read(rows) if rows.is_empty() => html! { p { "None." } },
        Part::Read(rows) => table(rows),
    }
}

/// A table of what was read, with the columns that any row has, in the order in which they come.
fn table(rows: &[Value]) -> Markup {
    let mut columns: Vec<&str> = Vec::new();
    for name in rows
        .iter()
        .filter_map(Value::as_object)
        .flat_map(|row| row.keys())
    {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    html! {
        table {
            thead { tr { @for name in &columns { th { (name) } } } }
            tbody {
                @for row in rows {
                    tr { @for name in &columns { td { (cell(&row[*name])) } } }
                }
            }
        }
    }
}

fn cell(value: &Value) -> Markup {
    match value {
        Value::Null => html! {},
        Value::String(text) => html! { (text) },
        Value::Object(_) => html! { details { summary { "show" } code { (value) } } },
        value => html! { code { (value) } },
    }
}
