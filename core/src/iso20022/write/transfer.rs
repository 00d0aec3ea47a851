//! pacs.008.001.08 and pacs.004.001.09.

use super::document;
use super::xml::Xml;
use crate::iso20022::messages::{CreditTransfer, Return};
use crate::iso20022::violation::Refusal;

impl CreditTransfer {
    /// Writes a pacs.008.001.08 with this transaction.
    ///
    /// # Errors
    /// A value does not fit the schema; the violations say which and why.
    pub fn to_xml(&self) -> Result<String, Refusal> {
        document(Self::NAME, |xml| {
            xml.within("FIToFICstmrCdtTrf", |xml| {
                xml.within("GrpHdr", |xml| self.write_header(xml));
                xml.within("CdtTrfTxInf", |xml| self.write_transaction(xml));
            });
        })
    }

    fn write_header(&self, xml: &mut Xml) {
        xml.text("MsgId", &self.message_id);
        xml.moment("CreDtTm", self.created_ms);
        xml.text("NbOfTxs", "1");
        xml.money("TtlIntrBkSttlmAmt", self.amount);
        xml.maybe("IntrBkSttlmDt", self.settlement_date.as_ref());
        xml.settlement(&self.settlement);
        xml.agent("InstgAgt", self.instructing_agent.as_ref());
        xml.agent("InstdAgt", self.instructed_agent.as_ref());
    }

    fn write_transaction(&self, xml: &mut Xml) {
        xml.within("PmtId", |xml| {
            xml.maybe("InstrId", self.instruction_id.as_ref());
            xml.text("EndToEndId", &self.end_to_end_id);
            xml.maybe("TxId", self.tx_id.as_ref());
            xml.maybe("UETR", self.uetr.as_ref());
        });
        xml.within("PmtTpInf", |xml| {
            xml.coded("SvcLvl", self.service_level.as_ref());
            xml.coded("LclInstrm", self.local_instrument.as_ref());
            xml.coded("CtgyPurp", self.category_purpose.as_ref());
        });
        xml.money("IntrBkSttlmAmt", self.amount);
        if let Some(ms) = self.accepted_ms {
            xml.moment("AccptncDtTm", ms);
        }
        if let Some(money) = self.instructed_amount {
            xml.money("InstdAmt", money);
        }
        xml.charge_bearer(self.charge_bearer);
        xml.party("UltmtDbtr", self.ultimate_debtor.as_ref());
        xml.party("Dbtr", Some(&self.debtor));
        xml.account("DbtrAcct", self.debtor_account.as_ref());
        xml.agent("DbtrAgt", Some(&self.debtor_agent));
        xml.agent("CdtrAgt", Some(&self.creditor_agent));
        xml.party("Cdtr", Some(&self.creditor));
        xml.account("CdtrAcct", self.creditor_account.as_ref());
        xml.party("UltmtCdtr", self.ultimate_creditor.as_ref());
        xml.coded("Purp", self.purpose.as_ref());
        xml.remittance(&self.remittance);
    }
}

impl Return {
    /// Writes a pacs.004.001.09 with this return.
    ///
    /// # Errors
    /// A value does not fit the schema; the violations say which and why.
    pub fn to_xml(&self) -> Result<String, Refusal> {
        document(Self::NAME, |xml| {
            xml.within("PmtRtr", |xml| {
                xml.within("GrpHdr", |xml| {
                    xml.text("MsgId", &self.message_id);
                    xml.moment("CreDtTm", self.created_ms);
                    xml.text("NbOfTxs", "1");
                    xml.money("TtlRtrdIntrBkSttlmAmt", self.amount);
                    xml.maybe("IntrBkSttlmDt", self.settlement_date.as_ref());
                    xml.settlement(&self.settlement);
                    xml.agent("InstgAgt", self.instructing_agent.as_ref());
                    xml.agent("InstdAgt", self.instructed_agent.as_ref());
                });
                xml.within("TxInf", |xml| {
                    xml.maybe("RtrId", self.return_id.as_ref());
                    xml.original_group(&self.original);
                    xml.original_references(&self.original);
                    xml.original_settlement(&self.original_settlement);
                    xml.money("RtrdIntrBkSttlmAmt", self.amount);
                    if let Some(bearer) = self.charge_bearer {
                        xml.charge_bearer(bearer);
                    }
                    xml.reasons("RtrRsnInf", &self.reasons);
                });
            });
        })
    }
}
