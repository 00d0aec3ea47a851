//! pacs.008: money that comes to an account of ours.

use lombard_core::{
    bank::Iban,
    command::{Act, Receive, Rejection},
    id::Id,
    iso20022::{Account, Agent, CreditTransfer, Original, Remittance},
    ledger::{self, AliasScheme, LedgerError},
    payment::External,
    plan::keys,
    rail::Rail,
    reason::Reason,
    tenant::TenantId,
};

use super::{
    Desk, Later, Said,
    seen::{self, Seen},
};
use crate::{
    details::{BankAddress, Details},
    exceptions::operator,
    ports::ExecuteError,
    rails::names::{self, Names},
};

/// The blinding domain of what messages ask.
const ASKS_DOMAIN: &str = "rail/asks";

impl Desk<'_> {
    /// Takes in a payment: written down, credited, answered.
    pub(super) async fn credit(&self, transfer: CreditTransfer) -> Result<Said, Later> {
        let names = Names::of(self.message, &transfer);
        // A pacs.008 always has a message id, so there always is one.
        let reference = names::reference(&names.original()).unwrap_or_default();
        let key = seen::key(self.rail, "pacs.008", &transfer.debtor_agent, &reference);
        let asks = self.asks(&transfer);
        let seen = match seen::find(self.app, &key).await? {
            Some(seen) => seen,
            None => {
                let seen = self.decide(&transfer, asks.clone()).await?;
                let kept = seen.refused.is_none();
                let kept = kept.then_some((self.rail, &transfer.debtor_agent, &names));
                seen::note(self.app, &key, &seen, kept).await?
            }
        };
        if seen.asks != asks {
            let duplicate = Seen {
                refused: Some(Reason::Duplicate),
                ..seen
            };
            return self.answer(original(&names), &duplicate);
        }
        if seen.refused.is_some() {
            return self.answer(original(&names), &seen);
        }
        let receive = self.receive(&transfer, &seen)?;
        let command = self.command(seen.tenant, Act::Receive(Box::new(receive)));
        let seen = match self.app.execute(command).await {
            Ok(_) => seen,
            Err(ExecuteError::Rejected(why)) => seen::refuse(self.app, &key, refusal(&why)).await?,
            Err(error) => return Err(error.into()),
        };
        self.answer(original(&names), &seen)
    }

    /// Whose it is, or why it is refused.
    async fn decide(&self, transfer: &CreditTransfer, asks: String) -> Result<Seen, Later> {
        let wrong_currency = self.rail.currency() != Some(transfer.amount.currency);
        let owner = self.owner(transfer).await?;
        let refused = match owner {
            _ if wrong_currency => Some(Reason::CurrencyNotAccepted),
            None => Some(Reason::AccountUnknown),
            Some(_) => None,
        };
        let at = self.app.host.now();
        Ok(Seen {
            tenant: owner.map_or_else(operator, |(tenant, _)| tenant),
            payment: Id::new(at, self.app.host.random()),
            account: owner.map(|(_, account)| account),
            asks,
            at,
            refused,
        })
    }

    /// The account of ours that the message names, by any of the ways in which it may be known.
    async fn owner(
        &self,
        transfer: &CreditTransfer,
    ) -> Result<Option<(TenantId, Id<ledger::Account>)>, Later> {
        let Some(account) = &transfer.creditor_account else {
            return Ok(None);
        };
        for address in self.dialect.read(account, &transfer.creditor_agent) {
            let alias = address.alias(self.app.vault.as_ref());
            if let Some(owner) = self.app.value(&keys::alias(&alias.blind)).await? {
                return Ok(Some(owner));
            }
        }
        Ok(None)
    }

    fn receive(&self, transfer: &CreditTransfer, seen: &Seen) -> Result<Receive, Later> {
        let vault = self.app.vault.as_ref();
        let (tenant, payment) = (seen.tenant, seen.payment);
        let from = self.debtor_address(transfer);
        let details = Details {
            debtor_name: transfer.debtor.name.clone(),
            debtor_account: from,
            creditor_name: transfer.creditor.name.clone(),
            remittance: text(&transfer.remittance),
            reference: transfer.remittance.reference.clone(),
            ..Details::default()
        };
        let sealed = details.seal(vault, tenant, payment);
        Ok(Receive {
            id: payment,
            rail: self.rail,
            money: transfer.amount,
            debtor: match from {
                Some(address) => address.external(vault, tenant),
                None => self.stranger(transfer, tenant),
            },
            creditor: seen.account,
            end_to_end_id: transfer.end_to_end_id.clone(),
            rail_reference: rail_reference(transfer).to_owned(),
            sealed: Some(sealed.map_err(|error| Later(std::sync::Arc::new(error)))?),
        })
    }

    fn debtor_address(&self, transfer: &CreditTransfer) -> Option<BankAddress> {
        let account = transfer.debtor_account.as_ref()?;
        let read = self.dialect.read(account, &transfer.debtor_agent);
        read.into_iter().next()
    }

    /// What may be shown of a debtor whose account is written in no way that we know.
    fn stranger(&self, transfer: &CreditTransfer, tenant: TenantId) -> External {
        let number = transfer.debtor_account.as_ref().map_or("", Account::number);
        let letters: Vec<char> = number.chars().filter(char::is_ascii_alphanumeric).collect();
        let last4 = &letters[letters.len().saturating_sub(4)..];
        External {
            scheme: match self.rail {
                Rail::Fps => AliasScheme::UkAccount,
                Rail::SepaInst | Rail::Book | Rail::Card => AliasScheme::Iban,
            },
            country: country(&transfer.debtor_agent).unwrap_or("XX").to_owned(),
            last4: last4.iter().collect(),
            fingerprint: self
                .app
                .vault
                .blind(tenant.short(), &format!("other:{number}")),
        }
    }

    /// A keyed hash of everything in a payment that must not differ when it comes again.
    fn asks(&self, transfer: &CreditTransfer) -> String {
        let number = |account: &Option<Account>| {
            account
                .as_ref()
                .map_or(String::new(), |account| match account {
                    Account::Iban(text) => text
                        .parse::<Iban>()
                        .map_or_else(|_| text.clone(), |iban| iban.as_str().to_owned()),
                    Account::Other { id, .. } => id.clone(),
                })
        };
        let text = format!(
            "{} {} {} {} {} {} {}",
            transfer.amount.amount,
            transfer.amount.currency.code(),
            number(&transfer.debtor_account),
            number(&transfer.creditor_account),
            transfer.end_to_end_id,
            transfer.instruction_id.as_deref().unwrap_or_default(),
            transfer.uetr.as_deref().unwrap_or_default(),
        );
        self.app.vault.blind(ASKS_DOMAIN, &text)
    }
}

fn original(names: &Names) -> Original {
    names.original()
}

/// By which reference the rail's people find it: the first bank's, or the next best.
fn rail_reference(transfer: &CreditTransfer) -> &str {
    let CreditTransfer {
        tx_id,
        uetr,
        instruction_id,
        message_id,
        ..
    } = transfer;
    let given = [tx_id, uetr, instruction_id].into_iter().flatten().next();
    given.unwrap_or(message_id)
}

fn text(remittance: &Remittance) -> Option<String> {
    let lines = [remittance.text.as_slice(), &remittance.also].concat();
    (!lines.is_empty()).then(|| lines.join(" "))
}

/// The country of a bank, as far as its BIC tells it.
fn country(agent: &Agent) -> Option<&str> {
    agent.bic.as_deref()?.get(4..6)
}

/// Why the plan would not credit the account.
fn refusal(why: &Rejection) -> Reason {
    match why {
        Rejection::Ledger(LedgerError::Closed { .. }) => Reason::AccountClosed,
        Rejection::Ledger(LedgerError::WrongCurrency { .. }) => Reason::CurrencyNotAccepted,
        Rejection::NotFound { .. } => Reason::AccountUnknown,
        _ => Reason::Terms,
    }
}
