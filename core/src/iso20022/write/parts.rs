//! The parts that several messages share, in the order of their types in the schemas.

use super::xml::Xml;
use crate::iso20022::model::{
    Account, Actor, Address, Agent, Assignment, Case, ChargeBearer, Coded, Original,
    OriginalSettlement, Party, Reason, Remittance, Settlement, SettlementMethod,
};
use crate::iso20022::{messages::CreditTransfer, moment};

/// The message that a report speaks of where it does not say so itself: the only one that we send.
const ORIGINAL_MESSAGE: &str = CreditTransfer::NAME;

impl Xml {
    pub(in crate::iso20022) fn moment(&mut self, name: &str, ms: u64) {
        self.text(name, &moment::write(ms));
    }

    pub(in crate::iso20022) fn coded(&mut self, name: &str, coded: Option<&Coded>) {
        match coded {
            Some(Coded::Code(code)) => self.within(name, |xml| xml.text("Cd", code)),
            Some(Coded::Proprietary(word)) => self.within(name, |xml| xml.text("Prtry", word)),
            None => {}
        }
    }

    pub(in crate::iso20022) fn agent(&mut self, name: &str, agent: Option<&Agent>) {
        let Some(agent) = agent else { return };
        self.within(name, |xml| {
            // The schema requires the element, even of a bank of which nothing is known.
            xml.open("FinInstnId");
            xml.maybe("BICFI", agent.bic.as_ref());
            if let Some(member) = &agent.member {
                xml.within("ClrSysMmbId", |xml| {
                    xml.coded("ClrSysId", member.system.as_ref());
                    xml.text("MmbId", &member.id);
                });
            }
            xml.maybe("LEI", agent.lei.as_ref());
            xml.maybe("Nm", agent.name.as_ref());
            xml.close("FinInstnId");
        });
    }

    pub(in crate::iso20022) fn party(&mut self, name: &str, party: Option<&Party>) {
        let Some(party) = party else { return };
        self.open(name);
        self.maybe("Nm", party.name.as_ref());
        if let Some(address) = &party.address {
            self.address(address);
        }
        self.within("Id", |xml| {
            xml.within("OrgId", |xml| xml.maybe("LEI", party.lei.as_ref()));
        });
        self.close(name);
    }

    fn address(&mut self, address: &Address) {
        self.within("PstlAdr", |xml| {
            xml.maybe("StrtNm", address.street.as_ref());
            xml.maybe("BldgNb", address.building.as_ref());
            xml.maybe("PstCd", address.postcode.as_ref());
            xml.maybe("TwnNm", address.town.as_ref());
            xml.maybe("Ctry", address.country.as_ref());
            address
                .lines
                .iter()
                .for_each(|line| xml.text("AdrLine", line));
        });
    }

    pub(in crate::iso20022) fn account(&mut self, name: &str, account: Option<&Account>) {
        let Some(account) = account else { return };
        self.within(name, |xml| {
            xml.within("Id", |xml| match account {
                Account::Iban(iban) => xml.text("IBAN", iban),
                Account::Other { id, scheme } => xml.within("Othr", |xml| {
                    xml.text("Id", id);
                    xml.coded("SchmeNm", scheme.as_ref());
                }),
            });
        });
    }

    pub(super) fn settlement(&mut self, settlement: &Settlement) {
        self.within("SttlmInf", |xml| {
            let method = match settlement.method {
                SettlementMethod::Clearing => "CLRG",
                SettlementMethod::InstructedAgent => "INDA",
                SettlementMethod::InstructingAgent => "INGA",
                SettlementMethod::Cover => "COVE",
            };
            xml.text("SttlmMtd", method);
            xml.coded("ClrSys", settlement.clearing_system.as_ref());
        });
    }

    pub(super) fn charge_bearer(&mut self, bearer: ChargeBearer) {
        let code = match bearer {
            ChargeBearer::Debtor => "DEBT",
            ChargeBearer::Creditor => "CRED",
            ChargeBearer::Shared => "SHAR",
            ChargeBearer::ServiceLevel => "SLEV",
        };
        self.text("ChrgBr", code);
    }

    pub(super) fn remittance(&mut self, remittance: &Remittance) {
        self.within("RmtInf", |xml| {
            remittance
                .text
                .iter()
                .for_each(|line| xml.text("Ustrd", line));
            if let Some(reference) = &remittance.reference {
                xml.within("Strd", |xml| {
                    xml.within("CdtrRefInf", |xml| xml.text("Ref", reference));
                });
            }
        });
    }

    /// The message that carried the original payment.
    pub(super) fn original_group(&mut self, original: &Original) {
        self.within("OrgnlGrpInf", |xml| xml.original_message(original));
    }

    /// What that element holds.
    pub(super) fn original_message(&mut self, original: &Original) {
        let Some(id) = &original.message_id else {
            return;
        };
        self.text("OrgnlMsgId", id);
        self.text(
            "OrgnlMsgNmId",
            original.message_name.as_deref().unwrap_or(ORIGINAL_MESSAGE),
        );
        if let Some(ms) = original.message_created_ms {
            self.moment("OrgnlCreDtTm", ms);
        }
    }

    /// The original payment by its references.
    pub(super) fn original_references(&mut self, original: &Original) {
        self.maybe("OrgnlInstrId", original.instruction_id.as_ref());
        self.maybe("OrgnlEndToEndId", original.end_to_end_id.as_ref());
        self.maybe("OrgnlTxId", original.tx_id.as_ref());
        self.maybe("OrgnlUETR", original.uetr.as_ref());
    }

    pub(super) fn original_settlement(&mut self, original: &OriginalSettlement) {
        if let Some(money) = original.amount {
            self.money("OrgnlIntrBkSttlmAmt", money);
        }
        self.maybe("OrgnlIntrBkSttlmDt", original.date.as_ref());
    }

    pub(in crate::iso20022) fn reasons(&mut self, name: &str, reasons: &[Reason]) {
        for reason in reasons {
            self.within(name, |xml| {
                xml.coded("Rsn", reason.code.as_ref());
                reason
                    .text
                    .iter()
                    .for_each(|line| xml.text("AddtlInf", line));
            });
        }
    }

    fn actor(&mut self, name: &str, actor: &Actor) {
        self.within(name, |xml| match actor {
            Actor::Agent(agent) => xml.agent("Agt", Some(agent)),
            Actor::Party(party) => xml.party("Pty", Some(party)),
        });
    }

    pub(super) fn assignment(&mut self, assignment: &Assignment) {
        self.within("Assgnmt", |xml| {
            xml.text("Id", &assignment.id);
            xml.actor("Assgnr", &assignment.assigner);
            xml.actor("Assgne", &assignment.assignee);
            xml.moment("CreDtTm", assignment.created_ms);
        });
    }

    pub(super) fn case(&mut self, name: &str, case: Option<&Case>) {
        let Some(case) = case else { return };
        self.within(name, |xml| {
            xml.text("Id", &case.id);
            xml.actor("Cretr", &case.creator);
        });
    }
}
