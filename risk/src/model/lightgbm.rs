//! Reads LightGBM's text model: one output, numerical splits, missing values as `NaN`.
//!
//! LightGBM asks `value <= threshold` in 64 bits where we ask `value < threshold` in 32. For
//! values of 32 bits the two are the same question when our threshold is the least one of 32 bits
//! that lies above theirs; so nothing is lost but the leaves' last digits.

use std::collections::HashMap;

use super::forest::{Forest, Raw, Unusable};

const CATEGORICAL: u32 = 1;
const DEFAULT_LEFT: u32 = 2;
/// Bits 2 and 3 of a decision type: what counts as missing. 0 nothing, 1 zero, 2 `NaN`.
const MISSING_SHIFT: u32 = 2;

/// Reads a model.
///
/// # Errors
/// [`Unusable`] says what it has that we do not read.
pub fn read(text: &str) -> Result<Forest, Unusable> {
    let mut blocks = text.split("\nTree=");
    let head = fields(blocks.next().unwrap_or_default());
    let wrong = |what: &str| Unusable(what.to_owned());
    if head.get("num_tree_per_iteration").copied() != Some("1") {
        return Err(wrong("it has more than one output"));
    }
    let objective = head.get("objective").copied().unwrap_or_default();
    match objective.split(' ').next() {
        Some("binary") if objective.contains("sigmoid:1") && !objective.contains("sigmoid:1.") => {}
        Some("binary") => return Err(wrong("only `sigmoid:1` is read")),
        Some("regression") => {}
        _ => return Err(wrong("the objective is not read")),
    }
    let last = head
        .get("max_feature_idx")
        .and_then(|text| text.parse::<usize>().ok());
    let last = last.ok_or_else(|| wrong("`max_feature_idx` is missing"))?;
    let mut forest = Forest::new(0.0, last + 1);
    for block in blocks {
        forest.add(&tree(&fields(block))?)?;
    }
    Ok(forest)
}

fn fields(block: &str) -> HashMap<&str, &str> {
    let lines = block.lines().take_while(|line| *line != "end of trees");
    lines.filter_map(|line| line.split_once('=')).collect()
}

fn list<T: std::str::FromStr>(
    fields: &HashMap<&str, &str>,
    name: &str,
) -> Result<Vec<T>, Unusable> {
    let text = fields.get(name).copied().unwrap_or_default();
    let items = text.split_ascii_whitespace();
    items
        .map(|item| {
            item.parse()
                .map_err(|_| Unusable(format!("`{name}` holds `{item}`")))
        })
        .collect()
}

#[allow(clippy::needless_range_loop)] // Five lists are read in step.
fn tree(fields: &HashMap<&str, &str>) -> Result<Vec<Raw>, Unusable> {
    let leaves: Vec<f64> = list(fields, "leaf_value")?;
    #[allow(clippy::cast_possible_truncation)] // Scores are of 32 bits.
    let leaf = |value: f64| Raw {
        split: None,
        leaf: value as f32,
    };
    let features: Vec<u32> = list(fields, "split_feature")?;
    if fields.contains_key("is_linear") && fields["is_linear"] != "0" {
        return Err(Unusable("it has linear leaves".into()));
    }
    if features.is_empty() {
        return Ok(leaves
            .first()
            .map(|value| vec![leaf(*value)])
            .unwrap_or_default());
    }
    let thresholds: Vec<f64> = list(fields, "threshold")?;
    let kinds: Vec<u32> = list(fields, "decision_type")?;
    let (left, right): (Vec<i64>, Vec<i64>) =
        (list(fields, "left_child")?, list(fields, "right_child")?);
    let splits = features.len();
    if [thresholds.len(), kinds.len(), left.len(), right.len()]
        .iter()
        .any(|length| *length != splits)
    {
        return Err(Unusable("the lists of a tree differ in length".into()));
    }
    // A negative child is a leaf, counted from the end of the splits here.
    let child = |number: i64| match usize::try_from(number) {
        Ok(node) => node,
        Err(_) => splits + usize::try_from(!number).unwrap_or(usize::MAX - splits),
    };
    let mut nodes = Vec::with_capacity(splits + leaves.len());
    for node in 0..splits {
        let kind = kinds[node];
        if kind & CATEGORICAL != 0 || (kind >> MISSING_SHIFT) & 3 == 1 {
            return Err(Unusable(
                "it splits by categories, or takes zero for missing".into(),
            ));
        }
        // Without a missing type, LightGBM reads `NaN` as zero.
        let nan_is_zero = (kind >> MISSING_SHIFT) & 3 == 0;
        let missing_left = if nan_is_zero {
            0.0 <= thresholds[node]
        } else {
            kind & DEFAULT_LEFT != 0
        };
        let split = (
            features[node],
            above(thresholds[node]),
            child(left[node]),
            child(right[node]),
            missing_left,
        );
        nodes.push(Raw {
            split: Some(split),
            leaf: 0.0,
        });
    }
    nodes.extend(leaves.into_iter().map(leaf));
    Ok(nodes)
}

/// The least number of 32 bits above one of 64.
#[allow(clippy::cast_possible_truncation)] // That is its purpose.
fn above(threshold: f64) -> f32 {
    let near = threshold as f32;
    if f64::from(near) > threshold {
        near
    } else {
        near.next_up()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn less_than_asks_what_at_most_asked(threshold in any::<f64>(), value in any::<f32>()) {
            prop_assume!(!threshold.is_nan() && !value.is_nan() && threshold.abs() < 3e38);
            prop_assert_eq!(f64::from(value) <= threshold, value < above(threshold));
        }
    }

    /// Written by hand after the format's documentation.
    const MODEL: &str = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=1\nobjective=binary sigmoid:1\n\n\
        Tree=0\nnum_leaves=3\nsplit_feature=0 1\nthreshold=1.5 2.5\ndecision_type=8 10\nleft_child=-1 -2\nright_child=1 -3\nleaf_value=0.1 0.2 0.3\n\n\
        Tree=1\nnum_leaves=1\nleaf_value=1\n\nend of trees\n\nfeature_importances:\na=1\n";

    #[test]
    fn a_model_is_read() {
        let forest = read(MODEL).unwrap();
        assert_eq!((forest.trees(), forest.features()), (2, 2));
        for (row, wanted) in [
            ([1.5, 9.0], 1.1),
            ([2.0, 2.5], 1.2),
            ([2.0, 2.6], 1.3),
            ([f32::NAN, f32::NAN], 1.2),
        ] {
            assert!((forest.margin(&row) - wanted).abs() < 1e-6, "{row:?}");
        }
    }

    #[test]
    fn what_is_not_read_is_said() {
        for (from, to, wanted) in [
            ("decision_type=8 10", "decision_type=1 10", "categories"),
            (
                "num_tree_per_iteration=1",
                "num_tree_per_iteration=3",
                "one output",
            ),
            ("sigmoid:1", "sigmoid:0.5", "sigmoid"),
            ("threshold=1.5 2.5", "threshold=1.5 x", "threshold"),
        ] {
            let error = read(&MODEL.replace(from, to)).unwrap_err();
            assert!(error.0.contains(wanted), "{error}");
        }
    }
}
