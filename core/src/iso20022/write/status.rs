//! pacs.002.001.10 and pacs.028.001.03.

use super::document;
use super::xml::Xml;
use crate::iso20022::messages::{StatusReport, StatusRequest};
use crate::iso20022::model::{Agent, Original};
use crate::iso20022::violation::Refusal;

fn write_header(xml: &mut Xml, id: &str, created_ms: u64, agents: [Option<&Agent>; 2]) {
    xml.within("GrpHdr", |xml| {
        xml.text("MsgId", id);
        xml.moment("CreDtTm", created_ms);
        xml.agent("InstgAgt", agents[0]);
        xml.agent("InstdAgt", agents[1]);
    });
}

/// Whether only a message is named, not a payment in it.
fn is_of_group(original: &Original) -> bool {
    let references = [
        &original.instruction_id,
        &original.end_to_end_id,
        &original.tx_id,
        &original.uetr,
    ];
    original.message_id.is_some() && references.iter().all(|reference| reference.is_none())
}

impl StatusReport {
    /// Writes a pacs.002.001.10 with this report, of a transaction or, where only a message is
    /// named and nothing is said that only a transaction can have, of the whole message.
    ///
    /// # Errors
    /// A value does not fit the schema; the violations say which and why.
    pub fn to_xml(&self) -> Result<String, Refusal> {
        let plain = self.status_id.is_none()
            && self.accepted_ms.is_none()
            && self.clearing_reference.is_none();
        document("pacs.002.001.10", |xml| {
            xml.within("FIToFIPmtStsRpt", |xml| {
                let agents = [
                    self.instructing_agent.as_ref(),
                    self.instructed_agent.as_ref(),
                ];
                write_header(xml, &self.message_id, self.created_ms, agents);
                if plain && is_of_group(&self.original) {
                    self.write_group(xml);
                } else {
                    xml.within("TxInfAndSts", |xml| self.write_transaction(xml));
                }
            });
        })
    }

    fn write_group(&self, xml: &mut Xml) {
        xml.within("OrgnlGrpInfAndSts", |xml| {
            xml.original_message(&self.original);
            xml.text("GrpSts", self.status.code());
            xml.reasons("StsRsnInf", &self.reasons);
        });
    }

    fn write_transaction(&self, xml: &mut Xml) {
        xml.maybe("StsId", self.status_id.as_ref());
        xml.original_group(&self.original);
        xml.original_references(&self.original);
        xml.text("TxSts", self.status.code());
        xml.reasons("StsRsnInf", &self.reasons);
        if let Some(ms) = self.accepted_ms {
            xml.moment("AccptncDtTm", ms);
        }
        xml.maybe("ClrSysRef", self.clearing_reference.as_ref());
    }
}

impl StatusRequest {
    /// Writes a pacs.028.001.03 with this question.
    ///
    /// # Errors
    /// A value does not fit the schema; the violations say which and why.
    pub fn to_xml(&self) -> Result<String, Refusal> {
        document("pacs.028.001.03", |xml| {
            xml.within("FIToFIPmtStsReq", |xml| {
                let agents = [
                    self.instructing_agent.as_ref(),
                    self.instructed_agent.as_ref(),
                ];
                write_header(xml, &self.message_id, self.created_ms, agents);
                if is_of_group(&self.original) && self.request_id.is_none() {
                    xml.original_group(&self.original);
                    return;
                }
                xml.within("TxInf", |xml| {
                    xml.maybe("StsReqId", self.request_id.as_ref());
                    xml.original_group(&self.original);
                    xml.original_references(&self.original);
                });
            });
        })
    }
}
