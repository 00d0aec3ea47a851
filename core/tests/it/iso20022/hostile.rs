//! Input from strangers: broken, hostile, or oddly wrapped. None of it panics, costs more than its
//! length, or is taken for what it is not.

use lombard_core::iso20022::limits::{DEPTH_MAX, MESSAGE_BYTES_MAX, TOKEN_BYTES_MAX};
use lombard_core::iso20022::pain001::PaymentFile;
use lombard_core::iso20022::{Inspection, Message, Rule, inspect};
use proptest::prelude::*;

const PACS_002: &str = "urn:iso:std:iso:20022:tech:xsd:pacs.002.001.10";
const HEAD: &str = "urn:iso:std:iso:20022:tech:xsd:head.001.001.02";
const BODY: &str = "<FIToFIPmtStsRpt><GrpHdr><MsgId>M-1</MsgId>\
    <CreDtTm>2026-11-23T10:00:00Z</CreDtTm></GrpHdr><TxInfAndSts>\
    <OrgnlEndToEndId>E-1</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn>\
    <AddtlInf>closed</AddtlInf></StsRsnInf></TxInfAndSts></FIToFIPmtStsRpt>";

fn document(body: &str) -> String {
    format!("<Document xmlns=\"{PACS_002}\">{body}</Document>")
}

fn header(message: &str) -> String {
    let bank = |bic: &str| format!("<FIId><FinInstnId><BICFI>{bic}</BICFI></FinInstnId></FIId>");
    format!(
        "<AppHdr xmlns=\"{HEAD}\"><Fr>{}</Fr><To>{}</To><BizMsgIdr>M-1</BizMsgIdr>\
         <MsgDefIdr>{message}</MsgDefIdr><CreDt>2026-11-23T10:00:00Z</CreDt></AppHdr>",
        bank("MYMBGB2LXXX"),
        bank("INGBROBUXXX")
    )
}

fn look(input: impl AsRef<[u8]>) -> Inspection {
    inspect(input.as_ref()).expect("bytes can be read")
}

fn rules(input: impl AsRef<[u8]>) -> Vec<Rule> {
    look(input)
        .errors
        .into_iter()
        .map(|error| error.rule)
        .collect()
}

#[test]
fn wrapped_as_gateways_do() {
    let plain = document(BODY);
    let prefixed = plain
        .replace("<", "<d:")
        .replace("<d:/", "</d:")
        .replace("xmlns=", "xmlns:d=");
    let enveloped = |header: &str| {
        format!(
            "\u{feff}<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n<!-- a gateway -->\
             <?route 7?><e:Envelope xmlns:e='urn:e'><e:Id>text &amp; more</e:Id>{header}{plain}\
             </e:Envelope>\n"
        )
    };
    let cdata = plain
        .replace("closed", "<![CDATA[closed]]>")
        .replace("RJCT", "&#82;J&#x43;T");
    let located = plain.replace(
        "<FIToFIPmtStsRpt>",
        "<FIToFIPmtStsRpt xmlns:x='http://www.w3.org/2001/XMLSchema-instance' \
         x:schemaLocation='a b'>",
    );
    let rebound = plain.replace(
        "<GrpHdr>",
        &format!("<GrpHdr xmlns:q='{PACS_002}' xmlns='{PACS_002}'>"),
    );
    for text in [
        plain.clone(),
        prefixed,
        enveloped(&header("pacs.002.001.10")),
        enveloped("<AppHdr xmlns='urn:swift:xsd:$ahV10'><From/></AppHdr>"),
        cdata,
        located,
        rebound,
        plain.replace("><", "> <!-- c -->\r\n<"),
        plain.replace("2026-11-23T10:00:00Z", " 2026-11-23T10:00:00Z\n"),
    ] {
        assert_eq!(look(&text).errors, [], "{text}");
        let Ok(Message::StatusReport(reports)) = Message::parse(text.as_bytes()) else {
            panic!("{text}");
        };
        assert_eq!(reports[0].status.code(), "RJCT");
        assert_eq!(reports[0].reasons[0].text, ["closed"]);
        assert_eq!(reports[0].created_ms, 1_795_428_000_000);
    }
}

