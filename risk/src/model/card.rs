//! The model card: what people should know before they let a model decide about payments.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::train::Settings;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// The first and last day of the data that it learned from.
    pub span: (String, String),
    /// Payments and frauds that it learned from.
    pub rows: (usize, usize),
    /// How old labels were at least.
    pub label_delay_days: u32,
    /// How it was grown.
    pub settings: Settings,
    /// What was measured on payments after those, by name.
    pub metrics: Vec<(String, f64)>,
    /// The features with their share of all questions, the most asked first.
    pub features: Vec<(String, f64)>,
    /// At which scores what is done, and what it would cost, in words.
    pub thresholds: Vec<String>,
}

/// What is true of every model of this kind.
const LIMITS: &[&str] = &[
    "It knows what the features know: frauds that look like their payer's other payments are not found.",
    "It learned from reported frauds. What nobody reported was learned as genuine.",
    "A pattern that is new since the last day of its data is not in it; watch the drift figures, and train again.",
    "Figures measured on simulated data say nothing about production.",
];

impl Card {
    /// The card as a page.
    #[must_use]
    pub fn page(&self, version: &str) -> String {
        let mut page = format!("# Model {version}\n\n");
        let (from, to) = &self.span;
        let (rows, frauds) = self.rows;
        let _ = writeln!(
            page,
            "Learned from {rows} payments of {from} to {to}, of which {frauds} were fraud; labels were at least {} days old.\n",
            self.label_delay_days
        );
        let _ = writeln!(page, "Grown as: `{:?}`\n", self.settings);
        let mut table = |title: &str, head: &str, rows: &[(String, f64)]| {
            let _ = writeln!(page, "## {title}\n\n| {head} | |\n|---|---|");
            for (name, value) in rows {
                let _ = writeln!(page, "| {name} | {value:.4} |");
            }
            page.push('\n');
        };
        table("Measured", "figure", &self.metrics);
        table("What it asks about", "feature", &self.features);
        page += "## Thresholds\n\n";
        for line in &self.thresholds {
            let _ = writeln!(page, "* {line}");
        }
        page += "\n## Limits\n\n";
        for line in LIMITS {
            let _ = writeln!(page, "* {line}");
        }
        page
    }
}
