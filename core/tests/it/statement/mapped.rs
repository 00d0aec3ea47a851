//! Tables: the reports of PSPs, and a mapping of one's own.

use lombard_core::statement::{
    Inspection, Kind, Mapping, Preview, RefKind, Rule, Summary, inspect,
};

use super::cases::{inspected, lines};

const ADYEN: &str = "Company Account,Merchant Account,Psp Reference,Merchant Reference,Payment Method,Creation Date,TimeZone,Type,Modification Reference,Gross Currency,Gross Debit (GC),Gross Credit (GC),Exchange Rate,Net Currency,Net Debit (NC),Net Credit (NC),Commission (NC),Markup (NC),Scheme Fees (NC),Interchange (NC),Batch Number
C,Shop,P1,R1,visa,2026-01-30 10:00:00,CET,Settled,M1,EUR,,100.00,1,EUR,,98.50,,0.50,0.20,0.80,7
C,Shop,P2,R2,visa,2026-01-30 11:00:00,CET,Settled,M2,USD,,55.00,0.9,EUR,,49.00,0.50,,,,7
C,Shop,P1,R1,visa,2026-01-30 12:00:00,CET,Refunded,M3,EUR,20.00,,1,EUR,20.00,,,,,,7
C,Shop,P3,R3,visa,2026-01-30 13:00:00,CET,Chargeback,M4,EUR,10.00,,1,EUR,25.00,,15.00,,,,7
C,Shop,,,,2026-01-31 00:00:00,CET,Fee,Transaction Fees January,,,,,EUR,2.50,,,,,,7
C,Shop,,,,2026-01-31 00:00:00,CET,MerchantPayout,TX1 batch 7,,,,,EUR,100.00,,,,,,7
";

const STRIPE: &str = "automatic_payout_id,balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,charge_id,payment_intent_id,available_on_utc,description
po_1,txn_1,2026-01-30 10:00:00,eur,100.00,1.75,98.25,charge,ch_1,pi_1,2026-02-01,
po_1,txn_2,2026-01-30 11:00:00,eur,-20.00,0.00,-20.00,refund,ch_1,pi_1,2026-02-01,
po_2,txn_3,2026-01-30 12:00:00,jpy,1000,36,964,charge,ch_3,pi_3,2026-02-01,
";

const PAYPAL: &str = "RH,2026/01/31,A,ACC,008,
FH,01
SH,2026/01/30 00:00:00,2026/01/30 23:59:59,ACC
CH,Transaction ID,Invoice ID,PayPal Reference ID,PayPal Reference ID Type,Transaction Event Code,Transaction Initiation Date,Transaction Completion Date,Transaction Debit or Credit,Gross Transaction Amount,Gross Transaction Currency,Fee Debit or Credit,Fee Amount,Fee Currency
SB,T1,I1,,,T0006,2026/01/30 10:00:00,2026/01/30 10:00:00,CR,5200,GBP,DR,225,GBP
SB,T2,I1,T1,TXN,T1107,2026/01/30 11:00:00,2026/01/30 11:00:00,DR,1000,GBP,CR,30,GBP
SB,T3,,,,T0400,2026/01/30 12:00:00,2026/01/30 12:00:00,DR,4000,GBP,,,
SF,GBP,5200,5000,30,225,CR,100,CR,105,CR,0,CR,0,3
SC,3
RF,GBP,5200,5000,30,225,CR,100,CR,105,CR,0,CR,0,3
RC,3
FF,3
";

const CHECKOUT: &str = "Client Entity ID,Payment ID,Reference,Action ID,Action Type,Breakdown Type,Processed On,Processing Currency,Processing Currency Amount,Holding Currency,Holding Currency Amount,Payout ID
ent_1,pay_1,R1,act_1,Capture,Capture,2026-01-30T10:00:00,GBP,100.00,GBP,100.00,PO1
ent_1,pay_1,R1,act_1,Capture,Premium Variable Fee,2026-01-30T10:00:00,GBP,-1.50,GBP,-1.50,PO1
ent_1,pay_1,R1,act_2,Refund,Refund,2026-01-30T11:00:00,GBP,-10.00,GBP,-10.00,PO1
ent_1,,,act_3,Payout,Payout,2026-01-31T00:00:00,GBP,-88.50,GBP,-88.50,PO1
";

fn only(found: &Inspection) -> &Summary {
    let [it] = found.statements.as_slice() else {
        panic!("{found:?}");
    };
    it
}

/// Name, text, credits − debits, what was paid out.
const REPORTS: [(&str, &str, i64, Option<i64>); 3] = [
    ("adyen_settlement", ADYEN, 10_000, Some(10_000)),
    ("paypal_stl", PAYPAL, 5, Some(105)),
    ("checkout", CHECKOUT, 8_850, Some(8_850)),
];

