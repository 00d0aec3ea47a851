//! Small statements of our own, whole and damaged in one place each.

use std::io;

use lombard_core::statement::{
    Header, Inspection, Kind, Line, Preview, RefKind, Rule, Sink, State, StatementNumber, Summary,
    inspect, read,
};

pub fn inspected(text: &[u8]) -> Inspection {
    inspect(text, None, &mut Preview::default(), &mut || {}).unwrap()
}

/// The lines of a file, in order.
pub fn lines(text: &[u8]) -> Vec<Line> {
    struct Keep(Vec<Line>);
    impl Sink for Keep {
        fn begin(&mut self, _: StatementNumber, _: &Header) -> io::Result<()> {
            Ok(())
        }
        fn line(&mut self, _: StatementNumber, line: Line) -> io::Result<()> {
            self.0.push(line);
            Ok(())
        }
        fn end(&mut self, _: StatementNumber, _: &Summary) -> io::Result<()> {
            Ok(())
        }
    }
    let mut keep = Keep(Vec::new());
    read(text, None, &mut keep).unwrap();
    keep.0
}

fn rules(summary: &Summary) -> Vec<Rule> {
    summary.deviations.iter().map(|it| it.rule).collect()
}

/// Sums of the only statement.
fn sums(found: &Inspection) -> (Option<i64>, i64, i64, Option<i64>, Option<bool>) {
    let [it] = found.statements.as_slice() else {
        panic!("{found:?}");
    };
    (it.opening, it.credits, it.debits, it.closing, it.consistent)
}

const CAMT053: &str = r#"<?xml version="1.0" encoding="ISO-8859-1"?>
<Document xmlns="urn:bank:national:camt.053.001.08.ch.02"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId></GrpHdr>
<Stmt><Id>S1</Id><ElctrncSeqNb>7</ElctrncSeqNb><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">100.00000</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-01-30</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">40.50</Amt><CdtDbtInd>DBIT</CdtDbtInd><Dt><DtTm>2026-01-31T23:59:59+01:00</DtTm></Dt></Bal>
<Ntry><Amt Ccy="EUR">59.50</Amt><CdtDbtInd>CRDT</CdtDbtInd><RvslInd>true</RvslInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-01-31</Dt></BookgDt>
<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>RRTN</SubFmlyCd></Fmly></Domn></BkTxCd>
<NtryDtls><TxDtls><Refs><EndToEndId>E-1</EndToEndId><TxId>NOTPROVIDED</TxId></Refs><RmtInf><Ustrd>M?ller</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="EUR">200.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><ValDt><Dt>2026-01-31</Dt></ValDt>
<NtryDtls><Btch><PmtInfId>P-9</PmtInfId></Btch>
<TxDtls><Refs><EndToEndId>E-2</EndToEndId></Refs><Amt Ccy="EUR">150.00</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls>
<TxDtls><Refs><EndToEndId>E-3</EndToEndId></Refs><AmtDtls><TxAmt><Amt Ccy="EUR">50.00</Amt></TxAmt></AmtDtls></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="EUR">7.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>PDNG</Sts></Ntry>
</Stmt></BkToCstmrStmt></Document>"#;

#[test]
fn a_statement_of_iso_20022() {
    // A byte of ISO 8859-1, as the declaration says.
    let mut text = CAMT053.as_bytes().to_vec();
    let place = text.windows(7).position(|it| it == b"M?ller<").unwrap();
    text[place + 1] = 0xfc;
    let found = inspected(&text);
    assert_eq!(found.format, "camt.053");
    assert_eq!(
        sums(&found),
        (Some(10_000), 5_950, 20_000, Some(-4_050), Some(true))
    );
    let statement = &found.statements[0];
    assert_eq!((statement.entries, statement.not_booked), (3, 1));
    assert_eq!(statement.account, "DE89370400440532013000");
    assert_eq!(rules(statement), []);
    let lines = lines(&text);
    assert!(lines[0].reversal && lines[0].minor == 5_950 && lines[0].kind == Kind::Refund);
    assert_eq!(lines[0].references, [(RefKind::EndToEnd, "E-1".to_owned())]);
    assert_eq!(lines[0].text, "Müller");
    assert_eq!(lines[1].references, [(RefKind::Group, "P-9".to_owned())]);
    let parts: Vec<_> = lines[1].details.iter().map(|it| it.minor).collect();
    assert_eq!(parts, [Some(-15_000), Some(-5_000)]);
    assert_eq!(lines[2].state, State::Pending);
}

