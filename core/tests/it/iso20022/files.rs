//! Customers' files of payments: pain.001 in, pain.002 out.

use std::fmt::Write;
use std::io::BufReader;

use lombard_core::currency::Currency;
use lombard_core::iso20022::pain001::{FileEnd, FileHeader, Item, PaymentBlock, PaymentFile, Row};
use lombard_core::iso20022::pain002::{
    BlockStatus, FileStatus, RowStatus, StatusFile, Version, WriteError,
};
use lombard_core::iso20022::{Account, Party, Reason, Rule, Status, Violations, inspect};

use crate::shared;

/// A file in parts, as a reader gives it.
#[derive(Default)]
struct Read {
    header: FileHeader,
    blocks: Vec<PaymentBlock>,
    rows: Vec<Row>,
    block_ends: Vec<Violations>,
    end: Option<FileEnd>,
}

fn read(bytes: &[u8]) -> Read {
    let mut read = Read::default();
    // A small buffer, so that every token is cut somewhere.
    for item in PaymentFile::new(BufReader::with_capacity(7, bytes)) {
        match item.expect("bytes can be read") {
            Item::Header(header) => read.header = header,
            Item::Block(block) => read.blocks.push(block),
            Item::Row(row) => read.rows.push(row),
            Item::BlockEnd { violations, .. } => read.block_ends.push(violations),
            Item::End(end) => read.end = Some(end),
        }
    }
    read
}

/// The rules that a file breaks, wherever they are reported.
fn rules(read: &Read) -> Vec<Rule> {
    let end = read.end.as_ref().map(|end| &end.violations);
    let blocks = read.blocks.iter().map(|block| &block.violations);
    let rows = read
        .rows
        .iter()
        .filter_map(|row| row.payment.as_ref().err());
    let all = std::iter::once(&read.header.violations)
        .chain(blocks)
        .chain(rows);
    all.chain(&read.block_ends)
        .chain(end)
        .flat_map(|it| it.kept())
        .map(|it| it.rule)
        .collect()
}

/// A file of our own writing: two blocks, three rows.
fn file(version: &str) -> String {
    let new = version >= "09";
    let day = if version >= "08" {
        "<Dt>2026-11-24</Dt>"
    } else {
        "2026-11-24"
    };
    let bic = if version == "03" { "BIC" } else { "BICFI" };
    let uetr = "<UETR>174c245f-2682-4291-ad67-2a41e530cd27</UETR>";
    let row = |n: u32, amount: &str, iban: &str| {
        format!(
            "<CdtTrfTxInf><PmtId><InstrId>I-{n}</InstrId><EndToEndId>E-{n}</EndToEndId>{}</PmtId>\
             <Amt><InstdAmt Ccy=\"EUR\">{amount}</InstdAmt></Amt>\
             <CdtrAgt><FinInstnId><{bic}>INGBROBU</{bic}></FinInstnId></CdtrAgt>\
             <Cdtr><Nm>Zo\u{eb} &amp; S\u{f6}hne</Nm></Cdtr>\
             <CdtrAcct><Id><IBAN>{iban}</IBAN></Id></CdtrAcct>\
             <Purp><Cd>SALA</Cd></Purp>\
             <RmtInf><Ustrd>invoice {n}</Ustrd></RmtInf></CdtTrfTxInf>",
            if new { uetr } else { "" },
        )
    };
    let block = |id: &str, count: u32, sum: &str, rows: &str| {
        format!(
            "<PmtInf><PmtInfId>{id}</PmtInfId><PmtMtd>TRF</PmtMtd><BtchBookg>true</BtchBookg>\
             <NbOfTxs>{count}</NbOfTxs><CtrlSum>{sum}</CtrlSum>\
             <PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl><LclInstrm><Cd>INST</Cd></LclInstrm></PmtTpInf>\
             <ReqdExctnDt>{day}</ReqdExctnDt><Dbtr><Nm>Payer</Nm></Dbtr>\
             <DbtrAcct><Id><IBAN>NL91ABNA0417164300</IBAN></Id></DbtrAcct>\
             <DbtrAgt><FinInstnId><{bic}>MYMBGB2L</{bic}></FinInstnId></DbtrAgt>\
             <ChrgBr>SLEV</ChrgBr>{rows}</PmtInf>"
        )
    };
    let iban = "DE89370400440532013000";
    let first = row(1, "10.00", iban) + &row(2, "0.5", iban);
    let second = row(3, "89.50000", iban);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.{version}\"><CstmrCdtTrfInitn>\
         <GrpHdr><MsgId>FILE-1</MsgId><CreDtTm>2026-11-23T10:00:00+01:00</CreDtTm>\
         <NbOfTxs>3</NbOfTxs><CtrlSum>100</CtrlSum><InitgPty><Nm>Sender</Nm></InitgPty></GrpHdr>\
         {}{}</CstmrCdtTrfInitn></Document>",
        block("B-1", 2, "10.50", &first),
        block("B-2", 1, "89.5", &second),
    )
}

