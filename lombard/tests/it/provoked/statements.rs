//! What banks' statements and providers' reports say, and where they cannot be fetched.

use lombard_core::time::Timestamp;
use lombard_service::exceptions::Kind;
use serde_json::{Value, json};

use super::{DAY, Stage, text};

pub const KINDS: &[Kind] = &[
    Kind::AmountDiffers,
    Kind::MissingThere,
    Kind::MissingHere,
    Kind::Duplicate,
    Kind::UnknownReference,
    Kind::Currency,
    Kind::BrokenStatement,
    Kind::ConflictingStatus,
    Kind::Ambiguous,
    Kind::Late,
    Kind::WrongAccount,
    Kind::FeeDiffers,
    Kind::SourceUnreachable,
];

/// A line: the reference that it gives, and pence; those of debits are negative.
type Line = (&'static str, i64);

#[test]
fn what_statements_say_and_what_is_done_about_it() {
    let come = tempfile::tempdir().expect("a folder");
    let come = come.path().join("come");
    let settings = format!(
        "[reconciliation.sources.late.rules]\ndays_after = 1\n\
         [reconciliation.sources.other]\naccounts = [\"GB33BUKB20201555555555\"]\n\
         [reconciliation.sources.fees.rules.fee]\nfixed = 100\n\
         [reconciliation.sources.gone.fetch]\nevery_seconds = 1\nfolder = {come:?}\n"
    );
    let stage = Stage::set(&settings, &[]);
    let unreachable = stage.found(Kind::SourceUnreachable);
    std::fs::create_dir_all(&come).expect("made");
    stage.closes(&unreachable);

    for (name, pence) in [
        ("E-A", 1_000),
        ("E-B", 1_001),
        ("E-C", 1_002),
        ("E-D", 1_003),
    ] {
        stage.pay(pence, name);
    }
    let said = |source: &str, number: u32, lines: &[Line]| {
        reconcile(&stage, source, &statement(&stage, "GBP", number, lines));
    };
    stage.case(Kind::AmountDiffers, "write_off", || {
        said("bank", 1, &[("E-A", -1_000), ("E-B", -1_002)]);
    });
    stage.fix(&stage.found(Kind::MissingThere), "ignore");
    stage.case(Kind::Duplicate, "suspense", || {
        said("bank", 2, &[("E-A", -1_000)])
    });
    stage.case(Kind::MissingHere, "suspense", || {
        said("bank", 3, &[("", 500)])
    });
    stage.case(Kind::UnknownReference, "suspense", || {
        said("bank", 4, &[("WHO-1", 2_500)])
    });
    stage.case(Kind::WrongAccount, "ignore", || {
        said("other", 5, &[("E-C", -1_002)])
    });
    stage.case(Kind::BrokenStatement, "ignore", || {
        let text = statement(&stage, "GBP", 6, &[("E-C", -1_002)]);
        reconcile(&stage, "broken", &text.replace("GBP9989,98", "GBP9989,89"));
    });
    stage.case(Kind::Currency, "ignore", || {
        let pounds = statement(&stage, "GBP", 7, &[]);
        let euros = statement(&stage, "EUR", 8, &[("E-C", -1_002)]);
        reconcile(&stage, "two", &format!("{pounds}\n{euros}"));
    });
    stage.case(Kind::ConflictingStatus, "suspense", || {
        stage.next(&json!({"outcome": {"reject": "1160"}}));
        stage.pay(2_000, "E-F");
        said("bank", 9, &[("E-F", -2_000)]);
    });
    stage.case(Kind::Ambiguous, "ignore", || {
        stage.pay(7_777, "AMB-1");
        stage.pay(7_777, "AMB-2");
        said("bank", 10, &[("", -7_777)]);
    });
    stage.case(Kind::FeeDiffers, "ignore", || fees(&stage));
    stage.server.ahead(DAY * 3);
    stage.case(Kind::Late, "ignore", || {
        said("late", 11, &[("E-D", -1_003)])
    });
    stage.end(KINDS);
}

fn reconcile(stage: &Stage, source: &str, file: &str) {
    let path = format!("/v1/reconciliation/statements?source={source}");
    let headers = stage.headers("application/octet-stream");
    let (status, said) = stage.server.send(&path, &headers, file);
    assert_eq!(status, 200, "{said}");
}

/// The server's day, as `YYMMDD`.
fn today(stage: &Stage) -> String {
    now(stage).to_string()[2..10].replace('-', "")
}

/// The server's time: when the newest payment was made.
fn now(stage: &Stage) -> Timestamp {
    let body = json!({"name": "a look at the clock", "currency": "GBP"});
    let made: Value = stage.post("/v1/accounts", &body);
    Timestamp::parse_rfc3339(text(&made, "created_at")).expect("a time")
}

/// An MT940 statement of these lines, which adds up.
fn statement(stage: &Stage, currency: &str, number: u32, lines: &[Line]) -> String {
    let day = today(stage);
    let mut text = format!(
        ":20:S{number}\n:25:2000005577991{}\n:28C:{number}/1\n:60F:C{day}{currency}10000,00\n",
        currency.len() + usize::from(currency == "EUR")
    );
    for (name, pence) in lines {
        let mark = if *pence < 0 { 'D' } else { 'C' };
        let (whole, rest) = (pence.abs() / 100, pence.abs() % 100);
        text += &format!(":61:{day}{mark}{whole},{rest:02}NTRF{name}//B{number}{name}\n");
        text += &format!(":86:/EREF/{name}/REMI/test\n");
    }
    let closing = 1_000_000 + lines.iter().map(|it| it.1).sum::<i64>();
    let (whole, rest) = (closing / 100, closing % 100);
    text + &format!(":62F:C{day}{currency}{whole},{rest:02}\n-")
}

/// A report of Adyen's that keeps back more than was agreed.
fn fees(stage: &Stage) {
    for (name, cents) in [("ORDER-1", 10_000), ("ORDER-2", 5_500)] {
        let wish = json!({"rail": "sepa_inst", "amount": cents, "end_to_end_id": name,
            "creditor": {"iban": "DE89370400440532013000"}});
        stage.server.control("inbound", &wish);
    }
    let day = &now(stage).to_string()[..10];
    let report = format!(
        "Company Account,Merchant Account,Psp Reference,Merchant Reference,Payment Method,Creation Date,TimeZone,Type,\
         Modification Reference,Gross Currency,Gross Debit (GC),Gross Credit (GC),Exchange Rate,Net Currency,Net Debit (NC),\
         Net Credit (NC),Commission (NC),Markup (NC),Scheme Fees (NC),Interchange (NC),Batch Number\n\
         C,Shop,P1,ORDER-1,visa,{day} 10:00:00,CET,Settled,M1,EUR,,100.00,1,EUR,,98.50,,0.50,0.20,0.80,7\n\
         C,Shop,P2,ORDER-2,visa,{day} 11:00:00,CET,Settled,M2,EUR,,55.00,1,EUR,,54.10,0.90,,,,7\n\
         C,Shop,,,,{day} 12:00:00,CET,MerchantPayout,TX1 batch 7,,,,,EUR,152.60,,,,,,7\n"
    );
    reconcile(stage, "fees", &report);
}
