//! What only the vault keeps: the names, account numbers and texts of payments, and the holders
//! of accounts.
//!
//! **Shape.** [`Details`] belong to a payment and [`Holder`] to an account. Each is written as
//! JSON, sealed for its tenant and its subject (the payment's or the account's id), and carried
//! as ciphertext in the record. A return shares its original's details, so the subject of a
//! return is its original. What may be shown to everybody is derived here too:
//! [`BankAddress::external`] and [`BankAddress::alias`].
//!
//! **Invariant.** `Debug` of these types says nothing of what is in them, and the plain bytes are
//! wiped after they have been sealed or read.

use std::fmt;

use lombard_core::{
    bank::{Iban, uk::UkAccount},
    id::Id,
    ledger::{Account, Alias, AliasScheme},
    payment::{External, Payment, Sealed},
    tenant::TenantId,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::ports::{Vault, VaultError};

/// The personal data of a payment. Absent where it is not known: an account of ours has its
/// holder's name with the account.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Details {
    /// Who pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debtor_name: Option<String>,
    /// From which account outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debtor_account: Option<BankAddress>,
    /// Who is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creditor_name: Option<String>,
    /// To which account outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creditor_account: Option<BankAddress>,
    /// Free text for the payee (ISO 20022 unstructured remittance information).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remittance: Option<String>,
    /// The payee's own reference (ISO 20022 structured creditor reference; the reference of a
    /// Faster Payment).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// Who holds an account, and how the outside world addresses it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Holder {
    /// The holder's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The account's addresses, in the order of its aliases.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<BankAddress>,
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Details(sealed matter)")
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Holder(sealed matter)")
    }
}

impl Details {
    /// Seals the details of the payment `subject`.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub fn seal(
        &self,
        vault: &dyn Vault,
        tenant: TenantId,
        subject: Id<Payment>,
    ) -> Result<Sealed, VaultError> {
        seal(vault, tenant, &subject.to_string(), self)
    }

    /// The details of a payment or a return; empty when it has none.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub fn open(
        vault: &dyn Vault,
        tenant: TenantId,
        payment: &Payment,
    ) -> Result<Self, VaultError> {
        let subject = payment.original.unwrap_or(payment.id).to_string();
        open(vault, tenant, &subject, payment.sealed.as_ref())
    }
}

impl Holder {
    /// Seals the holder of the account `subject`.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub fn seal(
        &self,
        vault: &dyn Vault,
        tenant: TenantId,
        subject: Id<Account>,
    ) -> Result<Sealed, VaultError> {
        seal(vault, tenant, &subject.to_string(), self)
    }

    /// The holder of an account; empty when it has none.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub fn open(
        vault: &dyn Vault,
        tenant: TenantId,
        account: &Account,
    ) -> Result<Self, VaultError> {
        let subject = account.id.to_string();
        open(vault, tenant, &subject, account.sealed.as_ref())
    }
}

fn seal<T: Serialize>(
    vault: &dyn Vault,
    tenant: TenantId,
    subject: &str,
    matter: &T,
) -> Result<Sealed, VaultError> {
    let plain = Zeroizing::new(lombard_core::store::encode(matter));
    vault.seal(tenant, subject, &plain)
}

fn open<T: Default + for<'de> Deserialize<'de>>(
    vault: &dyn Vault,
    tenant: TenantId,
    subject: &str,
    sealed: Option<&Sealed>,
) -> Result<T, VaultError> {
    let Some(sealed) = sealed else {
        return Ok(T::default());
    };
    let plain = Zeroizing::new(vault.open(tenant, subject, sealed)?);
    // What opens was sealed by us; what then cannot be read was sealed as something else.
    serde_json::from_slice(&plain).map_err(|_| VaultError::NotGenuine)
}

/// How an account is addressed in full.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum BankAddress {
    /// ISO 13616.
    Iban(Iban),
    /// UK sort code and account number.
    Uk(UkAccount),
}