#[test]
fn every_version_is_read() {
    for version in 3..=13 {
        let version = format!("{version:02}");
        let read = read(file(&version).as_bytes());
        assert_eq!(rules(&read), [], "{version}");
        assert_eq!(read.header.message, format!("pain.001.001.{version}"));
        assert_eq!(
            (read.header.message_id.as_str(), read.header.rows),
            ("FILE-1", Some(3))
        );
        assert_eq!(read.header.created_ms, Some(1_795_424_400_000));
        assert_eq!(read.header.control_sum.as_deref(), Some("100"));
        assert_eq!(read.header.initiating_party, Party::named("Sender"));

        let [first, second] = read.blocks.as_slice() else {
            panic!("two blocks")
        };
        assert_eq!((first.id.as_str(), second.id.as_str()), ("B-1", "B-2"));
        assert_eq!(first.requested_execution, "2026-11-24");
        assert_eq!((first.batch_booking, first.rows), (Some(true), Some(2)));
        assert_eq!(first.debtor_agent.bic.as_deref(), Some("MYMBGB2L"));
        assert_eq!(
            first.local_instrument.as_ref().map(|it| it.value()),
            Some("INST")
        );

        let minor = read.rows.iter().map(|row| {
            let payment = row.payment.as_ref().expect("a valid row");
            assert_eq!(payment.amount.currency, Currency::EUR);
            assert_eq!(
                payment.creditor.name.as_deref(),
                Some("Zo\u{eb} & S\u{f6}hne")
            );
            assert_eq!(
                payment
                    .creditor_agent
                    .as_ref()
                    .and_then(|it| it.bic.as_deref()),
                Some("INGBROBU")
            );
            let account = Account::Iban("DE89370400440532013000".to_owned());
            assert_eq!(payment.creditor_account, Some(account));
            payment.amount.amount.minor()
        });
        assert_eq!(minor.collect::<Vec<_>>(), [1_000, 50, 8_950]);
        let third = &read.rows[2];
        assert_eq!(
            (third.row, third.block, third.end_to_end_id.as_deref()),
            (3, 2, Some("E-3"))
        );
        assert_eq!(
            third.path,
            "/Document/CstmrCdtTrfInitn/PmtInf[2]/CdtTrfTxInf[1]"
        );
        assert_eq!(third.uetr.is_some(), version.as_str() >= "09");
        assert_eq!(read.end.map(|end| (end.rows, end.broken)), Some((3, false)));
    }
}

#[test]
fn a_bad_row_does_not_stop_the_file() {
    for (from, to, rule, path) in [
        (">0.5<", ">0.505<", Rule::MinorUnits, "/Amt/InstdAmt"),
        (
            ">0.5<",
            ">0.1234567<",
            Rule::FractionDigits,
            "/Amt/InstdAmt",
        ),
        (">0.5<", ">0<", Rule::AmountRange, "/Amt/InstdAmt"),
        (">0.5<", ">1e1<", Rule::DataType, "/Amt/InstdAmt"),
        (">E-2<", "><", Rule::MinLength, "/PmtId/EndToEndId"),
        (
            "<InstrId>I-2</InstrId>",
            "<Instr>I-2</Instr>",
            Rule::UnexpectedElement,
            "/PmtId/Instr",
        ),
        (
            "<EndToEndId>E-2</EndToEndId>",
            "",
            Rule::MissingElement,
            "/PmtId/EndToEndId",
        ),
        (
            "\"EUR\">0.5<",
            "\"XXX\">0.5<",
            Rule::Currency,
            "/Amt/InstdAmt",
        ),
    ] {
        let read = read(file("09").replace(from, to).as_bytes());
        let wrong = read.rows[1]
            .payment
            .as_ref()
            .expect_err("the second row is wrong")
            .kept();
        assert_eq!((wrong[0].rule, wrong.len()), (rule, 1), "{to}");
        assert_eq!(wrong[0].path, read.rows[1].path.clone() + path);
        assert!(read.rows[0].payment.is_ok() && read.rows[2].payment.is_ok());
        assert_eq!(read.rows.len(), 3);
    }
    let counter_value = "<EqvtAmt><Amt Ccy=\"EUR\">0.5</Amt><CcyOfTrf>USD</CcyOfTrf></EqvtAmt>";
    let text = file("03").replace("<InstdAmt Ccy=\"EUR\">0.5</InstdAmt>", counter_value);
    assert_eq!(rules(&read(text.as_bytes())), [Rule::EquivalentAmount]);
}

