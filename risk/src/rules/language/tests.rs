//! Conditions hold or do not, and what is wrong with one is said with its column.

use lombard_core::time::Timestamp;

use super::*;
use crate::features::{Book, Subject};

fn holds(source: &str) -> Result<bool, String> {
    let condition = Condition::compile(source).map_err(|wrong| wrong[0].to_string())?;
    let at = Timestamp::from_unix_ms(1_700_000_000_000);
    let payee = Subject::numbered(Kind::Payee, 7);
    let event = Event::new(1, at, 25_000)
        .with(Kind::Customer, Subject::numbered(Kind::Customer, 1))
        .with(Kind::Payee, payee);
    let mut lists = Lists::default();
    lists.add("mules", payee, None);
    let facts = Facts {
        vector: &Book::default().vector(&event),
        event: &event,
        rail: "fps",
        currency: "GBP",
        lists: &lists,
    };
    condition.holds(&facts)
}

#[test]
fn conditions_hold_or_do_not() {
    for (source, wanted) in [
        ("amount > 20000", true),
        ("amount > 20000 && !new_payee", false),
        ("new_payee && rail == 'fps'", true),
        ("rail in ['sepa_inst', 'book']", false),
        ("amount % 1000 == 0 ? night : weekend", false),
        ("customer_z_score > 3.0 || customer_count_1h >= 0", true),
        ("in_list('mules', payee)", true),
        ("in_list('mules', device) || in_list('other', payee)", false),
        ("double(amount) * 0.5 > 12000.0", true),
        ("payee_since_last_s > 86400", true),
        ("-amount < 0", true),
    ] {
        assert_eq!(holds(source), Ok(wanted), "{source}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_column() {
    for (source, line, column, wanted) in [
        ("amuont > 5", 1, 1, "near are: amount"),
        ("amount > 220.0", 1, 10, "22000"),
        ("customer_z_score > 3", 1, 20, "5.0"),
        ("new_payee &&\n  amount", 1, 11, "does not go between"),
        ("true &&\n  payee_cuont_1h > 3", 2, 3, "payee_count_1h"),
        ("amount", 1, 1, "must be true or false"),
        ("payee == 'x'", 1, 1, "in_list"),
        ("in_list(payee, 'mules')", 1, 9, "in_list("),
        ("amount in [1, 2.0]", 1, 15, "choices"),
        ("[1].exists(x, x > 1)", 1, 1, ""),
        ("rail + 'x' == 'y'", 1, 6, "does not go"),
        ("rail == 'fpss'", 1, 9, "there is no rail `fpss`"),
        ("'fpss' != rail", 1, 1, "there is no rail `fpss`"),
        (
            "currency in ['GBP', 'POUND']",
            1,
            21,
            "there is no currency",
        ),
        ("amount >", 1, 9, "ends too early"),
        ("amount > > 5", 1, 10, "`>` cannot stand here"),
    ] {
        let wrong = Condition::compile(source).unwrap_err();
        let first = &wrong[0];
        assert!(first.message.contains(wanted), "{source}: {first}");
        if !wanted.is_empty() {
            assert_eq!(
                (first.line, first.column),
                (line, column),
                "{source}: {first}"
            );
        }
    }
    assert!(!Condition::compile("amount >").unwrap_err().is_empty());
}

#[test]
fn a_division_by_zero_is_told() {
    assert!(holds("amount / customer_count_1h > 5").is_err());
}
