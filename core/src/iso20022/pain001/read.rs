//! From validated elements to the parts of a file.
//!
//! A header or block that is wrong is given all the same, as far as it can be read, because the
//! report to the sender has to name it; a row that is wrong is only its references and the reasons.

use super::model::{FileHeader, Payment, PaymentBlock, Row};
use crate::iso20022::limits::VIOLATIONS_MAX;
use crate::iso20022::parse::parts::{
    account, agent, charge_bearer, coded, money, optional_moment, party, remittance,
};
use crate::iso20022::tree::{El, Tree};
use crate::iso20022::violation::{Rule, Violation, Violations};

/// The header of a file of this message.
pub(super) fn header(tree: &Tree, message: &str, mut violations: Violations) -> FileHeader {
    let message = message.to_owned();
    let Some(at) = tree.root() else {
        return FileHeader {
            message,
            violations,
            ..FileHeader::default()
        };
    };
    let created_ms = optional_moment(at, "CreDtTm").unwrap_or_else(|violation| {
        // A text that is no moment at all has been noted by the schema.
        if violations.is_empty() {
            let path = format!("/Document/CstmrCdtTrfInitn{}", violation.path);
            violations.push(VIOLATIONS_MAX, || Violation { path, ..violation });
        }
        None
    });
    FileHeader {
        message,
        message_id: at.string("MsgId").unwrap_or_default(),
        created_ms,
        rows: number(at),
        control_sum: at.string("CtrlSum"),
        initiating_party: party(at, "InitgPty").unwrap_or_default(),
        violations,
    }
}

fn number(at: El) -> Option<u64> {
    at.get("NbOfTxs")?.text().parse().ok()
}

/// What a block says of all its rows.
pub(super) fn block(tree: &Tree, block: u64, violations: Violations) -> PaymentBlock {
    let Some(at) = tree.root() else {
        return PaymentBlock {
            block,
            violations,
            ..PaymentBlock::default()
        };
    };
    // Since version .08 the day may come with a time, as a choice of two elements.
    let execution = ["ReqdExctnDt/Dt", "ReqdExctnDt/DtTm", "ReqdExctnDt"];
    let batch_booking = at
        .get("BtchBookg")
        .map(|flag| matches!(flag.text(), "true" | "1"));
    PaymentBlock {
        block,
        id: at.string("PmtInfId").unwrap_or_default(),
        method: at.string("PmtMtd").unwrap_or_default(),
        batch_booking,
        rows: number(at),
        control_sum: at.string("CtrlSum"),
        service_level: coded(at, "PmtTpInf/SvcLvl"),
        local_instrument: coded(at, "PmtTpInf/LclInstrm"),
        category_purpose: coded(at, "PmtTpInf/CtgyPurp"),
        requested_execution: execution
            .iter()
            .find_map(|path| at.string(path))
            .unwrap_or_default(),
        debtor: party(at, "Dbtr").unwrap_or_default(),
        debtor_account: account(at, "DbtrAcct"),
        debtor_agent: agent(at, "DbtrAgt").unwrap_or_default(),
        ultimate_debtor: party(at, "UltmtDbtr"),
        charge_bearer: charge_bearer(at, "ChrgBr"),
        violations,
    }
}

/// One row.
pub(super) fn row(tree: &Tree, row: u64, block: u64, path: String, wrong: Violations) -> Row {
    let at = tree.root();
    let text = |name: &str| at.and_then(|at| at.string(name));
    let payment = match at {
        Some(at) if wrong.is_empty() => payment(at, &path).map_err(|violation| {
            let mut violations = Violations::default();
            violations.push(VIOLATIONS_MAX, || violation);
            violations
        }),
        _ => Err(wrong),
    };
    Row {
        row,
        block,
        instruction_id: text("PmtId/InstrId"),
        end_to_end_id: text("PmtId/EndToEndId"),
        uetr: text("PmtId/UETR"),
        payment: payment.map(Box::new),
        path,
    }
}

fn payment(at: El, path: &str) -> Result<Payment, Violation> {
    let Some(amount) = at.get("Amt/InstdAmt") else {
        let reason = "asks for the counter-value in another currency, which is not offered";
        return Err(Violation::new(
            format!("{path}/Amt"),
            Rule::EquivalentAmount,
            reason,
        ));
    };
    Ok(Payment {
        // The row is a tree of its own: its paths begin at the row.
        amount: money(amount).map_err(|violation| Violation {
            path: format!("{path}/Amt/InstdAmt"),
            ..violation
        })?,
        service_level: coded(at, "PmtTpInf/SvcLvl"),
        local_instrument: coded(at, "PmtTpInf/LclInstrm"),
        category_purpose: coded(at, "PmtTpInf/CtgyPurp"),
        charge_bearer: charge_bearer(at, "ChrgBr"),
        ultimate_debtor: party(at, "UltmtDbtr"),
        creditor_agent: agent(at, "CdtrAgt"),
        creditor: party(at, "Cdtr").unwrap_or_default(),
        creditor_account: account(at, "CdtrAcct"),
        ultimate_creditor: party(at, "UltmtCdtr"),
        purpose: coded(at, "Purp"),
        remittance: remittance(at),
    })
}