#[test]
fn reports_of_psps_close_to_the_cent() {
    for (format, text, net, closing) in REPORTS {
        let found = inspected(text.as_bytes());
        let it = only(&found);
        assert_eq!(
            (found.format, it.consistent),
            (format, Some(true)),
            "{it:?}"
        );
        assert_eq!(
            (it.credits - it.debits, it.closing),
            (net, closing),
            "{format}"
        );
        assert_eq!(it.deviations, [], "{format}");
    }
}

/// Without its second line, whatever that is, no batch adds up; nor with one cent more in it.
#[test]
fn a_report_without_a_line_does_not() {
    for (text, line, cent) in [
        (ADYEN, "C,Shop,P2", ("49.00", "49.01")),
        (PAYPAL, "SB,T2", ("DR,1000", "DR,1001")),
        (
            CHECKOUT,
            "ent_1,pay_1,R1,act_2",
            ("-10.00,PO1", "-10.01,PO1"),
        ),
    ] {
        let without: Vec<&str> = text.lines().filter(|it| !it.starts_with(line)).collect();
        let without = inspected(without.join("\n").as_bytes());
        assert_eq!(only(&without).consistent, Some(false), "{line}");
        let changed = inspected(text.replace(cent.0, cent.1).as_bytes());
        assert_eq!(only(&changed).consistent, Some(false), "{line}");
    }
}

#[test]
fn columns_are_found_by_name_wherever_they_stand() {
    let reversed: Vec<String> = ADYEN
        .lines()
        .map(|line| line.split(',').rev().collect::<Vec<_>>().join(","))
        .collect();
    let (a, b) = (
        inspected(ADYEN.as_bytes()),
        inspected(reversed.join("\n").as_bytes()),
    );
    assert_eq!(a.statements, b.statements);
    let semicolons = ADYEN.replace(',', ";").to_uppercase();
    assert_eq!(inspected(semicolons.as_bytes()).format, "adyen_settlement");
}

#[test]
fn stripe_has_a_statement_for_each_payout_and_checks_each_row() {
    let found = inspected(STRIPE.as_bytes());
    assert_eq!(found.format, "stripe_payout");
    let nets: Vec<(&str, i64, Option<bool>)> = found
        .statements
        .iter()
        .map(|it| (it.id.as_str(), it.credits - it.debits, it.consistent))
        .collect();
    assert_eq!(
        nets,
        [("po_1", 7_825, Some(true)), ("po_2", 964, Some(true))]
    );
    let wrong = inspected(STRIPE.replace("98.25", "98.26").as_bytes());
    assert_eq!(wrong.statements[0].consistent, Some(false));
    assert_eq!(wrong.statements[0].deviations[0].rule, Rule::Control);
    let lines = lines(STRIPE.as_bytes());
    assert_eq!(
        (lines[0].gross, lines[0].fee, lines[1].kind),
        (Some(10_000), Some(175), Kind::Refund)
    );
    assert!(
        lines[0]
            .references
            .contains(&(RefKind::PspPayment, "pi_1".to_owned()))
    );
}

#[test]
fn a_mapping_of_one_s_own() {
    let mapping = Mapping::from_json(
        r#"{"name": "Bank of Nowhere", "mark": "comma", "dates": ["DD.MM.YYYY"], "fixed_currency": "EUR",
            "account": ["Konto"], "booked": ["Buchungstag"], "text": ["Verwendungszweck"],
            "amount": {"column": ["Betrag"], "direction": ["S/H"], "debit_words": ["S"]},
            "references": {"end_to_end": ["Kundenreferenz"]}}"#,
    )
    .unwrap();
    let text = b"Kontoauszug vom 31.01.2026\n\nKonto;Buchungstag;Betrag;S/H;Verwendungszweck;Kundenreferenz\n1;30.01.2026;1.234,50;H;Gr\xfc\xdfe;E-1\n1;31.01.2026;34,50;S;Miete;NOTPROVIDED\n1;31.02.2026;x;S;;\n";
    let mut preview = Preview {
        limit: 2,
        ..Preview::default()
    };
    let mut count = 0;
    let found = inspect(&text[..], Some(&mapping), &mut preview, &mut || count += 1).unwrap();
    let it = only(&found);
    assert_eq!(
        (found.format, it.credits, it.debits, it.entries),
        ("csv", 123_450, 3_450, 2)
    );
    // The row that cannot be read is told, and so is the encoding.
    let rules: Vec<Rule> = it.deviations.iter().map(|it| it.rule).collect();
    assert!(rules.contains(&Rule::Unreadable), "{rules:?}");
    assert_eq!((count, preview.lines.len()), (2, 2));
    assert_eq!(preview.lines[0].text, "Grüße");
    assert_eq!(
        preview.lines[0].references,
        [(RefKind::EndToEnd, "E-1".to_owned())]
    );
    assert_eq!(preview.lines[1].references, []);
}
