//! By which names the other bank knows an incoming payment: kept when it came in, needed when its
//! money goes back or its recall is refused.

use lombard_core::{
    id::Id,
    iso20022::{Agent, CreditTransfer, Original, OriginalSettlement},
    money::Money,
    payment::Payment,
    store::Key,
    tenant::TenantId,
};
use serde::{Deserialize, Serialize};

/// The names of a payment, and the bank that sent it. No personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The message that carried it, and its version, such as `pacs.008.001.10`.
    pub message_name: String,
    /// The reference of that message.
    pub message_id: String,
    /// When that was made, Unix milliseconds.
    pub created_ms: u64,
    /// `InstrId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruction_id: Option<String>,
    /// `EndToEndId`.
    pub end_to_end_id: String,
    /// `TxId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tx_id: Option<String>,
    /// `UETR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uetr: Option<String>,
    /// `IntrBkSttlmDt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement_date: Option<String>,
    /// `IntrBkSttlmAmt`.
    pub amount: Money,
    /// The debtor's bank: a BIC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bic: Option<String>,
    /// The debtor's bank: a sort code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort_code: Option<String>,
}

/// What stands in the place of a reference that there is none of.
const NOT_PROVIDED: &str = "NOTPROVIDED";

/// By which reference a bank tells a payment from all its others: the first that it gives of transaction id,
/// UETR and instruction id, else the message and the end-to-end id together. An end-to-end id alone is its
/// customer's, who may use it twice.
#[must_use]
pub fn reference(original: &Original) -> Option<String> {
    let own = |tag: &str, text: &Option<String>| {
        let text = text.as_ref().filter(|text| *text != NOT_PROVIDED)?;
        Some(format!("{tag} {text}"))
    };
    own("tx", &original.tx_id)
        .or_else(|| own("uetr", &original.uetr))
        .or_else(|| own("instr", &original.instruction_id))
        .or_else(|| {
            let end_to_end = original.end_to_end_id.as_deref().unwrap_or(NOT_PROVIDED);
            let message = original.message_id.as_ref()?;
            Some(format!("msg {message} {end_to_end}"))
        })
}

/// Whether nothing that `asked` says of an original is otherwise in `names`.
#[must_use]
pub fn agree(names: &Names, asked: &Original) -> bool {
    let fits = |asked: &Option<String>, known: Option<&str>| match (asked.as_deref(), known) {
        (Some(asked), Some(known)) => asked == known || asked == NOT_PROVIDED,
        _ => true,
    };
    fits(&asked.message_id, Some(&names.message_id))
        && fits(&asked.instruction_id, names.instruction_id.as_deref())
        && fits(&asked.end_to_end_id, Some(&names.end_to_end_id))
        && fits(&asked.tx_id, names.tx_id.as_deref())
        && fits(&asked.uetr, names.uetr.as_deref())
}

/// An end-to-end id that is one.
#[must_use]
pub fn end_to_end(text: Option<&str>) -> Option<&str> {
    text.filter(|text| *text != NOT_PROVIDED)
}

/// Where a payment's names are kept.
#[must_use]
pub fn key(tenant: TenantId, payment: Id<Payment>) -> Key {
    Key::new(&format!("{}/{payment}#rail", tenant.short()), "names")
}

impl Names {
    /// The names in a message of this name and version.
    #[must_use]
    pub fn of(message_name: &str, transfer: &CreditTransfer) -> Self {
        Self {
            message_name: message_name.to_owned(),
            message_id: transfer.message_id.clone(),
            created_ms: transfer.created_ms,
            instruction_id: transfer.instruction_id.clone(),
            end_to_end_id: transfer.end_to_end_id.clone(),
            tx_id: transfer.tx_id.clone(),
            uetr: transfer.uetr.clone(),
            settlement_date: transfer.settlement_date.clone(),
            amount: transfer.amount,
            bic: transfer.debtor_agent.bic.clone(),
            sort_code: transfer.debtor_agent.as_sort_code().map(str::to_owned),
        }
    }

    /// The same, as another message quotes them.
    #[must_use]
    pub fn original(&self) -> Original {
        Original {
            message_id: Some(self.message_id.clone()),
            message_name: Some(self.message_name.clone()),
            message_created_ms: Some(self.created_ms),
            instruction_id: self.instruction_id.clone(),
            end_to_end_id: Some(self.end_to_end_id.clone()),
            tx_id: self.tx_id.clone(),
            uetr: self.uetr.clone(),
        }
    }

    /// What was settled then.
    #[must_use]
    pub fn settlement(&self) -> OriginalSettlement {
        OriginalSettlement {
            amount: Some(self.amount),
            date: self.settlement_date.clone(),
        }
    }

    /// The bank that sent it.
    #[must_use]
    pub fn agent(&self) -> Agent {
        match (&self.bic, &self.sort_code) {
            (Some(bic), _) => Agent::bic(bic),
            (None, Some(sort_code)) => Agent::sort_code(sort_code),
            (None, None) => super::dialect::unknown_agent(),
        }
    }
}
