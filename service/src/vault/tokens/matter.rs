//! What a token stands for, and what may be shown of it.

use std::fmt;

use lombard_core::{
    card::{Brand, Expiry, Pan},
    tenant::TenantId,
};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::{details::BankAddress, ports::Vault};

/// What kind of thing a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A payment card.
    Card,
    /// An account at a bank.
    BankAccount,
    /// Data about a person or a firm.
    Person,
}

/// What a token stands for.
#[derive(Clone, PartialEq, Eq)]
pub enum Matter {
    /// A payment card.
    Card(Card),
    /// An account at a bank.
    BankAccount(BankAccount),
    /// Data about a person or a firm.
    Person(Person),
}

impl fmt::Debug for Matter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Matter({:?})", self.kind())
    }
}

/// A card whose number was checked when it came in. It has no place for a security code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The number, in digits.
    pub number: String,
    /// The month at whose end it expires, from 1.
    pub exp_month: u8,
    /// And the year.
    pub exp_year: u16,
    /// The name on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
}

impl Drop for Card {
    fn drop(&mut self) {
        self.number.zeroize();
        self.holder.zeroize();
    }
}

impl Card {
    /// A card of checked parts.
    #[must_use]
    pub fn new(pan: &Pan, expiry: Expiry, holder: Option<String>) -> Self {
        Self {
            number: pan.expose().to_owned(),
            exp_month: expiry.month(),
            exp_year: expiry.year(),
            holder,
        }
    }
}

/// An account at a bank.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankAccount {
    /// Its address.
    pub address: BankAddress,
    /// Who holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
}

/// Data about a person or a firm.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Date of birth or of incorporation, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<String>,
    /// Postal address, in lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Number of a passport, of a register, and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_number: Option<String>,
}

impl Drop for Person {
    fn drop(&mut self) {
        for field in [
            &mut self.name,
            &mut self.email,
            &mut self.phone,
            &mut self.date_of_birth,
            &mut self.address,
            &mut self.document_number,
        ] {
            field.zeroize();
        }
    }
}

/// What may be shown of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shown {
    /// A card's network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<Brand>,
    /// The first digits of a card's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bin: Option<String>,
    /// The last four characters of a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last4: Option<String>,
    /// The month at whose end a card expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp_month: Option<u8>,
    /// And the year.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp_year: Option<u16>,
    /// ISO 3166 code of an account's country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Which members a person's data has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// Keyed hash of the number: the same number of the same tenant gives the same text, and
    /// nobody can look it up.
    pub fingerprint: String,
}

impl Matter {
    /// What kind of thing it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Card(_) => Kind::Card,
            Self::BankAccount(_) => Kind::BankAccount,
            Self::Person(_) => Kind::Person,
        }
    }

    /// What may be shown of it.
    #[must_use]
    pub fn shown(&self, vault: &dyn Vault, tenant: TenantId) -> Shown {
        match self {
            Self::Card(card) => {
                // It was parsed when it came in.
                let pan = Pan::parse(&card.number).ok();
                let domain = format!("card/{}", tenant.short());
                Shown {
                    brand: pan.as_ref().map(Pan::brand),
                    bin: pan.as_ref().map(|pan| pan.bin().to_owned()),
                    last4: pan.as_ref().map(|pan| pan.last4().to_owned()),
                    exp_month: Some(card.exp_month),
                    exp_year: Some(card.exp_year),
                    fingerprint: vault.blind(&domain, &card.number),
                    ..Shown::default()
                }
            }
            Self::BankAccount(account) => {
                let external = account.address.external(vault, tenant);
                Shown {
                    last4: Some(external.last4),
                    country: Some(external.country),
                    fingerprint: external.fingerprint,
                    ..Shown::default()
                }
            }
            Self::Person(person) => {
                let domain = format!("person/{}", tenant.short());
                let plain = Zeroizing::new(lombard_core::store::encode(person));
                Shown {
                    fields: person.fields().map(str::to_owned).collect(),
                    fingerprint: vault.blind(&domain, &String::from_utf8_lossy(&plain)),
                    ..Shown::default()
                }
            }
        }
    }

    /// As it is sealed.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match self {
            Self::Card(card) => lombard_core::store::encode(card),
            Self::BankAccount(account) => lombard_core::store::encode(account),
            Self::Person(person) => lombard_core::store::encode(person),
        })
    }

    /// What was sealed as this kind.
    #[must_use]
    pub fn decode(kind: Kind, plain: &[u8]) -> Option<Self> {
        match kind {
            Kind::Card => serde_json::from_slice(plain).ok().map(Self::Card),
            Kind::BankAccount => serde_json::from_slice(plain).ok().map(Self::BankAccount),
            Kind::Person => serde_json::from_slice(plain).ok().map(Self::Person),
        }
    }
}

impl Person {
    /// The names of the members that are there.
    pub fn fields(&self) -> impl Iterator<Item = &'static str> {
        [
            ("name", self.name.is_some()),
            ("email", self.email.is_some()),
            ("phone", self.phone.is_some()),
            ("date_of_birth", self.date_of_birth.is_some()),
            ("address", self.address.is_some()),
            ("document_number", self.document_number.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, there)| there.then_some(name))
    }
}
