//! Charts: drawn on the server, each with its figures as a table beside it.

use maud::{Markup, html};

/// A bar: what it counts, how many, and in which tone.
pub struct Bar {
    /// What.
    pub name: String,
    /// How many.
    pub count: usize,
    /// As a status has it.
    pub tone: &'static str,
}

const ROW: usize = 30;
const NAMES: usize = 132;
const LENGTH: usize = 176;

/// Bars one under the other. `what` names the chart to who does not see it.
pub fn bars(what: &str, bars: &[Bar]) -> Markup {
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1);
    html! {
        svg.bars viewBox=(format!("0 0 360 {}", ROW * bars.len())) role="img" aria-label=(format!("{what}; the table below has the figures")) {
            @for (at, bar) in bars.iter().enumerate() {
                @let y = at * ROW;
                @let width = (bar.count * LENGTH).div_ceil(most);
                text x="0" y=(y + 19) { (bar.name) }
                rect.track x=(NAMES) y=(y + 7) width=(LENGTH) height="16" rx="4" {}
                @if width > 0 {
                    rect class=(bar.tone) x=(NAMES) y=(y + 7) width=(width.max(4)) height="16" rx="4" {
                        title { (bar.name) ": " (bar.count) }
                    }
                }
                text.figure x="360" y=(y + 19) text-anchor="end" { (bar.count) }
            }
        }
        details.figures {
            summary { "As a table" }
            table {
                caption.hidden { (what) }
                thead { tr { th scope="col" { "What" } th.right scope="col" { "How many" } } }
                tbody { @for bar in bars { tr { td { (bar.name) } td.right.figure { (bar.count) } } } }
            }
        }
    }
}
