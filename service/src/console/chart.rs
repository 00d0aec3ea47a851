//! Charts: drawn on the server, each with its figures as a table beside it.
//!
//! Places across are shares of the chart's width and letters have a size of their own, so a chart
//! is as easy to read in a narrow card as in a wide one.

use maud::{Markup, html};

use super::words::grouped;

/// A bar: what it counts, how many, and in which tone.
pub struct Bar {
    /// What.
    pub name: String,
    /// How many.
    pub count: usize,
    /// As a status has it.
    pub tone: &'static str,
}

/// A bar of a share that is told in words of its own.
pub struct Measure {
    /// What.
    pub name: String,
    /// How long it is, in millionths of the whole length.
    pub ppm: u64,
    /// What it says.
    pub figure: String,
    /// As a status has it.
    pub tone: &'static str,
}

/// The height of a bar with what is around it, in pixels.
const ROW: usize = 30;
/// Where bars begin, and how long they are, in hundredths of the width.
const BEGIN: u64 = 40;
const LENGTH: u64 = 40;

/// Bars one under the other, the longest of them over the whole length. `what` names the chart to
/// who does not see it.
pub fn bars(what: &str, bars: &[Bar]) -> Markup {
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1);
    let measure = |bar: &Bar| Measure {
        name: bar.name.clone(),
        ppm: u64::try_from(bar.count * 1_000_000 / most).unwrap_or(1_000_000),
        figure: grouped(u64::try_from(bar.count).unwrap_or(u64::MAX)),
        tone: bar.tone,
    };
    measures(
        what,
        "How many",
        &bars.iter().map(measure).collect::<Vec<_>>(),
    )
}

/// The same of shares; `heading` says in the table what the figures are.
pub fn measures(what: &str, heading: &str, all: &[Measure]) -> Markup {
    html! {
        svg.bars width="100%" height=(ROW * all.len()) role="img" aria-label=(format!("{what}; the table below has the figures")) {
            @for (at, one) in all.iter().enumerate() {
                @let y = at * ROW;
                g {
                    title { (one.name) ": " (one.figure) }
                    text x="0" y=(y + 19) { (one.name) }
                    rect.track x=(format!("{BEGIN}%")) y=(y + 7) width=(format!("{LENGTH}%")) height="16" rx="4" {}
                    @if one.ppm > 0 {
                        rect class=(one.tone) x=(format!("{BEGIN}%")) y=(y + 7) width=(width(one.ppm)) height="16" rx="4" {}
                    }
                    text.figure x="100%" y=(y + 19) text-anchor="end" { (one.figure) }
                }
            }
        }
        details.figures {
            summary { "As a table" }
            table {
                caption.hidden { (what) }
                thead { tr { th scope="col" { "What" } th.right scope="col" { (heading) } } }
                tbody { @for one in all { tr { td { (one.name) } td.right.figure { (one.figure) } } } }
            }
        }
    }
}

/// A length in hundredths of the width, at least as long as it is round.
fn width(ppm: u64) -> String {
    let parts = (ppm.min(1_000_000) * LENGTH / 10_000).max(150);
    format!("{}.{:02}%", parts / 100, parts % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_takes_the_whole_length_and_the_least_is_seen() {
        assert_eq!(width(1_000_000), "40.00%");
        assert_eq!(width(9_000_000), "40.00%");
        assert_eq!(width(500_000), "20.00%");
        assert_eq!(width(1), "1.50%");
        let bar = |name: &str, count| Bar {
            name: name.to_owned(),
            count,
            tone: "good",
        };
        let drawn = bars("Things", &[bar("<b>", 4), bar("none", 0)]).into_string();
        assert!(drawn.contains("<title>&lt;b&gt;: 4</title>"), "{drawn}");
        assert_eq!(
            drawn.matches("class=\"good\"").count(),
            1,
            "nothing has no bar"
        );
    }
}