#[test]
fn a_statement_of_several_days_goes_from_the_first_to_the_last() {
    // Each day's balances, the last day first, as some banks write them.
    let between = |code: &str, day: &str, amount: &str| {
        format!(
            r#"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"#
        )
    };
    let more = between("OPBD", "2026-01-31", "9.00") + &between("CLBD", "2026-01-30", "9.00");
    let text = CAMT053.replacen("</Acct>\n", &format!("</Acct>\n{more}"), 1);
    assert_ne!(text, CAMT053);
    let found = inspected(text.as_bytes());
    assert_eq!(
        sums(&found),
        (Some(10_000), 5_950, 20_000, Some(-4_050), Some(true))
    );
}

#[test]
fn each_damage_to_it_is_told() {
    let entry = CAMT053.find("<Ntry>").unwrap()..CAMT053.find("</Ntry>").unwrap() + 7;
    let mut without = CAMT053.to_owned();
    without.replace_range(entry, "");
    let cut = &CAMT053[..CAMT053.rfind("<Ntry>").unwrap()];
    for (text, rule, consistent) in [
        (without, Rule::Balance, Some(false)),
        (
            CAMT053.replace(">59.50<", ">59.51<"),
            Rule::Balance,
            Some(false),
        ),
        (
            CAMT053.replace(">59.50<", ">59.501<"),
            Rule::Amount,
            Some(false),
        ),
        (
            CAMT053.replace(">150.00<", ">151.00<"),
            Rule::Total,
            Some(true),
        ),
        (
            CAMT053.replace("<Sts>BOOK</Sts>", ""),
            Rule::Missing,
            Some(true),
        ),
        (
            CAMT053.replace("<Amt Ccy=\"EUR\">7.00", "<Amt Ccy=\"USD\">7.00"),
            Rule::Currency,
            Some(true),
        ),
        (
            CAMT053.replace("DE89370400440532013000", ""),
            Rule::Missing,
            Some(true),
        ),
        (cut.to_owned(), Rule::Broken, Some(false)),
    ] {
        let found = inspected(text.as_bytes());
        assert_eq!(found.statements[0].consistent, consistent, "{rule:?}");
        assert!(rules(&found.statements[0]).contains(&rule), "{found:?}");
    }
}

const MT940: &str = "{1:F01BANKDEFFAXXX0000000000}{2:O940}{4:\r
:20:STARTUMS\r
:25:37040044/532013000EUR\r
:28C:00007/001\r
:60F:C260130EUR100,\r
:61:2601310131C59,5NTRFINV-1//BANK1\r
:86:166?00GUTSCHRIFT?20EREF+E-1?21SVWZ+Danke?30BANKDEFF?31DE1?32KARL\r
:61:260131D200,00NTRFNONREF//BANK2\r
:86:/TRTP/SEPA/EREF/E-2/REMI/Rent\r
:61:260131RD,50NCHGNONREF//BANK3\r
:62F:D260131EUR40,00\r
-}";

#[test]
fn a_statement_of_swift() {
    let found = inspected(MT940.as_bytes());
    assert_eq!(found.format, "mt940");
    assert_eq!(
        sums(&found),
        (Some(10_000), 6_000, 20_000, Some(-4_000), Some(true))
    );
    assert_eq!(rules(&found.statements[0]), []);
    let lines = lines(MT940.as_bytes());
    let first = [
        (RefKind::Customer, "INV-1".to_owned()),
        (RefKind::Bank, "BANK1".to_owned()),
        (RefKind::EndToEnd, "E-1".to_owned()),
    ];
    assert_eq!(lines[0].references, first);
    assert!(
        lines[1]
            .references
            .contains(&(RefKind::EndToEnd, "E-2".to_owned()))
    );
    assert!(lines[2].reversal && lines[2].minor == 50 && lines[2].kind == Kind::Fee);
    for (text, rule) in [
        (
            MT940.replace(":61:260131D200,00NTRFNONREF//BANK2\r\n", ""),
            Rule::Balance,
        ),
        (MT940.replace("C59,5N", "C59,51N"), Rule::Balance),
        (MT940.replace("D200,00", "X200,00"), Rule::Unreadable),
        (MT940.replace("260131D200", "260231D200"), Rule::Date),
        (MT940.replace(":62F:D260131EUR40,00\r\n", ""), Rule::Missing),
        (
            format!("{MT940}\r\n{}", MT940.replace("00007", "00009")),
            Rule::Gap,
        ),
        (format!("{MT940}\r\n{MT940}"), Rule::Gap),
    ] {
        let found = inspected(text.as_bytes());
        let all: Vec<Rule> = found.statements.iter().flat_map(rules).collect();
        assert!(all.contains(&rule), "{rule:?} {all:?}");
    }
}

