//! `docs/risk-features.md` is written from the catalogue, so it says what the code does.
//!
//! `UPDATE_EXPECT=1 cargo test -p lombard-risk --test it catalogue_doc` writes it anew.

use expect_test::expect_file;
use lombard_risk::{
    features::catalogue::{self, CATALOGUE_LEN},
    handbook,
};

#[test]
fn the_page_is_the_catalogue() {
    expect_file!["../../../docs/risk-features.md"].assert_eq(&catalogue::page());
}

#[test]
fn names_are_distinct_and_lead_back() {
    assert_eq!(catalogue::all().len(), CATALOGUE_LEN);
    for (place, feature) in catalogue::all().iter().enumerate() {
        assert_eq!(
            catalogue::place(&feature.name),
            Some(place),
            "{}",
            feature.name
        );
    }
    assert_eq!(handbook::places().len(), handbook::FEATURES.len());
    assert_eq!(catalogue::nearest("payee_cuont_1h")[0], "payee_count_1h");
}
