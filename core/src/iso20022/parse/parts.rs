//! The parts that several messages share, read from validated elements.

use crate::iso20022::amount;
use crate::iso20022::model::{
    Account, Actor, Address, Agent, ChargeBearer, ClearingMember, Coded, Original,
    OriginalSettlement, Party, Reason, Remittance, Settlement, SettlementMethod,
};
use crate::iso20022::moment;
use crate::iso20022::tree::El;
use crate::iso20022::violation::{Rule, Violation};
use crate::money::Money;

/// The amount of an element with a currency.
pub(in crate::iso20022) fn money(at: El) -> Result<Money, Violation> {
    let read = amount::read(at.text(), at.attribute());
    read.map_err(|(rule, reason)| at.violation(rule, reason))
}

/// The amount at a path, if there is one.
pub(in crate::iso20022) fn optional_money(at: El, path: &str) -> Result<Option<Money>, Violation> {
    at.get(path).map(money).transpose()
}

/// The moment at a path, if there is one.
pub(in crate::iso20022) fn optional_moment(at: El, path: &str) -> Result<Option<u64>, Violation> {
    let read = |found: El| {
        let fault = || found.violation(Rule::TimeRange, "is before 1970 or after 9999");
        moment::read(found.text()).ok_or_else(fault)
    };
    at.get(path).map(read).transpose()
}

/// The moment at a path that the schema requires.
pub(in crate::iso20022) fn moment(at: El, path: &str) -> Result<u64, Violation> {
    let missing = || at.violation(Rule::MissingElement, format!("{path} is missing"));
    optional_moment(at, path)?.ok_or_else(missing)
}

/// `Cd` or `Prtry` in the element at a path.
pub(in crate::iso20022) fn coded(at: El, path: &str) -> Option<Coded> {
    let found = at.get(path)?;
    let code = found.string("Cd").map(Coded::Code);
    code.or_else(|| found.string("Prtry").map(Coded::Proprietary))
}

/// A bank at a path, where the element holds `FinInstnId`.
pub(in crate::iso20022) fn agent(at: El, path: &str) -> Option<Agent> {
    let found = at.get(path)?.get("FinInstnId")?;
    let member = |member: El| ClearingMember {
        system: coded(member, "ClrSysId"),
        id: member.string("MmbId").unwrap_or_default(),
    };
    Some(Agent {
        // Versions before 2013 call it BIC.
        bic: found.string("BICFI").or_else(|| found.string("BIC")),
        member: found.get("ClrSysMmbId").map(member),
        lei: found.string("LEI"),
        name: found.string("Nm"),
    })
}

/// A person or company at a path.
pub(in crate::iso20022) fn party(at: El, path: &str) -> Option<Party> {
    at.get(path).map(party_of)
}

pub(in crate::iso20022) fn party_of(found: El) -> Party {
    Party {
        name: found.string("Nm"),
        address: found.get("PstlAdr").map(address),
        lei: found.string("Id/OrgId/LEI"),
        id: [
            "Id/OrgId/AnyBIC",
            "Id/OrgId/BICOrBEI",
            "Id/OrgId/Othr/Id",
            "Id/PrvtId/Othr/Id",
        ]
        .into_iter()
        .find_map(|path| found.string(path)),
    }
}

fn address(at: El) -> Address {
    Address {
        street: at.string("StrtNm"),
        building: at.string("BldgNb"),
        postcode: at.string("PstCd"),
        town: at.string("TwnNm"),
        country: at.string("Ctry"),
        lines: at
            .all("AdrLine")
            .map(|line| line.text().to_owned())
            .collect(),
    }
}

/// An account at a path.
pub(in crate::iso20022) fn account(at: El, path: &str) -> Option<Account> {
    let found = at.get(path)?.get("Id")?;
    if let Some(iban) = found.string("IBAN") {
        return Some(Account::Iban(iban));
    }
    let other = found.get("Othr")?;
    Some(Account::Other {
        id: other.string("Id")?,
        scheme: coded(other, "SchmeNm"),
    })
}