#[test]
fn an_interim_report_of_swift() {
    let text = ":20:X\n:25:1\n:28C:1/1\n:34F:PLN0,\n:13D:2601311200+0100\n:61:260131D93,17FMSCNONREF\n:61:260131C1,FMSCNONREF\n:90D:1PLN93,17\n:90C:1PLN1,00\n-";
    let found = inspected(text.as_bytes());
    assert_eq!(found.format, "mt942");
    assert_eq!(sums(&found), (None, 100, 9_317, None, None));
    // Option P of the account adds the bank that keeps it, in a line of its own.
    let bank = inspected(text.replace(":25:1\n", ":25P:1\nBANKDEFF\n").as_bytes());
    assert_eq!(bank.statements[0].account, "1");
    let wrong = inspected(text.replace("PLN93,17\n", "PLN93,18\n").as_bytes());
    assert_eq!(rules(&wrong.statements[0]), [Rule::Total]);
}

const BAI2: &str = "01,BANK,CUST,260131,0800,1,80,,2/
02,CUST,BANK,1,260131,,GBP,2/
03,555,,010,10000,,,015,9500,,/
88,100,2500,1,,400,3000,1,/
16,195,2500,V,260201,,B1,C1,Wire in, with a comma/
88,EREF: E-1/
16,475,3000,Z,,,Cheque 17/
49,30500,6/
98,30500,1,8/
99,30500,1,10/
";

#[test]
fn a_file_of_bai2() {
    let found = inspected(BAI2.as_bytes());
    assert_eq!(found.format, "bai2");
    assert_eq!(
        sums(&found),
        (Some(10_000), 2_500, 3_000, Some(9_500), Some(true))
    );
    assert_eq!(rules(&found.statements[0]), []);
    assert_eq!(found.deviations, []);
    let lines = lines(BAI2.as_bytes());
    assert_eq!(lines[0].text, "Wire in, with a comma EREF: E-1");
    assert_eq!(
        lines[0].value.map(|it| it.to_string()).as_deref(),
        Some("2026-02-01")
    );
    assert!(
        lines[0]
            .references
            .contains(&(RefKind::EndToEnd, "E-1".to_owned()))
    );
    for (text, rule, consistent) in [
        (
            BAI2.replace("16,475,3000,Z,,,Cheque 17/\n", ""),
            Rule::Balance,
            Some(false),
        ),
        (
            BAI2.replace("16,195,2500", "16,195,2501"),
            Rule::Balance,
            Some(false),
        ),
        (
            BAI2.replace("49,30500,6", "49,30501,6"),
            Rule::Control,
            Some(false),
        ),
        (
            BAI2.replace("49,30500,6", "49,30500,5"),
            Rule::Control,
            Some(false),
        ),
        (
            BAI2.replace("16,195,2500", "16,195,25x0"),
            Rule::Amount,
            Some(false),
        ),
    ] {
        let found = inspected(text.as_bytes());
        assert_eq!(found.statements[0].consistent, consistent, "{rule:?}");
        assert!(rules(&found.statements[0]).contains(&rule), "{found:?}");
    }
    let without_end = inspected(BAI2.replace("99,30500,1,10/\n", "").as_bytes());
    assert_eq!(without_end.deviations[0].rule, Rule::Missing);
}

#[test]
fn a_line_that_comes_twice_is_told() {
    let twice = MT940.replace(
        ":61:260131RD,50NCHGNONREF//BANK3\r\n",
        ":61:260131RD,50NCHGNONREF//BANK3\r\n:61:260131RD,50NCHGNONREF//BANK3\r\n",
    );
    let found = inspected(twice.as_bytes());
    assert!(rules(&found.statements[0]).contains(&Rule::Duplicate));
    assert_eq!(found.statements[0].consistent, Some(false));
}

#[test]
fn what_is_no_statement_is_said_to_be_unknown() {
    for text in [
        &b""[..],
        b"hello",
        b"{\"a\": 1}",
        b"a,b,c\n1,2,3\n",
        b"<Document/>",
        b"\xff\xfe",
    ] {
        let found = inspected(text);
        assert_eq!((found.format, found.statements.len()), ("unknown", 0));
    }
}