#[test]
fn xml_that_is_not_taken() {
    let ok = document(BODY);
    let within = |text: &str| ok.replace("closed", text);
    let bomb = "<!DOCTYPE d [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>";
    let external = "<!DOCTYPE d SYSTEM \"file:///etc/passwd\">";
    for (what, input, rule) in [
        ("entities", format!("{bomb}{}", within("&b;")), Rule::Dtd),
        ("external DTD", format!("{external}{ok}"), Rule::Dtd),
        ("DTD inside", within("<!DOCTYPE d>"), Rule::Dtd),
        ("entity", within("&nbsp;"), Rule::Entity),
        (
            "entity in attribute",
            ok.replace("xmlns=", "a='&x;' xmlns="),
            Rule::Entity,
        ),
        ("bare ampersand", within("a & b"), Rule::Malformed),
        ("NUL", within("\0"), Rule::Character),
        ("NUL in a comment", within("<!-- \0 -->"), Rule::Character),
        ("NUL in an instruction", within("<?a \0?>"), Rule::Character),
        ("control character", within("\u{b}"), Rule::Character),
        ("reference to NUL", within("&#0;"), Rule::Character),
        ("reference to a control", within("&#x1f;"), Rule::Character),
        (
            "reference to a surrogate",
            within("&#xD800;"),
            Rule::Character,
        ),
        (
            "reference beyond Unicode",
            within("&#x110000;"),
            Rule::Character,
        ),
        ("not a character", within("\u{ffff}"), Rule::Character),
        ("CDATA end in text", within("a ]]> b"), Rule::Malformed),
        (
            "mismatched end",
            ok.replace("</TxSts>", "</Txsts>"),
            Rule::Malformed,
        ),
        (
            "overlapping",
            ok.replace("</Cd></Rsn>", "</Rsn></Cd>"),
            Rule::Malformed,
        ),
        ("cut off", ok[..ok.len() - 20].to_owned(), Rule::Malformed),
        (
            "cut in a tag",
            ok[..ok.len() - 3].to_owned(),
            Rule::Malformed,
        ),
        ("cut in a comment", format!("{ok}<!-- "), Rule::Malformed),
        (
            "comment with --",
            within("<!-- a -- b -->"),
            Rule::Malformed,
        ),
        ("second root", format!("{ok}{ok}"), Rule::Malformed),
        ("text behind", format!("{ok} x"), Rule::Malformed),
        ("text before", format!("x {ok}"), Rule::Malformed),
        ("reference behind", format!("{ok}&#120;"), Rule::Malformed),
        (
            "CDATA behind",
            format!("{ok}<![CDATA[ ]]>"),
            Rule::Malformed,
        ),
        (
            "late declaration",
            format!(" <?xml version='1.0'?>{ok}"),
            Rule::Malformed,
        ),
        (
            "declaration inside",
            within("<?xml version='1.0'?>"),
            Rule::Malformed,
        ),
        (
            "XML 1.1",
            format!("<?xml version='1.1'?>{ok}"),
            Rule::Malformed,
        ),
        (
            "twice an attribute",
            ok.replace("xmlns=", "a='1' a='2' xmlns="),
            Rule::Malformed,
        ),
        (
            "bare attribute",
            ok.replace("xmlns=", "a xmlns="),
            Rule::Malformed,
        ),
        (
            "tag in attribute",
            ok.replace("xmlns=", "a='<' xmlns="),
            Rule::Malformed,
        ),
        (
            "bad name",
            ok.replace("GrpHdr", "Grp\"Hdr"),
            Rule::Malformed,
        ),
        ("two colons", ok.replace("GrpHdr", "a:b:c"), Rule::Malformed),
        (
            "no prefix known",
            ok.replace("<GrpHdr>", "<x:GrpHdr>")
                .replace("</GrpHdr>", "</x:GrpHdr>"),
            Rule::Namespace,
        ),
        ("nothing", String::new(), Rule::Malformed),
        ("blank", " \n ".to_owned(), Rule::Malformed),
        ("JSON", "{\"a\": 1}".to_owned(), Rule::Malformed),
        (
            "declared Latin-1",
            format!("<?xml version='1.0' encoding='ISO-8859-1'?>{ok}"),
            Rule::Encoding,
        ),
        (
            "declared UTF-16",
            format!("<?xml version='1.0' encoding='UTF-16'?>{ok}"),
            Rule::Encoding,
        ),
    ] {
        let found = look(&input);
        assert_eq!(
            found.errors.last().map(|error| error.rule),
            Some(rule),
            "{what}: {:?}",
            found.errors
        );
        assert!(Message::parse(input.as_bytes()).is_err(), "{what}");
    }
    let utf16: Vec<u8> = ok.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked: Vec<u8> = [0xff, 0xfe].into_iter().chain(utf16.clone()).collect();
    assert_eq!(rules(utf16), [Rule::Encoding]);
    assert_eq!(rules(marked), [Rule::Encoding]);
    let latin1: Vec<u8> = within("caf\u{e9}").chars().map(|ch| ch as u8).collect();
    assert_eq!(rules(latin1), [Rule::Encoding]);
    let overlong = ok.replace("closed", "@@").into_bytes();
    let at = overlong
        .windows(2)
        .position(|it| it == b"@@")
        .expect("the mark");
    let overlong = [&overlong[..at], &[0xc0, 0xaf], &overlong[at + 2..]].concat();
    assert_eq!(rules(overlong), [Rule::Encoding]);
}

