//! What a decision costs inline: features, 50 rules and a model of 200 trees; and what it costs to
//! fold payments into profiles.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lombard_core::time::Timestamp;
use lombard_risk::{
    decision::{Judges, Score, Thresholds, decide},
    features::{Book, Event, Kind, Subject, event::mix},
    model::{
        Scorer, scorer,
        train::{Rows, Settings, train},
    },
    rules::{Action, Facts, Lists, Mode, Rule, RuleSet},
};

const START: u64 = 1_700_000_000;
const CUSTOMERS: u64 = 5_000;

fn payment(n: u64) -> Event {
    let luck = mix(n);
    let customer = luck % CUSTOMERS;
    Event::new(
        n + 1,
        Timestamp::from_unix_ms((START + n * 8) * 1000),
        100 + luck % 50_000,
    )
    .with(Kind::Customer, Subject::numbered(Kind::Customer, customer))
    .with(Kind::Account, Subject::numbered(Kind::Account, customer))
    .with(
        Kind::Payee,
        Subject::numbered(Kind::Payee, (luck >> 20) % 10_000),
    )
    .with(Kind::Device, Subject::numbered(Kind::Device, customer))
}

/// Five shapes, ten of each.
fn rules() -> RuleSet {
    let shapes = [
        "amount > LIMIT && new_payee",
        "customer_z_score > 3.0 && customer_count_1h > 5",
        "payee_count_1d > LIMIT && payee_distinct_2d > 10 && amount % 1000 == 0",
        "account_sum_1d + amount > LIMIT * 100 || (night && customer_times_typical > 8.5)",
        "in_list('mules', payee) || rail in ['fps', 'chaps'] && payee_age_days < 0.5 && amount > LIMIT",
    ];
    let rule = |n: usize| Rule {
        name: format!("rule {n}"),
        version: 1,
        condition: shapes[n % 5].replace("LIMIT", &(20_000 + n * 100).to_string()),
        action: Action::Review,
        says: "a rule of the bench".into(),
        author: "a".into(),
        reason: "b".into(),
        written_at: Timestamp::default(),
        mode: Mode::Live,
        activated_by: None,
        activated_at: None,
    };
    RuleSet::compile(1, (0..50).map(rule).collect(), &Lists::default()).expect("they compile")
}

/// 200 trees over 30 features of customer and payee.
fn model(book: &Book) -> Scorer {
    let names: Vec<String> = lombard_risk::features::catalogue::all()
        .iter()
        .map(|feature| feature.name.clone())
        .filter(|name| {
            name == "amount" || name.starts_with("customer_") || name.starts_with("payee_")
        })
        .filter(|name| !name.contains("fraud"))
        .take(30)
        .collect();
    let places: Vec<usize> = names
        .iter()
        .filter_map(|name| lombard_risk::features::catalogue::place(name))
        .collect();
    let vectors: Vec<_> = (0..20_000)
        .map(|n| book.vector(&payment(2_000_000 + n)))
        .collect();
    let values: Vec<f32> = vectors
        .iter()
        .flat_map(|v| places.iter().map(|place| v.for_model(*place)))
        .collect();
    let labels: Vec<bool> = (0..20_000).map(|n| mix(n).is_multiple_of(50)).collect();
    let settings = Settings {
        rounds: 200,
        bag: 1,
        depth: 5,
        ..Settings::default()
    };
    let rows = Rows {
        values: &values,
        width: places.len(),
        labels: &labels,
    };
    let trained = train(rows, &settings).expect("it trains");
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    scorer::File::new("bench", &names, &trained)
        .scorer()
        .expect("it scores")
}

fn benches(criterion: &mut Criterion) {
    let mut book = Book::default();
    (0..500_000).for_each(|n| book.observe(&payment(n)));
    let (profiles, _) = book.len();
    #[allow(clippy::print_stderr)] // A bench tells what it measured.
    {
        eprintln!(
            "{profiles} profiles of {} bytes on average",
            book.bytes() / profiles
        );
    }
    let (rules, scorer, lists) = (rules(), model(&book), Lists::default());
    let mut group = criterion.benchmark_group("risk");
    group.throughput(Throughput::Elements(1));
    let mut n = 500_000;
    group.bench_function("decide", |bench| {
        bench.iter(|| {
            n += 1;
            let event = payment(n);
            let vector = book.vector(&event);
            let facts = Facts {
                vector: &vector,
                event: &event,
                rail: "fps",
                currency: "GBP",
                lists: &lists,
            };
            let thresholds = Thresholds::default();
            black_box(decide(
                Judges {
                    champion: Some(&scorer),
                    challenger: None,
                    rules: &rules,
                    thresholds,
                },
                &facts,
                Score::Own,
            ))
        });
    });
    group.bench_function("vector", |bench| {
        bench.iter(|| {
            n += 1;
            black_box(book.vector(&payment(n)))
        });
    });
    group.bench_function("fold", |bench| {
        bench.iter(|| {
            n += 1;
            book.observe(&payment(n));
        });
    });
    group.finish();
}

criterion_group!(decision, benches);
criterion_main!(decision);
