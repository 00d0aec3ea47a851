//! The curve from which thresholds are chosen, as a picture: what share of frauds is at or above
//! each score, and what share of those payments is fraud. SVG, so that a report needs no script.

use std::fmt::Write as _;

use super::costs::{Point, Thresholds};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 320.0;
const MARGIN: f64 = 40.0;
/// Scores are drawn by the power of ten, from a millionth to one.
const DECADES: f64 = 6.0;

/// Draws the curve with the thresholds on it. Nothing of a tenant's is in the picture but numbers.
#[must_use]
pub fn curve(points: &[Point], thresholds: Thresholds) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"11\" role=\"img\" aria-label=\"Recall and precision by score\">\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>"
    );
    for tenth in [0.0, 0.5, 1.0] {
        let at = y(tenth);
        let _ = write!(
            svg,
            "<line x1=\"{MARGIN}\" x2=\"{}\" y1=\"{at}\" y2=\"{at}\" stroke=\"#ddd\"/><text x=\"8\" y=\"{}\">{:.0} %</text>",
            WIDTH - MARGIN,
            at + 4.0,
            tenth * 100.0
        );
    }
    for power in 0..=6u32 {
        let score = 10u32.pow(power);
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{} %</text>",
            x(score),
            HEIGHT - MARGIN + 16.0,
            f64::from(score) / 1e4
        );
    }
    let named = [
        ("challenge", thresholds.challenge),
        ("review", thresholds.review),
        ("decline", thresholds.decline),
    ];
    for (name, score) in named.into_iter().filter(|(_, score)| *score <= 1_000_000) {
        let at = x(score);
        let _ = write!(
            svg,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{}\" y2=\"{}\" stroke=\"#999\" stroke-dasharray=\"4 3\"/>\
             <text x=\"{:.1}\" y=\"{}\" transform=\"rotate(-90 {:.1} {})\">{name}</text>",
            y(1.0),
            y(0.0),
            at - 3.0,
            y(0.05),
            at - 3.0,
            y(0.05)
        );
    }
    line(&mut svg, points, "recall", "#1f6feb", |point| point.recall);
    line(&mut svg, points, "precision", "#d1242f", |point| {
        point.precision
    });
    svg + "</svg>\n"
}

fn line(svg: &mut String, points: &[Point], name: &str, colour: &str, of: fn(&Point) -> f64) {
    let _ = write!(
        svg,
        "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\""
    );
    for point in points {
        let _ = write!(svg, "{:.1},{:.1} ", x(point.threshold), y(of(point)));
    }
    let legend = if name == "recall" { 60.0 } else { 130.0 };
    let _ = write!(
        svg,
        "\"/><text x=\"{legend}\" y=\"20\" fill=\"{colour}\">{name}</text>"
    );
}

fn x(score: u32) -> f64 {
    let along = f64::from(score.max(1)).log10() / DECADES;
    MARGIN + along * (WIDTH - 2.0 * MARGIN)
}

fn y(share: f64) -> f64 {
    HEIGHT - MARGIN - share * (HEIGHT - 2.0 * MARGIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::costs;

    #[test]
    fn what_is_better_is_drawn_higher_and_what_is_never_done_is_not_drawn() {
        let scores = [10, 900_000, 950_000, 20];
        let points = costs::curve(&scores, &[false, true, true, false]);
        let thresholds = Thresholds {
            challenge: 1_000,
            review: 10_000,
            decline: 1_000_001,
        };
        let svg = curve(&points, thresholds);
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains(">review<") && !svg.contains(">decline<"));
        assert!(y(1.0) < y(0.0) && x(1) < x(1_000_000));
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert!(!svg.contains("NaN"), "{svg}");
    }
}
