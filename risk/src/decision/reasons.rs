//! Reasons in plain words.

use crate::{
    features::{Type, catalogue},
    model::scorer::Contribution,
};

/// What a score says by itself.
#[must_use]
pub fn of_score(model: &str, score: u32) -> String {
    let percent = f64::from(score) / 10_000.0;
    format!("the model {model} gives a probability of fraud of {percent:.2} %")
}

/// What a contribution says, in a sentence without a full stop.
#[must_use]
pub fn in_words(part: &Contribution) -> String {
    let known = catalogue::place(&part.feature).map(|place| &catalogue::all()[place]);
    let Some(feature) = known else {
        return part.feature.clone();
    };
    match (part.value, feature.of) {
        (None, _) => format!("nothing is known of: {}", feature.text),
        (Some(value), Type::Flag) if value != 0.0 => feature.text.clone(),
        (Some(_), Type::Flag) => format!("not: {}", feature.text),
        (Some(value), Type::Int) => format!("{}: {value:.0}", feature.text),
        (Some(value), Type::Real) => format!("{}: {value:.1}", feature.text),
    }
}