/// How a payment settles. The schema requires the method and knows only these four.
pub(in crate::iso20022) fn settlement(at: El, path: &str) -> Settlement {
    let found = at.get(path);
    let method = found.and_then(|found| found.get("SttlmMtd"));
    Settlement {
        method: match method.map_or("", El::text) {
            "INDA" => SettlementMethod::InstructedAgent,
            "INGA" => SettlementMethod::InstructingAgent,
            "COVE" => SettlementMethod::Cover,
            _ => SettlementMethod::Clearing,
        },
        clearing_system: found.and_then(|found| coded(found, "ClrSys")),
    }
}

/// Who pays the fees. The schema knows only these four.
pub(in crate::iso20022) fn charge_bearer(at: El, path: &str) -> Option<ChargeBearer> {
    Some(match at.get(path)?.text() {
        "DEBT" => ChargeBearer::Debtor,
        "CRED" => ChargeBearer::Creditor,
        "SLEV" => ChargeBearer::ServiceLevel,
        _ => ChargeBearer::Shared,
    })
}

/// What a payment is for.
pub(in crate::iso20022) fn remittance(at: El) -> Remittance {
    let Some(found) = at.get("RmtInf") else {
        return Remittance::default();
    };
    let references = found
        .all("Strd")
        .filter_map(|it| it.string("CdtrRefInf/Ref"));
    let mut references = references.collect::<Vec<_>>().into_iter();
    let reference = references.next();
    let mut also: Vec<String> = references.collect();
    for part in found.all("Strd") {
        also.extend(part.all("RfrdDocInf").filter_map(|it| it.string("Nb")));
        also.extend(part.all("AddtlRmtInf").map(|it| it.text().to_owned()));
    }
    Remittance {
        text: found.all("Ustrd").map(|it| it.text().to_owned()).collect(),
        reference,
        also,
    }
}

/// Which payment a transaction speaks of; what it does not say of the message, the group may.
pub(in crate::iso20022) fn original(at: El, group: Option<El>) -> Result<Original, Violation> {
    let group = at.get("OrgnlGrpInf").or(group);
    let text = |name| group.and_then(|group| group.string(name));
    let created = group
        .map(|group| optional_moment(group, "OrgnlCreDtTm"))
        .transpose()?;
    Ok(Original {
        message_id: text("OrgnlMsgId"),
        message_name: text("OrgnlMsgNmId"),
        message_created_ms: created.flatten(),
        instruction_id: at.string("OrgnlInstrId"),
        end_to_end_id: at.string("OrgnlEndToEndId"),
        tx_id: at.string("OrgnlTxId"),
        uetr: at.string("OrgnlUETR"),
    })
}

/// What was settled originally.
pub(in crate::iso20022) fn original_settlement(at: El) -> Result<OriginalSettlement, Violation> {
    Ok(OriginalSettlement {
        amount: optional_money(at, "OrgnlIntrBkSttlmAmt")?,
        date: at.string("OrgnlIntrBkSttlmDt"),
    })
}

/// The reasons in elements of one name.
pub(in crate::iso20022) fn reasons(at: El, name: &'static str) -> Vec<Reason> {
    let reason = |found: El| Reason {
        code: coded(found, "Rsn"),
        text: found
            .all("AddtlInf")
            .map(|line| line.text().to_owned())
            .collect(),
    };
    at.all(name).map(reason).collect()
}

/// Who asks or answers, in an element that holds `Agt` or `Pty`.
pub(in crate::iso20022) fn actor(at: El, path: &str) -> Option<Actor> {
    let found = at.get(path)?;
    let bank = agent(found, "Agt").map(Actor::Agent);
    bank.or_else(|| party(found, "Pty").map(Actor::Party))
}