#[test]
fn a_bad_block_is_told_before_its_rows() {
    let account = "<DbtrAcct><Id><IBAN>NL91ABNA0417164300</IBAN></Id></DbtrAcct>";
    for (from, to, rule, path) in [
        (account, "", Rule::MissingElement, "/DbtrAcct"),
        ("<PmtMtd>TRF<", "<PmtMtd>FAX<", Rule::Enumeration, "/PmtMtd"),
        (
            "NL91ABNA0417164300",
            "NL91ABNA0417164301",
            Rule::Iban,
            "/DbtrAcct/Id/IBAN",
        ),
    ] {
        // In the second block only.
        let whole = file("09");
        let (first, second) = whole.split_at(whole.find("B-2").expect("the second block"));
        let read = read(format!("{first}{}", second.replace(from, to)).as_bytes());
        let wrong = read.blocks[1].violations.kept();
        assert_eq!((wrong[0].rule, wrong.len()), (rule, 1));
        assert_eq!(
            wrong[0].path,
            format!("/Document/CstmrCdtTrfInitn/PmtInf[2]{path}")
        );
        assert_eq!(rules(&read).len(), 1, "and only once");
    }
}

#[test]
fn an_input_that_fails_ends_the_file() {
    struct Failing;
    impl std::io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
    }
    let half = file("09");
    let half = std::io::Read::chain(&half.as_bytes()[..900], Failing);
    let items: Vec<_> = PaymentFile::new(BufReader::new(half)).collect();
    let failed = items.iter().filter(|item| item.is_err()).count();
    assert_eq!(
        (failed, items.last().is_some_and(Result::is_err)),
        (1, true)
    );
}

#[test]
fn what_does_not_add_up_is_told_where_it_stands() {
    for (from, to, expected) in [
        (
            "<NbOfTxs>3<",
            "<NbOfTxs>4<",
            "/Document/CstmrCdtTrfInitn/GrpHdr/NbOfTxs",
        ),
        (
            "<CtrlSum>100<",
            "<CtrlSum>100.01<",
            "/Document/CstmrCdtTrfInitn/GrpHdr/CtrlSum",
        ),
        (
            "<NbOfTxs>2<",
            "<NbOfTxs>1<",
            "/Document/CstmrCdtTrfInitn/PmtInf[1]/NbOfTxs",
        ),
        (
            "<CtrlSum>89.5<",
            "<CtrlSum>89<",
            "/Document/CstmrCdtTrfInitn/PmtInf[2]/CtrlSum",
        ),
    ] {
        let text = file("11").replace(from, to);
        let read = read(text.as_bytes());
        let end = read.end.as_ref().expect("an end");
        let found: Vec<_> = read
            .block_ends
            .iter()
            .chain([&end.violations])
            .flat_map(|it| it.kept())
            .collect();
        assert_eq!(found.len(), 1, "{to}");
        assert_eq!(found[0].path, expected);
        let inspection = inspect(text.as_bytes()).expect("bytes");
        assert_eq!(inspection.errors, [found[0].clone()]);
    }
}

#[test]
fn a_broken_file_ends_where_it_breaks() {
    let whole = file("09");
    let cut = whole.find("<InstrId>I-3").expect("the third row");
    let read = read(&whole.as_bytes()[..cut]);
    let end = read.end.expect("an end");
    assert_eq!((end.rows, end.broken), (2, true));
    assert_eq!(end.violations.kept()[0].rule, Rule::Malformed);

    let other = whole.replace("pain.001.001.09", "pain.008.001.08");
    assert!(rules(&self::read(other.as_bytes())).contains(&Rule::UnsupportedMessage));
    let unknown = whole.replace("pain.001.001.09", "pain.001.001.99");
    assert_eq!(
        rules(&self::read(unknown.as_bytes())),
        [Rule::UnsupportedMessage]
    );
}

#[test]
fn a_row_beyond_all_measure_is_refused_alone() {
    let line = format!("<Ustrd>{}</Ustrd>", "x".repeat(140));
    let text = file("09").replace("<Ustrd>invoice 2</Ustrd>", &line.repeat(25_000));
    let read = read(text.as_bytes());
    let wrong = read.rows[1].payment.as_ref().expect_err("too large");
    assert_eq!(wrong.kept()[0].rule, Rule::Limit);
    assert!(read.rows[0].payment.is_ok() && read.rows[2].payment.is_ok());
}

