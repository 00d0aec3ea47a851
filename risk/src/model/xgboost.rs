//! Reads XGBoost's JSON model schema: `gbtree`, one output, numerical splits.

use serde::Deserialize;

use super::forest::{Forest, Raw, Unusable};

#[derive(Deserialize)]
struct File {
    learner: Learner,
}

#[derive(Deserialize)]
struct Learner {
    gradient_booster: Booster,
    learner_model_param: Parameters,
    objective: Objective,
}

#[derive(Deserialize)]
struct Parameters {
    base_score: String,
    num_feature: String,
    #[serde(default)]
    num_class: String,
}

#[derive(Deserialize)]
struct Objective {
    name: String,
}

#[derive(Deserialize)]
struct Booster {
    name: String,
    model: Model,
}

#[derive(Deserialize)]
struct Model {
    trees: Vec<Tree>,
}

#[derive(Deserialize)]
struct Tree {
    left_children: Vec<i64>,
    right_children: Vec<i64>,
    split_indices: Vec<u32>,
    split_conditions: Vec<f32>,
    #[serde(deserialize_with = "flags")]
    default_left: Vec<bool>,
    #[serde(default)]
    split_type: Vec<u8>,
}

/// Written as 0 and 1 by some versions, as false and true by others.
fn flags<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<bool>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Flag(bool),
        Number(u8),
    }
    let flags = Vec::<Either>::deserialize(deserializer)?;
    let read = |flag: Either| match flag {
        Either::Flag(flag) => flag,
        Either::Number(number) => number != 0,
    };
    Ok(flags.into_iter().map(read).collect())
}

/// Reads a model.
///
/// # Errors
/// [`Unusable`] says what it has that we do not read.
pub fn read(text: &str) -> Result<Forest, Unusable> {
    let file: File = serde_json::from_str(text).map_err(|error| Unusable(error.to_string()))?;
    let learner = file.learner;
    let parameters = &learner.learner_model_param;
    if learner.gradient_booster.name != "gbtree" {
        return Err(Unusable("only `gbtree` is read".into()));
    }
    if !matches!(parameters.num_class.as_str(), "" | "0" | "1") {
        return Err(Unusable("it has more than one output".into()));
    }
    let base = base_margin(&parameters.base_score, &learner.objective.name)?;
    let features = parameters.num_feature.parse();
    let features = features.map_err(|_| Unusable("`num_feature` is no number".into()))?;
    let mut forest = Forest::new(base, features);
    for tree in &learner.gradient_booster.model.trees {
        forest.add(&raw(tree)?)?;
    }
    Ok(forest)
}

/// The base score is kept as a probability for logistic models: the margin is its log odds.
fn base_margin(text: &str, objective: &str) -> Result<f32, Unusable> {
    let number = text.trim_matches(|c| c == '[' || c == ']');
    let base: f32 = number
        .parse()
        .map_err(|_| Unusable("`base_score` is no number".into()))?;
    match objective {
        "binary:logistic" => Ok(-(1.0 / base - 1.0).ln()),
        "binary:logitraw" | "reg:squarederror" => Ok(base),
        other => Err(Unusable(format!("the objective `{other}` is not read"))),
    }
}

fn raw(tree: &Tree) -> Result<Vec<Raw>, Unusable> {
    let nodes = tree.left_children.len();
    let lengths = [
        tree.right_children.len(),
        tree.split_indices.len(),
        tree.split_conditions.len(),
        tree.default_left.len(),
    ];
    if lengths.iter().any(|length| *length != nodes) {
        return Err(Unusable("the lists of a tree differ in length".into()));
    }
    if tree.split_type.iter().any(|kind| *kind != 0) {
        return Err(Unusable("it splits by categories".into()));
    }
    let child =
        |number: i64| usize::try_from(number).map_err(|_| Unusable("a child is missing".into()));
    (0..nodes)
        .map(|node| {
            let value = tree.split_conditions[node];
            if tree.left_children[node] < 0 {
                return Ok(Raw {
                    split: None,
                    leaf: value,
                });
            }
            let (left, right) = (
                child(tree.left_children[node])?,
                child(tree.right_children[node])?,
            );
            let split = (
                tree.split_indices[node],
                value,
                left,
                right,
                tree.default_left[node],
            );
            Ok(Raw {
                split: Some(split),
                leaf: 0.0,
            })
        })
        .collect()
}
