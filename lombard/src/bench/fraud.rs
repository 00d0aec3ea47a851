//! `lombard bench --fraud`: what it costs to judge every payment.
//!
//! Two servers of our own, one that judges and one that does not, are loaded in turn. The one that
//! judges asks fifty rules and a model of two hundred trees, whose thresholds no payment reaches:
//! what is measured is the judging, not what is done about it.

use std::{ffi::OsStr, fs, path::Path};

use lombard_risk::{
    model::train::Settings,
    simulate::{World, generate},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Bench, Target, books::Books, figures, figures::Figures, one, round, setup, stored,
    template::KeySpace,
};
use crate::{
    exit::{Exit, Failure, OrExit, Outcome},
    fraud::{publish, simulate},
    say,
};

const RULES: usize = 50;
const TREES: usize = 200;
/// More than any score.
const NEVER: u32 = 1_000_001;
/// More than any amount or count of the bench, the money that its accounts begin with included.
const LIMIT: usize = 1_000_000_000_000_000;

/// What is told.
#[derive(Debug, Serialize)]
struct Report {
    /// Without judging.
    off: Figures,
    /// With it.
    on: Figures,
    /// Which share of the payments a second is lost.
    overhead: f64,
    rules: usize,
    trees: usize,
    /// Decisions that the server made, and half and all but one of a hundred of them took less than
    /// so many microseconds.
    decisions: u64,
    decision_p50_below_us: Value,
    decision_p99_below_us: Value,
    connections: usize,
    seconds: u64,
    reps: usize,
    /// Whether as many payments are in the ledgers as were accepted, and the books balance.
    sound: bool,
}

/// A server and its load.
struct Side {
    target: Target,
    prepared: setup::Prepared,
    before: Books,
    runs: Vec<Figures>,
}

impl Side {
    async fn start(args: &Bench, settings: &[(&str, &OsStr)]) -> Result<Self, Failure> {
        let target = Target::own(args, settings)?;
        let prepared = setup::prepare(args, &target.remote, &target.url, &target.key).await?;
        Ok(Self {
            before: Books::read(&target.remote, prepared.currency).await?,
            runs: Vec::new(),
            target,
            prepared,
        })
    }

    async fn run(&mut self, args: &Bench, rep: u64) -> Result<(), Failure> {
        let space = KeySpace(self.prepared.seed.wrapping_add(rep));
        let server = self.target.process.as_ref().map(super::Process::id);
        self.runs
            .push(one(self.prepared.load(args, space), server).await?);
        Ok(())
    }

    async fn is_sound(&self) -> Result<bool, Failure> {
        let after = Books::settle(&self.target.remote, self.prepared.currency).await?;
        Ok(stored(&self.runs, self.before, after) && after.balanced())
    }
}

/// Measures and tells. The exit code is [`Exit::No`] when a payment is missing or the books do not
/// balance.
pub async fn run(args: &Bench, as_json: bool) -> Outcome {
    let folder = tempfile::tempdir().or_exit(Exit::NotWritable, "the folder of the model")?;
    let (policy, model) = (
        folder.path().join("policy.json"),
        folder.path().join("model.json"),
    );
    fs::write(&policy, self::policy().to_string()).or_exit(Exit::NotWritable, "the policy")?;
    write_model(&model)?;
    let settings = [
        ("LOMBARD_RISK_POLICY", policy.as_os_str()),
        ("LOMBARD_RISK_MODEL", model.as_os_str()),
    ];
    let mut off = Side::start(args, &[]).await?;
    let mut on = Side::start(args, &settings).await?;
    let bar = say::progress(Some(2 * args.reps as u64), "runs");
    for rep in 0..args.reps as u64 {
        for side in [&mut off, &mut on] {
            side.run(args, rep).await?;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let mut status = on.target.remote.get("/v1/risk/health").await?;
    let sound = off.is_sound().await? && on.is_sound().await?;
    let (without, with) = (figures::median(&off.runs), figures::median(&on.runs));
    let rate = with.payments_per_second / without.payments_per_second;
    let decisions = status["decisions"].as_object().into_iter().flatten();
    let report = Report {
        overhead: round(1.0 - rate, 3),
        off: without.clone(),
        on: with.clone(),
        rules: RULES,
        trees: TREES,
        decisions: decisions.filter_map(|(_, count)| count.as_u64()).sum(),
        decision_p50_below_us: status["p50_below_us"].take(),
        decision_p99_below_us: status["p99_below_us"].take(),
        connections: args.connections,
        seconds: args.seconds,
        reps: args.reps,
        sound,
    };
    if as_json {
        say::json(&report);
    } else {
        say::line(&format!(
            "{:.0} payments/s without judging, {:.0} with: {:.1} % less",
            report.off.payments_per_second,
            report.on.payments_per_second,
            report.overhead * 100.0
        ));
        say::line(&format!(
            "half of {} decisions took less than {} us, 99 % less than {} us",
            report.decisions, report.decision_p50_below_us, report.decision_p99_below_us
        ));
        say::line(&format!("sound: {sound}"));
    }
    Ok(if sound { Exit::Done } else { Exit::No })
}

/// Fifty rules of five shapes, none of which holds for a payment of the bench.
fn policy() -> Value {
    let shapes = [
        "amount > LIMIT && new_payee",
        "account_z_score > 30.0 && account_count_1h > LIMIT",
        "payee_count_1d > LIMIT && amount > 10000 && payee_distinct_2d > 10",
        "account_sum_1d + amount > LIMIT * 1000 || (night && amount > LIMIT)",
        "in_list('mules', payee) || rail in ['fps', 'sepa_inst'] && amount > LIMIT",
    ];
    let rule = |n: usize| {
        json!({"name": format!("rule {n}"), "version": 1, "action": "review", "says": "a rule of the bench",
            "condition": shapes[n % shapes.len()].replace("LIMIT", &(LIMIT + n).to_string()),
            "author": "the bench", "reason": "to measure", "written_at": "2026-01-01", "mode": "live", "activated_by": "nobody"})
    };
    json!({"version": 1, "rules": (0..RULES).map(rule).collect::<Vec<_>>(), "lists": {"mules": {}},
        "thresholds": {"challenge": NEVER, "review": NEVER, "decline": NEVER}})
}

fn write_model(path: &Path) -> Result<(), Failure> {
    let world = World {
        customers: 1_000,
        days: 70,
        frauds_per_million: 3_000,
        ..World::default()
    };
    let settings = Settings {
        rounds: TREES,
        bag: 1,
        depth: 5,
        ..Settings::default()
    };
    let (learned, _) = simulate::study(&world, &generate(&world), settings)?;
    publish::publish(learned, path, None, &publish::costs(None)?)?;
    Ok(())
}