#[test]
fn files_of_banks_and_vendors() {
    let test = "files_of_banks_and_vendors";
    let Some(root) = shared::path(test, "material/iso20022") else {
        return;
    };
    let mut found = String::new();
    for folder in [
        "pain/php-sepa",
        "camt/uk-us-gs",
        "camt/postfinance-fi-lt",
        "cbpr-2025",
        "cbpr-2025/violators",
    ] {
        let files = std::fs::read_dir(root.join(folder))
            .expect("a folder")
            .flatten();
        let mut files: Vec<_> = files
            .map(|entry| entry.path())
            .filter(|it| it.is_file())
            .collect();
        files.sort();
        for file in files {
            let bytes = std::fs::read(&file).expect("a file");
            let kind = inspect(bytes.as_slice())
                .expect("bytes")
                .message
                .unwrap_or_default();
            if !kind.starts_with("pain.001") {
                continue;
            }
            let read = read(&bytes);
            let mut names: Vec<_> = rules(&read).into_iter().map(Rule::name).collect();
            names.dedup();
            let name = file.file_name().expect("a name").to_string_lossy();
            let good = read.rows.iter().filter(|row| row.payment.is_ok()).count();
            let all = read.rows.len();
            writeln!(found, "{name}: {kind}, {good} of {all} rows, {names:?}").expect("a string");
        }
    }
    expect_test::expect_file!["files.txt"].assert_eq(&found);
}

fn file_status(version: Version) -> FileStatus {
    FileStatus {
        message_id: "R-1".to_owned(),
        created_ms: 1_795_424_400_000,
        initiating_party: Some(Party::named("Bank & Co")),
        original_message_id: "FILE-1".to_owned(),
        original_message: "pain.001.001.09".to_owned(),
        original_created_ms: Some(1_795_424_400_000),
        original_rows: Some(3),
        original_control_sum: Some("100".to_owned()),
        status: Some(Status::Partial),
        reasons: vec![Reason {
            code: None,
            text: vec![format!("{version:?}")],
        }],
    }
}

fn row_status(n: u32, status: Status) -> RowStatus {
    RowStatus {
        status_id: Some(format!("S-{n}")),
        instruction_id: Some(format!("I-{n}")),
        end_to_end_id: Some(format!("E-{n}")),
        uetr: Some("174c245f-2682-4291-ad67-2a41e530cd27".to_owned()),
        status,
        reasons: vec![Reason {
            text: vec!["closed <account>".to_owned()],
            ..Reason::code("AC04")
        }],
        accepted_ms: Some(1_795_424_400_000),
    }
}

#[test]
fn reports_are_valid_in_every_version_and_status() {
    for version in [Version::V03, Version::V10, Version::V12] {
        let mut report =
            StatusFile::begin(Vec::new(), version, &file_status(version)).expect("valid");
        for id in ["B-1", "B-2"] {
            let block = BlockStatus {
                original_id: id.to_owned(),
                original_rows: Some(2),
                status: Some(Status::Received),
                ..BlockStatus::default()
            };
            report.block(&block).expect("valid");
            let codes = "RCVD PDNG ACTC ACCP ACSP ACSC ACCC ACWP ACWC RJCT CANC BLCK PART";
            for (n, code) in (1..).zip(codes.split(' ')) {
                report
                    .row(&row_status(n, Status::from_code(code)))
                    .expect("valid");
            }
        }
        let text = report.finish().expect("a vector takes all");
        let found = inspect(text.as_slice()).expect("bytes");
        assert_eq!(
            (found.errors, found.message.as_deref()),
            (vec![], Some(version.message()))
        );
    }
}

#[test]
fn a_report_stays_valid_when_a_part_does_not_fit() {
    let version = Version::answering("pain.001.001.12");
    assert_eq!(version, Version::V12);
    let mut report = StatusFile::begin(Vec::new(), version, &file_status(version)).expect("valid");
    assert!(matches!(
        report.row(&row_status(1, Status::Rejected)),
        Err(WriteError::Io(_))
    ));
    let block = BlockStatus {
        original_id: "B".to_owned(),
        ..BlockStatus::default()
    };
    report.block(&block).expect("valid");
    let bad = RowStatus {
        status_id: Some("S".repeat(36)),
        ..row_status(1, Status::Rejected)
    };
    assert!(matches!(report.row(&bad), Err(WriteError::Invalid(_))));
    report.row(&row_status(2, Status::Rejected)).expect("valid");
    let text = String::from_utf8(report.finish().expect("a vector")).expect("UTF-8");
    assert_eq!(text.matches("<TxInfAndSts>").count(), 1);
    assert!(inspect(text.as_bytes()).expect("bytes").valid);
}
