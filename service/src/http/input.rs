//! What requests are made of: texts, references to accounts, bank addresses, metadata. Read by
//! type, checked for their bounds, each refusal pointing to its member.

use std::{borrow::Cow, collections::BTreeMap, fmt, marker::PhantomData};

use lombard_core::{
    bank::{Iban, uk::UkAccount},
    currency::Currency,
    id::Id,
    journal::{self, Role},
    ledger::Account,
    limits::{METADATA_ENTRIES_MAX, METADATA_KEY_MAX, METADATA_VALUE_MAX},
    rail::Rail,
    tenant::TenantId,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{error::ErrorCode, problem::Problem};
use crate::{details::BankAddress, gate};

/// Text that is borrowed from the body unless it had escapes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl Text<'_> {
    /// The text, of 1 to `chars_max` characters, none of them a control character.
    ///
    /// # Errors
    /// `invalid_field` at `field`.
    pub fn checked(&self, field: &'static str, chars_max: usize) -> Result<&str, Problem> {
        let chars = self.0.chars().count();
        if !(1..=chars_max).contains(&chars) {
            let detail = format!("expected 1 to {chars_max} characters, found {chars}");
            return Err(Problem::field(field, detail));
        }
        if self.0.chars().any(char::is_control) {
            return Err(Problem::field(field, "control characters are not allowed"));
        }
        Ok(&self.0)
    }

    /// The text as it is.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A JSON object. Derived types would also take an array of their members in order, which no
/// document of the API says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Object<T>(pub T);

impl<T> std::ops::Deref for Object<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Visitor<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
                T::deserialize(de::value::MapAccessDeserializer::new(members))
            }
        }
        deserializer.deserialize_map(Visitor(PhantomData)).map(Self)
    }
}

/// The tenant's own references, as they come.
pub type MetadataBody<'a> = BTreeMap<Text<'a>, Text<'a>>;

/// Metadata within its bounds.
///
/// # Errors
/// `invalid_field` at `/metadata`.
pub fn metadata(body: &MetadataBody<'_>) -> Result<BTreeMap<String, String>, Problem> {
    if body.len() > METADATA_ENTRIES_MAX {
        let detail = format!("at most {METADATA_ENTRIES_MAX} entries");
        return Err(Problem::field("/metadata", detail));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let entry = |(key, value): (&Text<'_>, &Text<'_>)| {
        let key = key.checked("/metadata", METADATA_KEY_MAX)?;
        if !key.bytes().all(plain) {
            let detail = "a key is letters, digits, `_`, `.` and `-`";
            return Err(Problem::field("/metadata", detail));
        }
        let value = value.checked("/metadata", METADATA_VALUE_MAX)?;
        if gate::has_card_number(value) {
            let detail = "a card number is never kept in clear; make a token of it";
            return Err(Problem::field("/metadata", detail));
        }
        Ok((key.to_owned(), value.to_owned()))
    };
    body.iter().map(entry).collect()
}

/// An account as requests name it: its id, or a house account by `rail/role/currency`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountRef {
    /// By id.
    Id(Id<Account>),
    /// A house account by its place in the chart.
    House(Rail, Role, Currency),
}

impl AccountRef {
    /// The id. A house account's follows from its name.
    #[must_use]
    pub fn resolve(self, tenant: TenantId) -> Id<Account> {
        match self {
            Self::Id(id) => id,
            Self::House(rail, role, currency) => journal::house(tenant, rail, role, currency),
        }
    }
}

impl std::str::FromStr for AccountRef {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        let mut parts = text.split('/');
        let parsed = (|| {
            let rail = parts.next()?.parse().ok()?;
            let role = parts.next()?;
            let role = Role::ALL.into_iter().find(|known| known.name() == role)?;
            let currency = parts.next()?.parse().ok()?;
            parts
                .next()
                .is_none()
                .then_some(Self::House(rail, role, currency))
        })();
        parsed.ok_or("expected `acc_` and 26 digits, or a house account's `rail/role/currency`")
    }
}

impl fmt::Display for AccountRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::House(rail, role, currency) => {
                f.write_str(&journal::house_name(*rail, *role, *currency))
            }
        }
    }
}

impl Serialize for AccountRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AccountRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = AccountRef;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an account's id, or a house account's `rail/role/currency`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<AccountRef, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// A bank address out of the members that spell one, and the member to point to.
///
/// # Errors
/// `bank_address_invalid` when it cannot be right, `invalid_field` when members are missing or
/// contradict each other. Never repeats the address.
pub fn bank_address(
    iban: Option<&Text<'_>>,
    sort_code: Option<&Text<'_>>,
    account_number: Option<&Text<'_>>,
    within: &'static str,
) -> Result<Option<BankAddress>, Problem> {
    let invalid = |member: &str, detail: String| {
        Problem::saying(ErrorCode::BankAddressInvalid, detail.into())
            .at(format!("{within}/{member}"))
    };
    match (iban, sort_code, account_number) {
        (None, None, None) => Ok(None),
        (Some(iban), None, None) => match iban.as_str().parse::<Iban>() {
            Ok(iban) => Ok(Some(BankAddress::Iban(iban))),
            Err(error) => Err(invalid("iban", error.to_string())),
        },
        (None, Some(sort_code), Some(number)) => {
            match UkAccount::parse(sort_code.as_str(), number.as_str()) {
                Ok(account) => Ok(Some(BankAddress::Uk(account))),
                Err(error) => Err(invalid(error.code(), error.to_string())),
            }
        }
        _ => Err(Problem::field(
            within,
            "an address is `iban` alone, or `sort_code` with `account_number`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_named_by_id_or_by_place() {
        for text in ["acc_01k9z8q4v7n3r5t6w8x0y2z4a6", "fps/settlement/GBP"] {
            let account: AccountRef = text.parse().unwrap();
            assert_eq!(account.to_string(), text);
        }
        for text in [
            "",
            "acc_",
            "fps/settlement",
            "fps/settlement/GBP/",
            "x/fees/GBP",
            "fps/x/GBP",
        ] {
            assert!(text.parse::<AccountRef>().is_err(), "{text}");
        }
    }

    #[test]
    fn texts_are_bounded_in_characters() {
        let text = |text: &'static str| Text(Cow::Borrowed(text));
        assert!(text("ééé").checked("/x", 3).is_ok());
        assert!(text("éééé").checked("/x", 3).is_err());
        assert!(text("").checked("/x", 3).is_err());
        assert!(text("a\u{0}").checked("/x", 3).is_err());
    }
}
