//! An instruction held against the rules of its scheme.

use lombard_core::{
    bank::uk::weights::Weights,
    rail::Rail,
    reason::Reason,
    scheme::{self, Field, Finding, Rule, Rules, Severity},
};

use super::{Creditor, Instruction, Refused, refused};
use crate::details::BankAddress;

/// Holds the instruction against the scheme's rules: its warnings, or the first refusal.
pub fn judge(
    rail: Rail,
    instruction: &Instruction<'_>,
    end_to_end_id: &str,
    weights: Option<&Weights>,
) -> Result<Vec<Finding>, Refused> {
    if instruction.reference.is_some() && instruction.remittance.is_some() {
        let message = "a payment carries a reference or a text, not both".to_owned();
        let reason = Reason::ReferenceInvalid;
        return Err(refused("/remittance", "reference_or_text", reason, message));
    }
    let (Some(rules), Creditor::Outside { name, address }) =
        (Rules::of(rail), instruction.creditor)
    else {
        return Ok(Vec::new());
    };
    let spelled = Spelled::of(&address);
    let checked = scheme::Instruction {
        amount: instruction.money.amount.minor(),
        currency: instruction.money.currency,
        // The holder's name and address are the account's, and checked when they are sent. What
        // stands in for them here is the creditor's, so that nothing is found twice that is not
        // found once.
        debtor_name: instruction.debtor_name.unwrap_or(name),
        debtor_account: spelled.account(),
        creditor_name: name,
        creditor_account: spelled.account(),
        creditor_bic: None,
        end_to_end_id,
        reference: instruction
            .reference
            .or(instruction.remittance)
            .unwrap_or_default(),
    };
    let mut findings = scheme::check(&rules, &checked, weights);
    findings.retain(|finding| match finding.field {
        Field::DebtorAccount => false,
        Field::DebtorName => instruction.debtor_name.is_some(),
        _ => true,
    });
    match findings
        .iter()
        .find(|finding| finding.severity == Severity::Refuse)
    {
        Some(finding) => Err(Refused {
            field: pointer(finding.field, instruction),
            rule: finding.rule.code(),
            reason: reason_of(finding),
            message: finding.message.clone(),
        }),
        None => Ok(findings),
    }
}

/// An address as the scheme's rules read it.
enum Spelled<'a> {
    Iban(&'a str),
    Uk(String, &'a str),
}

impl<'a> Spelled<'a> {
    fn of(address: &'a BankAddress) -> Self {
        match address {
            BankAddress::Iban(iban) => Self::Iban(iban.as_str()),
            BankAddress::Uk(account) => Self::Uk(account.sort_code().to_string(), account.number()),
        }
    }

    fn account(&self) -> scheme::Account<'_> {
        match self {
            Self::Iban(iban) => scheme::Account::Iban(iban),
            Self::Uk(sort_code, number) => scheme::Account::Uk { sort_code, number },
        }
    }
}

/// Where a scheme's field stands in the API's body.
#[must_use]
pub fn pointer(field: Field, instruction: &Instruction<'_>) -> &'static str {
    match field {
        Field::Amount => "/amount",
        Field::Currency => "/currency",
        Field::DebtorName => "/debtor/name",
        Field::DebtorAccount => "/debtor/account",
        Field::CreditorName => "/creditor/name",
        Field::CreditorBank => "/creditor",
        Field::EndToEndId => "/end_to_end_id",
        Field::CreditorAccount => match instruction.creditor {
            Creditor::Outside {
                address: BankAddress::Iban(_),
                ..
            } => "/creditor/iban",
            Creditor::Outside { .. } => "/creditor/account_number",
            Creditor::Account(_) => "/creditor/account",
        },
        Field::Reference if instruction.remittance.is_some() => "/remittance",
        Field::Reference => "/reference",
    }
}

fn reason_of(finding: &Finding) -> Reason {
    match (finding.rule, finding.field) {
        (Rule::AmountZero, _) => Reason::AmountInvalid,
        (Rule::AmountLimit, _) => Reason::AmountLimit,
        (Rule::Currency, _) => Reason::CurrencyNotAccepted,
        (Rule::AccountKind | Rule::AccountInvalid | Rule::Modulus, _) => {
            Reason::AccountNumberInvalid
        }
        (Rule::AccountCountry, _) => Reason::BankNotParticipating,
        (Rule::Bic, _) => Reason::BankUnknown,
        (_, Field::CreditorName | Field::DebtorName) => Reason::NameMissing,
        (_, Field::Reference) => Reason::ReferenceInvalid,
        _ => Reason::MessageInvalid,
    }
}