#[test]
fn documents_that_are_not_the_one_document() {
    let ok = document(BODY);
    let two = format!("<e>{ok}{ok}</e>");
    assert_eq!(rules(two), [Rule::DuplicateDocument]);
    let headers = format!("<e>{0}{0}{ok}</e>", header("pacs.002.001.10"));
    assert_eq!(rules(headers), [Rule::DuplicateDocument]);
    assert_eq!(rules("<e><f/></e>"), [Rule::NoDocument]);
    assert_eq!(rules(ok.replace(PACS_002, "urn:x")), [Rule::Namespace]);
    assert_eq!(rules(ok.replace(PACS_002, "")), [Rule::Namespace]);
    assert_eq!(
        rules(ok.replace("pacs.002.001.10", "pacs.002.001.77")),
        [Rule::UnsupportedMessage]
    );
    assert_eq!(
        rules(format!("<e>{}{ok}</e>", header("pacs.008.001.08"))),
        [Rule::HeaderMismatch]
    );
    // A header in the place of the document, and the other way round.
    assert_eq!(rules(ok.replace(PACS_002, HEAD)), [Rule::Namespace]);
    assert_eq!(rules(ok.replace("Document", "AppHdr")), [Rule::Namespace]);
    let alone = header("pacs.002.001.10");
    assert!(look(&alone).valid, "a header is a message of its own");
    let refusal = Message::parse(alone.as_bytes()).expect_err("but none to act on");
    assert_eq!(refusal.violations.kept()[0].rule, Rule::NoDocument);
    let other = ok.replace("<GrpHdr>", "<GrpHdr xmlns='urn:other'>");
    assert_eq!(
        rules(other),
        [Rule::UnexpectedElement, Rule::MissingElement]
    );
}

