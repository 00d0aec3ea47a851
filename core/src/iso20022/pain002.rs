//! pain.002: the report on a customer's file of payments, written as a stream.
//!
//! **Shape.** The status of the file, then for each block its status and the status of its rows, in
//! the order of the schema. Only what was begun is in memory.
//!
//! **Invariant.** Each part is validated before it is written, inside a smallest document of its
//! version, so the whole is valid: a part that does not fit is an error and nothing of it is written.

use std::io::{self, Write};

use super::messages::Status;
use super::model::{Party, Reason};
use super::violation::Refusal;
use super::write::validate;
use super::write::xml::Xml;

/// The version of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// pain.002.001.03, which answers pain.001.001.03.
    V03,
    /// pain.002.001.10, which answers pain.001.001.09.
    V10,
    /// pain.002.001.12, which answers pain.001.001.11.
    V12,
}

impl Version {
    /// The version that senders of a pain.001 version understand.
    #[must_use]
    pub fn answering(message: &str) -> Self {
        match message.get(..15).unwrap_or_default() {
            older if older < "pain.001.001.09" => Self::V03,
            "pain.001.001.09" | "pain.001.001.10" => Self::V10,
            _ => Self::V12,
        }
    }

    /// The message identifier.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::V03 => "pain.002.001.03",
            Self::V10 => "pain.002.001.10",
            Self::V12 => "pain.002.001.12",
        }
    }

    /// The code of a status in this version. Version .03 knows fewer: what it lacks is said by the
    /// nearest code that promises no more.
    #[must_use]
    fn code(self, status: &Status, of_row: bool) -> &str {
        match (self, status) {
            (Self::V03, Status::CreditorCredited) => "ACSC",
            (Self::V03, Status::WithoutPosting) => "ACSP",
            (Self::V03, Status::Cancelled | Status::Blocked) => "RJCT",
            (Self::V03, Status::Received | Status::Partial) if of_row => "PDNG",
            _ => status.code(),
        }
    }
}

/// The head of a report, and the status of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileStatus {
    /// `MsgId` of the report.
    pub message_id: String,
    /// `CreDtTm` of the report, Unix milliseconds.
    pub created_ms: u64,
    /// `InitgPty`: who reports.
    pub initiating_party: Option<Party>,
    /// `OrgnlMsgId`: the file.
    pub original_message_id: String,
    /// `OrgnlMsgNmId`, such as `pain.001.001.09`.
    pub original_message: String,
    /// `OrgnlCreDtTm`, Unix milliseconds.
    pub original_created_ms: Option<u64>,
    /// `OrgnlNbOfTxs`.
    pub original_rows: Option<u64>,
    /// `OrgnlCtrlSum`, as the file wrote it.
    pub original_control_sum: Option<String>,
    /// `GrpSts`; absent where only the rows are reported on.
    pub status: Option<Status>,
    /// `StsRsnInf`.
    pub reasons: Vec<Reason>,
}

/// The status of a block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockStatus {
    /// `OrgnlPmtInfId`.
    pub original_id: String,
    /// `OrgnlNbOfTxs`.
    pub original_rows: Option<u64>,
    /// `OrgnlCtrlSum`, as the file wrote it.
    pub original_control_sum: Option<String>,
    /// `PmtInfSts`; absent where only the rows are reported on.
    pub status: Option<Status>,
    /// `StsRsnInf`.
    pub reasons: Vec<Reason>,
}

/// The status of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowStatus {
    /// `StsId`: our reference of the report on this row.
    pub status_id: Option<String>,
    /// `OrgnlInstrId`.
    pub instruction_id: Option<String>,
    /// `OrgnlEndToEndId`.
    pub end_to_end_id: Option<String>,
    /// `OrgnlUETR`; version .03 has no place for it.
    pub uetr: Option<String>,
    /// `TxSts`.
    pub status: Status,
    /// `StsRsnInf`.
    pub reasons: Vec<Reason>,
    /// `AccptncDtTm`, Unix milliseconds.
    pub accepted_ms: Option<u64>,
}

