//! An instruction held against the rules of a scheme.

use super::charset::Spelled;
use super::{AccountKind, Field, Rules, TextKind, TextRule, TooLong};
use crate::bank::uk::UkAccount;
use crate::bank::uk::modulus::Verdict;
use crate::bank::uk::weights::Weights;
use crate::bank::{Bic, Iban};
use crate::currency::{Currency, format_minor};

/// What is to be paid, field by field, as it was given.
#[derive(Debug, Clone, Copy)]
pub struct Instruction<'a> {
    /// Minor units.
    pub amount: u64,
    /// The currency.
    pub currency: Currency,
    /// Who pays.
    pub debtor_name: &'a str,
    /// From which account.
    pub debtor_account: Account<'a>,
    /// Who is paid.
    pub creditor_name: &'a str,
    /// To which account.
    pub creditor_account: Account<'a>,
    /// At which bank, if it was given.
    pub creditor_bic: Option<&'a str>,
    /// The payer's identification, which travels to the payee.
    pub end_to_end_id: &'a str,
    /// What for; empty if nothing is said.
    pub reference: &'a str,
}

/// An account, as it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account<'a> {
    /// An IBAN in electronic form.
    Iban(&'a str),
    /// A sort code and an account number.
    Uk {
        /// Six digits, with or without hyphens.
        sort_code: &'a str,
        /// Eight digits.
        number: &'a str,
    },
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The payment can be sent, and the payee will see [`Finding::sent`].
    Warn,
    /// The payment cannot be sent.
    Refuse,
}

/// The rule that a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The field must be there.
    Required,
    /// The text is longer than the scheme takes.
    TooLong,
    /// The scheme carries the beginning only.
    Cut,
    /// A character is outside the scheme's set and has no usual spelling in it.
    Characters,
    /// Characters outside the scheme's set are sent in their usual spelling.
    Respelled,
    /// An identification begins or ends with a slash, or has two in a row.
    Slashes,
    /// The amount is zero.
    AmountZero,
    /// The amount is above the limit.
    AmountLimit,
    /// The scheme carries another currency.
    Currency,
    /// The scheme addresses another kind of account.
    AccountKind,
    /// The account is malformed or its check digits are wrong.
    AccountInvalid,
    /// The account number fails the modulus check of its sort code.
    Modulus,
    /// The account is of a country that the scheme does not reach.
    AccountCountry,
    /// The BIC is malformed.
    Bic,
}

impl Rule {
    /// A stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::TooLong => "too_long",
            Self::Cut => "cut",
            Self::Characters => "characters",
            Self::Respelled => "respelled",
            Self::Slashes => "slashes",
            Self::AmountZero => "amount_zero",
            Self::AmountLimit => "amount_limit",
            Self::Currency => "currency",
            Self::AccountKind => "account_kind",
            Self::AccountInvalid => "account_invalid",
            Self::Modulus => "modulus",
            Self::AccountCountry => "account_country",
            Self::Bic => "bic",
        }
    }
}

/// One thing that a scheme will not carry as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub field: Field,
    /// Which rule.
    pub rule: Rule,
    /// How bad.
    pub severity: Severity,
    /// A sentence for whoever gave the instruction. It never repeats an account number.
    pub message: String,
    /// Of a warning: the text that will be sent instead.
    pub sent: Option<String>,
}

impl Finding {
    fn refuse(field: Field, rule: Rule, message: impl Into<String>) -> Self {
        Self {
            field,
            rule,
            severity: Severity::Refuse,
            message: message.into(),
            sent: None,
        }
    }
}

/// Holds an instruction against the rules: every finding, in order of the fields. None means that it
/// can be sent as it is.
///
/// `weights` is the table of the UK modulus check; without it that check is not made.
#[must_use]
pub fn check(
    rules: &Rules,
    instruction: &Instruction<'_>,
    weights: Option<&Weights>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(amount(rules, instruction));
    findings.extend(currency(rules, instruction));
    for (field, account) in [
        (Field::DebtorAccount, instruction.debtor_account),
        (Field::CreditorAccount, instruction.creditor_account),
    ] {
        findings.extend(self::account(rules, field, account, weights));
    }
    if let Some(Err(error)) = instruction.creditor_bic.map(str::parse::<Bic>) {
        findings.push(Finding::refuse(
            Field::CreditorBank,
            Rule::Bic,
            error.to_string(),
        ));
    }
    for (field, text) in [
        (Field::DebtorName, instruction.debtor_name),
        (Field::CreditorName, instruction.creditor_name),
        (Field::EndToEndId, instruction.end_to_end_id),
        (Field::Reference, instruction.reference),
    ] {
        if let Some(rule) = rules.text(field) {
            findings.extend(self::text(rule, text));
        }
    }
    findings.sort_by_key(|finding| finding.field);
    findings
}

fn amount(rules: &Rules, instruction: &Instruction<'_>) -> Option<Finding> {
    let limit = rules.amount_max.value.unwrap_or(u64::MAX);
    if instruction.amount == 0 {
        let message = "a payment carries at least one minor unit";
        return Some(Finding::refuse(Field::Amount, Rule::AmountZero, message));
    }
    (instruction.amount > limit).then(|| {
        let most = format_minor(limit, instruction.currency);
        let message = format!(
            "{} carries at most {most} {} in one payment",
            rules.name, instruction.currency
        );
        Finding::refuse(Field::Amount, Rule::AmountLimit, message)
    })
}