#[test]
fn sizes_are_bounded() {
    let deep = "<a>".repeat(200_000);
    assert_eq!(rules(&deep), [Rule::Limit]);
    let fits = "<a>".repeat(DEPTH_MAX) + &"</a>".repeat(DEPTH_MAX);
    assert_eq!(rules(fits), [Rule::NoDocument]);

    let long = "x".repeat(TOKEN_BYTES_MAX + 1);
    let within = |text: &str| document(&BODY.replace("closed", text));
    for text in [
        within(&long),
        within(&format!("<!--{long}-->")),
        within(&format!("<?p {long}?>")),
        within(&format!("<![CDATA[{long}]]>")),
        within(&format!("<{long}/>")),
        within(&format!("&{long};")),
        within(&format!("</{long}>")),
        within(&format!("<![CDATA[{}]]>", &long[..100_000]).repeat(2)),
        within(&"&amp;".repeat(TOKEN_BYTES_MAX + 1)),
        document(BODY).replace("xmlns=", &format!("a='{long}' xmlns=")),
        document(BODY).replace(
            "xmlns=",
            &(0..100).map(|n| format!("a{n}='' ")).collect::<String>(),
        ),
    ] {
        assert_eq!(rules(&text).last(), Some(&Rule::Limit), "{}", &text[..200]);
    }
    let scopes = (0..10).map(|n| {
        let declared = (0..30).map(|m| format!(" xmlns:a{n}b{m}='u'"));
        format!("<e{}>", declared.collect::<String>())
    });
    assert_eq!(rules(scopes.collect::<String>()), [Rule::Limit]);

    let large = document(&"<!-- -->".repeat(MESSAGE_BYTES_MAX / 8));
    let refusal = Message::parse(large.as_bytes()).expect_err("too large for a message");
    assert_eq!(refusal.violations.kept()[0].rule, Rule::Limit);
}

#[test]
fn a_million_mistakes_are_counted_and_few_are_kept() {
    let text = document(&"<x/>".repeat(1_000_000));
    let found = look(text);
    assert_eq!((found.error_count, found.errors.len()), (1_000_001, 100));
    let message = &found.errors[0];
    assert_eq!(message.path, "/Document/x");
}

#[test]
fn no_message_repeats_a_value() {
    let secret = "S3CR3T";
    let text = document(&format!(
        "<FIToFIPmtStsRpt><GrpHdr><MsgId>{secret}{}</MsgId><CreDtTm>{secret}</CreDtTm>\
         <CreDtTm a='{secret}'>{secret}</CreDtTm>{secret}</GrpHdr><TxInfAndSts>\
         <OrgnlUETR>{secret}</OrgnlUETR><TxSts>{secret}</TxSts>\
         <OrgnlTxRef><IntrBkSttlmAmt Ccy='{secret}'>{secret}</IntrBkSttlmAmt>\
         <DbtrAcct><Id><IBAN>GB00{secret}</IBAN></Id></DbtrAcct></OrgnlTxRef></TxInfAndSts>\
         </FIToFIPmtStsRpt>",
        "x".repeat(40)
    ));
    let found = look(text);
    assert!(found.errors.len() >= 8, "{:?}", found.errors);
    for error in found.errors {
        assert!(!error.to_string().contains(secret), "{error}");
    }
}

/// Reads the input in every way that there is.
fn read_all(bytes: &[u8]) {
    let found = look(bytes);
    assert_eq!(found.valid, found.error_count == 0);
    if Message::parse(bytes).is_ok() {
        assert!(found.valid);
    }
    let items: Vec<_> = PaymentFile::new(bytes).collect();
    assert!(!items.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_all(&bytes);
    }

    #[test]
    fn any_markup_is_survived(parts in prop::collection::vec(prop::sample::select(vec![
        "<Document>", "</Document>", "<a:b xmlns:a='c'>", "</a:b>", "<GrpHdr/>", "<!--", "-->", "<![CDATA[",
        "]]>", "&amp;", "&", ";", "<?xml version='1.0'?>", "<?", "?>", "<!DOCTYPE", ">", "<", "'", "\"", "x",
        "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:pain.001.001.09'>", "<CstmrCdtTrfInitn>",
        "<PmtInf>", "<CdtTrfTxInf>", "</CdtTrfTxInf>", "</PmtInf>", "<Amt>", "<InstdAmt Ccy='EUR'>",
    ]), 0..30)) {
        read_all(parts.concat().as_bytes());
    }

    #[test]
    fn any_damage_is_survived(
        at in 0usize..2_000, with in prop::collection::vec(any::<u8>(), 0..4), cut in 0usize..5,
    ) {
        let mut bytes = format!("<e>{}{}</e>", header("pacs.002.001.10"), document(BODY)).into_bytes();
        let at = at % bytes.len();
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, with);
        read_all(&bytes);
    }
}