/// Why a report cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The output failed.
    #[error("the report cannot be written")]
    Io(#[from] io::Error),
    /// A value does not fit the schema; nothing of its part was written.
    #[error("the report would not be valid")]
    Invalid(#[source] Refusal),
}

/// A report in the making.
pub struct StatusFile<W: Write> {
    out: W,
    version: Version,
    in_block: bool,
    /// The beginning of the smallest document that a block can stand in.
    smallest: String,
}

impl<W: Write> StatusFile<W> {
    /// Begins a report with the status of the file.
    ///
    /// # Errors
    /// [`WriteError`]
    pub fn begin(out: W, version: Version, file: &FileStatus) -> Result<Self, WriteError> {
        let smallest = smallest_head(version);
        let mut report = Self {
            out,
            version,
            in_block: false,
            smallest,
        };
        let mut xml = Xml::document(version.message());
        xml.open("CstmrPmtStsRpt");
        file.write(&mut xml, version);
        let part = xml.take();
        check(version, &[&part, "</CstmrPmtStsRpt></Document>"])?;
        report.out.write_all(part.as_bytes())?;
        Ok(report)
    }

    /// Goes on to a block; its rows follow.
    ///
    /// # Errors
    /// [`WriteError`]
    pub fn block(&mut self, block: &BlockStatus) -> Result<(), WriteError> {
        let mut xml = Xml::default();
        xml.open("OrgnlPmtInfAndSts");
        block.write(&mut xml, self.version);
        let part = xml.take();
        let after = "</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>";
        let closed = if self.in_block {
            "</OrgnlPmtInfAndSts>"
        } else {
            ""
        };
        check(self.version, &[&self.smallest, &part, after])?;
        self.out.write_all(closed.as_bytes())?;
        self.out.write_all(part.as_bytes())?;
        self.in_block = true;
        Ok(())
    }

    /// Reports on a row of the block.
    ///
    /// # Errors
    /// [`WriteError`]; `InvalidInput` where no block was begun.
    pub fn row(&mut self, row: &RowStatus) -> Result<(), WriteError> {
        if !self.in_block {
            let reason = "a row stands in a block, and none was begun";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason).into());
        }
        let mut xml = Xml::default();
        xml.within("TxInfAndSts", |xml| row.write(xml, self.version));
        let part = xml.take();
        let block = "<OrgnlPmtInfAndSts><OrgnlPmtInfId>-</OrgnlPmtInfId>";
        let after = "</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>";
        check(self.version, &[&self.smallest, block, &part, after])?;
        self.out.write_all(part.as_bytes())?;
        Ok(())
    }

    /// Ends the report and gives the output back.
    ///
    /// # Errors
    /// The output failed.
    pub fn finish(mut self) -> Result<W, WriteError> {
        let closed = if self.in_block {
            "</OrgnlPmtInfAndSts>"
        } else {
            ""
        };
        self.out.write_all(closed.as_bytes())?;
        self.out.write_all(b"</CstmrPmtStsRpt></Document>\n")?;
        self.out.flush()?;
        Ok(self.out)
    }
}

fn smallest_head(version: Version) -> String {
    let mut xml = Xml::document(version.message());
    xml.open("CstmrPmtStsRpt");
    let smallest = FileStatus {
        message_id: "-".to_owned(),
        original_message_id: "-".to_owned(),
        original_message: "-".to_owned(),
        ..FileStatus::default()
    };
    smallest.write(&mut xml, version);
    xml.take()
}

fn check(version: Version, parts: &[&str]) -> Result<(), WriteError> {
    validate(version.message(), &parts.concat()).map_err(WriteError::Invalid)
}

impl FileStatus {
    fn write(&self, xml: &mut Xml, version: Version) {
        xml.within("GrpHdr", |xml| {
            xml.text("MsgId", &self.message_id);
            xml.moment("CreDtTm", self.created_ms);
            let name = self
                .initiating_party
                .as_ref()
                .and_then(|party| party.name.as_ref());
            xml.within("InitgPty", |xml| xml.maybe("Nm", name));
        });
        xml.within("OrgnlGrpInfAndSts", |xml| {
            xml.text("OrgnlMsgId", &self.original_message_id);
            xml.text("OrgnlMsgNmId", &self.original_message);
            if let Some(ms) = self.original_created_ms {
                xml.moment("OrgnlCreDtTm", ms);
            }
            let sums = (self.original_rows, self.original_control_sum.as_ref());
            write_status(xml, sums, "GrpSts", self.status.as_ref(), version);
            xml.reasons("StsRsnInf", &self.reasons);
        });
    }
}

fn write_status(
    xml: &mut Xml,
    (rows, control_sum): (Option<u64>, Option<&String>),
    name: &str,
    status: Option<&Status>,
    version: Version,
) {
    xml.maybe("OrgnlNbOfTxs", rows.map(|rows| rows.to_string()).as_ref());
    xml.maybe("OrgnlCtrlSum", control_sum);
    if let Some(status) = status {
        xml.text(name, version.code(status, false));
    }
}

impl BlockStatus {
    fn write(&self, xml: &mut Xml, version: Version) {
        xml.text("OrgnlPmtInfId", &self.original_id);
        let sums = (self.original_rows, self.original_control_sum.as_ref());
        write_status(xml, sums, "PmtInfSts", self.status.as_ref(), version);
        xml.reasons("StsRsnInf", &self.reasons);
    }
}

impl RowStatus {
    fn write(&self, xml: &mut Xml, version: Version) {
        xml.maybe("StsId", self.status_id.as_ref());
        xml.maybe("OrgnlInstrId", self.instruction_id.as_ref());
        xml.maybe("OrgnlEndToEndId", self.end_to_end_id.as_ref());
        if version != Version::V03 {
            xml.maybe("OrgnlUETR", self.uetr.as_ref());
        }
        xml.text("TxSts", version.code(&self.status, true));
        xml.reasons("StsRsnInf", &self.reasons);
        if let Some(ms) = self.accepted_ms {
            xml.moment("AccptncDtTm", ms);
        }
    }
}
