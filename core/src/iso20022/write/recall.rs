//! camt.056.001.08 and camt.029.001.09.

use super::document;
use crate::iso20022::messages::{RecallAnswer, RecallRequest};
use crate::iso20022::violation::Refusal;

impl RecallRequest {
    /// Writes a camt.056.001.08 with this recall.
    ///
    /// # Errors
    /// A value does not fit the schema; the violations say which and why.
    pub fn to_xml(&self) -> Result<String, Refusal> {
        document("camt.056.001.08", |xml| {
            xml.within("FIToFIPmtCxlReq", |xml| {
                xml.assignment(&self.assignment);
                xml.case("Case", self.case.as_ref());
                xml.within("CtrlData", |xml| xml.text("NbOfTxs", "1"));
                xml.within("Undrlyg", |xml| {
                    xml.within("TxInf", |xml| {
                        xml.maybe("CxlId", self.cancellation_id.as_ref());
                        xml.original_group(&self.original);
                        xml.original_references(&self.original);
                        xml.original_settlement(&self.original_settlement);
                        xml.reasons("CxlRsnInf", &self.reasons);
                    });
                });
            });
        })
    }
}

impl RecallAnswer {
    /// Writes a camt.029.001.09 with this answer.
    ///
    /// # Errors
    /// A value does not fit the schema; the violations say which and why.
    pub fn to_xml(&self) -> Result<String, Refusal> {
        document("camt.029.001.09", |xml| {
            xml.within("RsltnOfInvstgtn", |xml| {
                xml.assignment(&self.assignment);
                xml.case("RslvdCase", self.case.as_ref());
                xml.within("Sts", |xml| xml.text("Conf", self.outcome.code()));
                xml.within("CxlDtls", |xml| {
                    xml.within("TxInfAndSts", |xml| {
                        xml.maybe("CxlStsId", self.status_id.as_ref());
                        xml.original_group(&self.original);
                        xml.original_references(&self.original);
                        xml.reasons("CxlStsRsnInf", &self.reasons);
                    });
                });
            });
        })
    }
}
