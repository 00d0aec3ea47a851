//! Decisions from rules and thresholds, their reasons, and that they can be made again.

use lombard_core::time::Timestamp;

use super::*;
use crate::{
    features::{Book, Event, Kind, Subject},
    model::{scorer, train::Settings},
    rules::{Lists, Mode, Rule},
};

fn rule(name: &str, condition: &str, action: Action, mode: Mode) -> Rule {
    Rule {
        name: name.into(),
        version: 1,
        condition: condition.into(),
        action,
        says: format!("{name} says so"),
        author: "ann".into(),
        reason: "a test".into(),
        written_at: Timestamp::default(),
        mode,
        activated_by: None,
        activated_at: None,
    }
}

fn event(amount: u64) -> Event {
    Event::new(amount, Timestamp::from_unix_ms(1_700_000_000_000), amount)
        .with(Kind::Customer, Subject::numbered(Kind::Customer, 1))
}

/// Asks rules alone, or with a score from elsewhere.
fn ask(rules: Vec<Rule>, amount: u64, score: Option<u32>) -> Decision {
    let rules = RuleSet::compile(7, rules, &Lists::default()).unwrap();
    let event = event(amount);
    let facts = Facts {
        vector: &Book::default().vector(&event),
        event: &event,
        rail: "fps",
        currency: "GBP",
        lists: &Lists::default(),
    };
    let thresholds = Thresholds {
        challenge: 100,
        review: 200,
        decline: 300,
    };
    let judges = Judges {
        champion: None,
        challenger: None,
        rules: &rules,
        thresholds,
    };
    let score = score.map_or(Score::Own, |score| Score::Given(score, "elsewhere"));
    decide(judges, &facts, score)
}

#[test]
fn the_severest_prevails_and_an_exception_only_over_the_model() {
    let big = || rule("big", "amount > 100", Action::Review, Mode::Live);
    let known = || rule("known", "amount > 0", Action::Approve, Mode::Live);
    for (rules, amount, score, wanted) in [
        (vec![], 50, None, Action::Approve),
        (vec![], 50, Some(150), Action::Challenge),
        (vec![big()], 500, None, Action::Review),
        (vec![big()], 500, Some(999), Action::Decline),
        (vec![known()], 500, Some(999), Action::Approve),
        (vec![known(), big()], 500, Some(50), Action::Review),
    ] {
        let decision = ask(rules.clone(), amount, score);
        assert_eq!(decision.action, wanted, "{rules:?} {amount} {score:?}");
    }
}

#[test]
fn the_shadow_is_noted_and_decides_nothing() {
    let decision = ask(
        vec![rule("dark", "amount > 0", Action::Decline, Mode::Shadow)],
        5,
        None,
    );
    assert_eq!(decision.action, Action::Approve);
    assert_eq!(decision.fired.len(), 1);
    assert!(!decision.fired[0].decides && decision.reasons.is_empty());
}

/// Without the score that was asked for the plan decides, and rules still hold.
#[test]
fn a_missing_score_is_never_a_silent_yes() {
    let plan = Plan::default();
    let rules = [
        vec![],
        vec![rule("big", "amount > 100", Action::Decline, Mode::Live)],
    ];
    for (rules, amount, wanted) in [
        (&rules[0], 50, Action::Approve),
        (&rules[0], 50_000, Action::Review),
        (&rules[1], 200, Action::Decline),
    ] {
        let rules = RuleSet::compile(7, rules.clone(), &Lists::default()).unwrap();
        let event = event(amount);
        let facts = Facts {
            vector: &Book::default().vector(&event),
            event: &event,
            rail: "fps",
            currency: "GBP",
            lists: &Lists::default(),
        };
        let judges = Judges {
            champion: None,
            challenger: None,
            rules: &rules,
            thresholds: Thresholds::default(),
        };
        let decision = decide(judges, &facts, Score::Missing(Fallback::Unavailable, &plan));
        assert_eq!(decision.action, wanted, "{amount}");
        assert_eq!(decision.fallback, Some(Fallback::Unavailable));
        assert!(decision.reasons[0].contains("fallback"), "{decision:?}");
    }
}

#[test]
fn what_cannot_be_judged_is_reviewed() {
    let broken = |mode| rule("broken", "1 / customer_count_1h > 0", Action::Decline, mode);
    let live = ask(vec![broken(Mode::Live)], 5, None);
    assert_eq!(live.action, Action::Review);
    assert!(
        live.reasons[0].contains("could not be judged"),
        "{:?}",
        live.reasons
    );
    assert_eq!(
        ask(vec![broken(Mode::Shadow)], 5, None).action,
        Action::Approve
    );
}

/// Trained on amounts alone, a model declines large ones, says why, and says the same again when
/// the stored decision is made again.
#[test]
fn a_decision_is_made_again_from_what_is_stored() {
    let values: Vec<f32> = (0..2000u16).map(f32::from).collect();
    let labels: Vec<bool> = (0..2000).map(|n| n > 1500).collect();
    let rows = crate::model::train::Rows {
        values: &values,
        width: 1,
        labels: &labels,
    };
    let settings = Settings {
        rounds: 80,
        bag: 2,
        columns: 1.0,
        ..Settings::default()
    };
    let trained = crate::model::train::train(rows, &settings).unwrap();
    let file = scorer::File::new("m1", &["amount"], &trained);
    let text = serde_json::to_string(&file).unwrap();
    let scorer = scorer::File::parse(&text).unwrap().scorer().unwrap();

    let rules = RuleSet::compile(
        3,
        vec![rule("big", "amount > 100", Action::Challenge, Mode::Live)],
        &Lists::default(),
    )
    .unwrap();
    let event = event(1900);
    let lists = Lists::default();
    let vector = Book::default().vector(&event);
    let judge = |vector: &Vector| {
        let facts = Facts {
            vector,
            event: &event,
            rail: "fps",
            currency: "GBP",
            lists: &lists,
        };
        let thresholds = Thresholds::default();
        decide(
            Judges {
                champion: Some(&scorer),
                challenger: Some(&scorer),
                rules: &rules,
                thresholds,
            },
            &facts,
            Score::Own,
        )
    };
    let decision = judge(&vector);
    assert_eq!(decision.action, Action::Decline, "{decision:?}");
    assert_eq!(decision.reasons[0], "big says so");
    assert!(
        decision.reasons[1].contains("how much"),
        "{:?}",
        decision.reasons
    );
    assert_eq!(
        decision.challenger.as_ref().map(|c| c.score),
        decision.score
    );

    let stored = serde_json::to_string(&decision).unwrap();
    let stored: Decision = serde_json::from_str(&stored).unwrap();
    let again = judge(stored.vector.as_ref().unwrap());
    assert!(stored.agrees(&again));
}