/// The JSON form: `{"iban"}` or `{"sort_code", "account_number"}`.
#[derive(Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Written {
    Iban {
        iban: Iban,
    },
    Uk {
        sort_code: String,
        account_number: String,
    },
}

impl From<BankAddress> for Written {
    fn from(address: BankAddress) -> Self {
        match address {
            BankAddress::Iban(iban) => Self::Iban { iban },
            BankAddress::Uk(account) => Self::Uk {
                sort_code: account.sort_code().to_string(),
                account_number: account.number().to_owned(),
            },
        }
    }
}

impl TryFrom<Written> for BankAddress {
    type Error = lombard_core::bank::uk::UkAccountError;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        match written {
            Written::Iban { iban } => Ok(Self::Iban(iban)),
            Written::Uk {
                sort_code,
                account_number,
            } => UkAccount::parse(&sort_code, &account_number).map(Self::Uk),
        }
    }
}

impl fmt::Debug for BankAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BankAddress({:?} …{})", self.scheme(), self.last4())
    }
}

/// The blinding domain of the addresses of our own accounts: one for all tenants, because a rail
/// names an address and not a tenant.
const ALIAS_DOMAIN: &str = "alias";

impl BankAddress {
    /// How it addresses.
    #[must_use]
    pub const fn scheme(&self) -> AliasScheme {
        match self {
            Self::Iban(_) => AliasScheme::Iban,
            Self::Uk(_) => AliasScheme::UkAccount,
        }
    }

    /// ISO 3166 code of the account's country.
    #[must_use]
    pub fn country(&self) -> &str {
        match self {
            Self::Iban(iban) => iban.country(),
            Self::Uk(_) => "GB",
        }
    }

    /// The last four characters of the account number.
    #[must_use]
    pub fn last4(&self) -> &str {
        let number = self.number();
        &number[number.len() - 4..]
    }

    fn number(&self) -> &str {
        match self {
            Self::Iban(iban) => iban.as_str(),
            Self::Uk(account) => account.number(),
        }
    }

    /// One text for one account, for keyed hashes only.
    fn normalised(&self) -> String {
        match self {
            Self::Iban(iban) => format!("iban:{}", iban.as_str()),
            Self::Uk(account) => format!("uk:{}:{}", account.sort_code(), account.number()),
        }
    }

    /// What may be shown of it as the other side of a tenant's payment.
    #[must_use]
    pub fn external(&self, vault: &dyn Vault, tenant: TenantId) -> External {
        External {
            scheme: self.scheme(),
            country: self.country().to_owned(),
            last4: self.last4().to_owned(),
            // A domain of the tenant's own: two tenants cannot find out that they pay the same
            // payee.
            fingerprint: vault.blind(tenant.short(), &self.normalised()),
        }
    }

    /// What is stored of it as an address of an account of ours. The rails find the account by
    /// [`Alias::blind`]; see [`lombard_core::plan::keys::alias`].
    #[must_use]
    pub fn alias(&self, vault: &dyn Vault) -> Alias {
        Alias {
            blind: vault.blind(ALIAS_DOMAIN, &self.normalised()),
            scheme: self.scheme(),
            last4: self.last4().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_and_says_little() {
        for text in [
            r#"{"iban":"GB82WEST12345698765432"}"#,
            r#"{"sort_code":"123456","account_number":"98765432"}"#,
        ] {
            let address: BankAddress = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&address).unwrap(), text);
            assert_eq!((address.country(), address.last4()), ("GB", "5432"));
            assert!(!format!("{address:?}").contains("9876"), "{address:?}");
        }
        assert!(
            serde_json::from_str::<BankAddress>(r#"{"iban":"GB83WEST12345698765432"}"#).is_err()
        );
    }

    #[test]
    fn details_do_not_show_themselves() {
        let details = Details {
            debtor_name: Some("Ada".into()),
            ..Details::default()
        };
        assert!(!format!("{details:?}").contains("Ada"));
    }
}
