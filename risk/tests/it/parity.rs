//! Our evaluator gives what the library that grew the trees gives, bit for bit.

use hessboost::{
    config::{TrainingParams, TreeMethod},
    data::DMatrix,
    model::{BoostedModel, Iterations, ModelFormat},
    objective::{Objective, RegLoss},
    training,
};
use lombard_risk::model::{lightgbm, xgboost};

use super::world::draw;

/// Rows with one value in ten missing, and labels that follow from two columns.
fn rows(count: u64, width: u64) -> (Vec<f32>, Vec<f32>) {
    let value = |row: u64, column: u64| {
        let place = row * width + column;
        if draw(9, place, 10) == 0 {
            f32::NAN
        } else {
            draw(1, place, 1000) as f32 / 7.0
        }
    };
    let values: Vec<f32> = (0..count)
        .flat_map(|row| (0..width).map(move |column| value(row, column)))
        .collect();
    let labels =
        (0..count).map(|row| f32::from(u8::from(value(row, 0) > 90.0 || value(row, 3) < 20.0)));
    (values, labels.collect())
}

#[test]
fn xgboost_margins_are_the_same_bits() {
    let (values, labels) = rows(3000, 6);
    let data = DMatrix::from_dense(&values, 3000, 6)
        .unwrap()
        .with_labels(&labels)
        .unwrap();
    let params = TrainingParams::builder()
        .objective(Objective::BinaryLogistic(RegLoss::default()))
        .tree_method(TreeMethod::Hist)
        .max_depth(5)
        .subsample(0.8)
        .build()
        .unwrap();
    let model = training::train(&params, &data, 60).unwrap();
    let text = String::from_utf8(model.encode(ModelFormat::XgboostJson).unwrap()).unwrap();
    // Read by the library again, so that both have read the same text.
    let theirs = BoostedModel::decode(&text, ModelFormat::XgboostJson).unwrap();
    let ours = xgboost::read(&text).unwrap();
    assert_eq!(ours.trees(), 60);
    let margins = theirs.predict_margin(&data, Iterations::Best).unwrap();
    for (row, margin) in values.chunks(6).zip(margins.as_slice()) {
        assert_eq!(ours.margin(row).to_bits(), margin.to_bits(), "{row:?}");
    }
}

#[test]
fn what_xgboost_writes_and_we_do_not_read_is_refused() {
    let (values, labels) = rows(200, 2 * 2);
    let data = DMatrix::from_dense(&values, 200, 4)
        .unwrap()
        .with_labels(&labels)
        .unwrap();
    let params = TrainingParams::builder().build().unwrap();
    let model = training::train(&params, &data, 2).unwrap();
    let text = String::from_utf8(model.encode(ModelFormat::XgboostJson).unwrap()).unwrap();
    assert!(xgboost::read(&text).is_ok());
    for (from, to) in [
        ("reg:squarederror", "multi:softprob"),
        ("gbtree", "dart"),
        ("base_score", "other"),
    ] {
        assert!(xgboost::read(&text.replace(from, to)).is_err(), "{to}");
    }
}

/// A small model in LightGBM's text, written after its documentation.
const LIGHTGBM: &str = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\nobjective=binary sigmoid:1\nfeature_names=a b\nfeature_infos=[0:100] [0:100]\ntree_sizes=283\n\n\
Tree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=0 1\nsplit_gain=1 1\nthreshold=50.5 20.25\ndecision_type=8 10\nleft_child=1 -1\nright_child=-2 -3\nleaf_value=-0.5 0.75 0.125\nleaf_weight=1 1 1\nleaf_count=1 1 1\ninternal_value=0 0\ninternal_weight=0 0\ninternal_count=3 2\nis_linear=0\nshrinkage=1\n\n\nend of trees\n\nfeature_importances:\na=1\n\nparameters:\nend of parameters\n";

#[test]
fn lightgbm_margins_are_the_library_s() {
    let ours = lightgbm::read(LIGHTGBM).unwrap();
    let theirs = BoostedModel::decode(LIGHTGBM, ModelFormat::LightgbmText).unwrap();
    let (values, _) = rows(500, 2);
    let data = DMatrix::from_dense(&values, 500, 2).unwrap();
    let margins = theirs.predict_margin(&data, Iterations::Best).unwrap();
    for (row, margin) in values.chunks(2).zip(margins.as_slice()) {
        assert!(
            (ours.margin(row) - margin).abs() < 1e-6,
            "{row:?}: {} {margin}",
            ours.margin(row)
        );
    }
}