fn currency(rules: &Rules, instruction: &Instruction<'_>) -> Option<Finding> {
    let carried = rules
        .rail
        .currency()
        .filter(|currency| *currency != instruction.currency)?;
    let message = format!(
        "{} carries {carried}, not {}",
        rules.name, instruction.currency
    );
    Some(Finding::refuse(Field::Currency, Rule::Currency, message))
}

fn account(
    rules: &Rules,
    field: Field,
    account: Account<'_>,
    weights: Option<&Weights>,
) -> Option<Finding> {
    let refuse = |rule, message: String| Some(Finding::refuse(field, rule, message));
    match (rules.account.value, account) {
        (AccountKind::SepaIban, Account::Uk { .. }) => {
            refuse(Rule::AccountKind, format!("{} needs an IBAN", rules.name))
        }
        (AccountKind::SepaIban, Account::Iban(text)) => match text.parse::<Iban>() {
            Err(error) => refuse(Rule::AccountInvalid, error.to_string()),
            Ok(iban) if !iban.is_sepa() => refuse(
                Rule::AccountCountry,
                format!("{} does not reach {}", rules.name, iban.country()),
            ),
            Ok(_) => None,
        },
        (AccountKind::Uk, Account::Iban(text)) => match text.parse::<Iban>() {
            Err(error) => refuse(Rule::AccountInvalid, error.to_string()),
            Ok(iban) => match UkAccount::of_iban(&iban) {
                Some(account) => modulus(field, &account, weights),
                None => refuse(
                    Rule::AccountCountry,
                    format!("{} does not reach {}", rules.name, iban.country()),
                ),
            },
        },
        (AccountKind::Uk, Account::Uk { sort_code, number }) => {
            match UkAccount::parse(sort_code, number) {
                Err(error) => refuse(Rule::AccountInvalid, error.to_string()),
                Ok(account) => modulus(field, &account, weights),
            }
        }
    }
}

fn modulus(field: Field, account: &UkAccount, weights: Option<&Weights>) -> Option<Finding> {
    let failed = weights.is_some_and(|weights| weights.check(account) == Verdict::Invalid);
    let message = "the account number does not belong to the sort code";
    failed.then(|| Finding::refuse(field, Rule::Modulus, message))
}

impl TextRule {
    /// What the scheme has to say about a text in this field.
    #[must_use]
    pub fn findings(&self, given: &str) -> Vec<Finding> {
        text(self, given)
    }

    /// The text that the scheme carries for a given one: in its character set, no longer than it
    /// takes. `None` when it would not carry the text at all.
    #[must_use]
    pub fn carried(&self, given: &str) -> Option<String> {
        let findings = text(self, given);
        if findings
            .iter()
            .any(|finding| finding.severity == Severity::Refuse)
        {
            return None;
        }
        let sent = findings.into_iter().find_map(|finding| finding.sent);
        Some(sent.unwrap_or_else(|| given.to_owned()))
    }
}

/// Lengths first, as they are given; then the characters; then what would be sent.
fn text(rule: &TextRule, text: &str) -> Vec<Finding> {
    let field = rule.field;
    let refuse = |rule, message: String| vec![Finding::refuse(field, rule, message)];
    if text.trim().is_empty() {
        return match rule.required {
            true => refuse(Rule::Required, "this must be given".to_owned()),
            false => Vec::new(),
        };
    }
    let length = text.chars().count();
    let refused_above = match rule.too_long {
        TooLong::Refuse => rule.carried_max.min(rule.chars_max),
        TooLong::Cut => rule.chars_max,
    };
    if length > refused_above {
        return refuse(
            Rule::TooLong,
            format!("at most {refused_above} characters, this has {length}"),
        );
    }

    let outside = |char: char| format!("{char:?} is not in the scheme's character set");
    let spelled = match (rule.charset.spell(text), rule.kind) {
        (Spelled::Same, _) => None,
        (Spelled::Respelled(spelled), TextKind::Words) => Some(spelled),
        (Spelled::Impossible(char), _) => return refuse(Rule::Characters, outside(char)),
        (Spelled::Respelled(_), TextKind::Identification { .. }) => {
            let first = text.chars().find(|char| !rule.charset.admits(*char));
            return refuse(Rule::Characters, outside(first.unwrap_or_default()));
        }
    };
    let slashed = text.starts_with('/') || text.ends_with('/') || text.contains("//");
    if slashed && rule.kind == (TextKind::Identification { any_slashes: false }) {
        let message = "no slash at the beginning or end, and no two in a row";
        return refuse(Rule::Slashes, message.to_owned());
    }
    warnings(rule, text, spelled)
}

/// What will be sent otherwise than it was given: one warning per reason, each with the final text.
fn warnings(rule: &TextRule, given: &str, spelled: Option<String>) -> Vec<Finding> {
    let whole = spelled.as_deref().unwrap_or(given);
    let sent: String = whole.chars().take(rule.carried_max).collect();
    if sent.trim().is_empty() {
        let message = "the part that the scheme carries is blank";
        return vec![Finding::refuse(rule.field, Rule::Required, message)];
    }
    let warn = |about, message: String| Finding {
        field: rule.field,
        rule: about,
        severity: Severity::Warn,
        message,
        sent: Some(sent.clone()),
    };
    let mut findings = Vec::new();
    if spelled.is_some() {
        let message = format!("sent in the scheme's character set as {sent:?}");
        findings.push(warn(Rule::Respelled, message));
    }
    if sent.len() < whole.len() {
        let message = format!(
            "the scheme carries {} characters and sends {sent:?}",
            rule.carried_max
        );
        findings.push(warn(Rule::Cut, message));
    }
    findings
}
