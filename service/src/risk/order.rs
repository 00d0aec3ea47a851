//! An order to pay, a transfer or a charge, as risk sees it.
//!
//! **Metadata.** What the order itself does not say, its metadata may: members that begin with
//! `risk_`. Their values should be the tenant's own references; they are hashed before anything is
//! kept of them here. A member that is not known, or of no form that is known, is refused
//! ([`check`]): whoever misspells it would believe himself protected.

use std::collections::BTreeMap;

use lombard_core::{
    command::{MakeCharge, Pay},
    id::Id,
    money::Money,
    payment::{Party, Payment},
    rail::Rail,
    tenant::TenantId,
    time::Timestamp,
};
use lombard_risk::features::{Event, Kind, Subject, event::PayeeCheck, place::Place};

use super::hash;

/// Members that name further subjects.
const NAMED: [(&str, Kind); 5] = [
    ("risk_customer", Kind::Customer),
    ("risk_device", Kind::Device),
    ("risk_terminal", Kind::Terminal),
    ("risk_card", Kind::Card),
    ("risk_ip", Kind::Ip),
];

/// What Confirmation of Payee said: `match`, `close_match`, `no_match` or `unavailable`.
const PAYEE_CHECK: &str = "risk_payee_check";

/// Where the payment was ordered: latitude and longitude in degrees, such as `51.5,-0.12`.
const PLACE: &str = "risk_place";

/// What 3-D Secure came to before a charge: `authenticated`, `attempted` or `failed`.
const THREE_DS: &str = "risk_3ds";

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The payment that it becomes.
    pub id: Id<Payment>,
    /// How much.
    pub money: Money,
    /// Over which rail.
    pub rail: Rail,
    who: Who<'a>,
    metadata: &'a BTreeMap<String, String>,
}

/// Whom the order itself names.
#[derive(Clone, Copy, Debug)]
enum Who<'a> {
    Transfer(&'a Pay),
    Charge(&'a MakeCharge),
}

impl<'a> From<&'a Pay> for Order<'a> {
    fn from(pay: &'a Pay) -> Self {
        Self {
            id: pay.id,
            money: pay.money,
            rail: pay.rail,
            who: Who::Transfer(pay),
            metadata: &pay.metadata,
        }
    }
}

impl<'a> From<&'a MakeCharge> for Order<'a> {
    fn from(make: &'a MakeCharge) -> Self {
        Self {
            id: make.id,
            money: make.money,
            rail: Rail::Card,
            who: Who::Charge(make),
            metadata: &make.metadata,
        }
    }
}

impl Order<'_> {
    /// The order as risk sees it.
    #[must_use]
    pub fn event(&self, tenant: TenantId, now: Timestamp) -> Event {
        let name = |event: Event, kind, name: &str| {
            let currency = self.money.currency;
            event.with(kind, Subject::new(tenant.short(), kind, currency, name))
        };
        let said = |member: &str| self.metadata.get(member).map(String::as_str);
        let mut event = Event::new(hash(self.id), now, self.money.amount.minor());
        for (member, kind) in NAMED {
            if let Some(known) = said(member) {
                event = name(event, kind, known);
            }
        }
        event = match self.who {
            Who::Transfer(pay) => {
                let payee = match &pay.creditor {
                    Party::Account(id) => id.to_string(),
                    Party::External(external) => external.fingerprint.clone(),
                };
                let event = name(event, Kind::Account, &pay.debtor.to_string());
                name(event, Kind::Payee, &payee)
            }
            // The card is the one that is charged, whatever somebody calls it; the merchant is whom
            // it is charged for, unless a terminal of his is named.
            Who::Charge(make) => {
                let event = name(event, Kind::Card, &make.card.fingerprint);
                match event.subject(Kind::Terminal) {
                    Some(_) => event,
                    None => name(event, Kind::Terminal, &make.creditor.to_string()),
                }
            }
        };
        event.place = said(PLACE).and_then(place);
        event.payee_check = said(PAYEE_CHECK).and_then(|said| said.parse().ok());
        event
    }
}

/// Whether the holder of a card has authenticated for a charge.
#[must_use]
pub fn is_authenticated(metadata: &BTreeMap<String, String>) -> bool {
    metadata
        .get(THREE_DS)
        .is_some_and(|it| it == "authenticated")
}

/// Holds what metadata says for risk against what is known.
///
/// # Errors
/// What is wrong with which member.
pub fn check(metadata: &BTreeMap<String, String>) -> Result<(), String> {
    let of_risk = metadata.iter().filter(|(key, _)| key.starts_with("risk_"));
    for (key, value) in of_risk {
        let expected = match key.as_str() {
            PLACE if place(value).is_none() => {
                "latitude and longitude in degrees, such as 51.5,-0.12"
            }
            PAYEE_CHECK if value.parse::<PayeeCheck>().is_err() => {
                "match, close_match, no_match or unavailable"
            }
            THREE_DS if !["authenticated", "attempted", "failed"].contains(&value.as_str()) => {
                "authenticated, attempted or failed"
            }
            PLACE | PAYEE_CHECK | THREE_DS => continue,
            named if NAMED.iter().any(|(member, _)| *member == named) => continue,
            _ => {
                let known = NAMED.map(|(member, _)| member).join(", ");
                return Err(format!(
                    "risk knows no `{key}`: it knows {known}, {PAYEE_CHECK}, {PLACE} and {THREE_DS}"
                ));
            }
        };
        return Err(format!("`{key}`: expected {expected}"));
    }
    Ok(())
}

/// A place as it is written.
fn place(text: &str) -> Option<Place> {
    let (latitude, longitude) = text.split_once(',')?;
    let within = |text: &str, most: f32| {
        let degrees: f32 = text.trim().parse().ok()?;
        (degrees.abs() <= most).then_some(degrees)
    };
    Some(Place {
        latitude: within(latitude, 90.0)?,
        longitude: within(longitude, 180.0)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_misspelt_for_risk_is_refused() {
        let of = |key: &str, value: &str| check(&[(key.to_owned(), value.to_owned())].into());
        for (key, value) in [
            ("risk_device", "d-1"),
            ("risk_place", "51.5,-0.12"),
            ("risk_payee_check", "no_match"),
            ("risk_3ds", "authenticated"),
            ("order", "7"),
        ] {
            assert_eq!(of(key, value), Ok(()), "{key}");
        }
        for (key, value, wanted) in [
            ("risk_devcie", "d-1", "risk_device"),
            ("risk_place", "London", "latitude"),
            ("risk_place", "91,0", "latitude"),
            ("risk_payee_check", "yes", "no_match"),
            ("risk_3ds", "true", "authenticated"),
        ] {
            let refused = of(key, value).unwrap_err();
            assert!(
                refused.contains(key) && refused.contains(wanted),
                "{refused}"
            );
        }
    }

    /// A device, a card, a customer and an address of the network are the same in every currency.
    #[test]
    fn whoever_spans_currencies_is_known_by_one_name() {
        use lombard_core::currency::Currency;
        let subject = |kind, currency| Subject::new("t", kind, currency, "x");
        for kind in Kind::ALL {
            let same = subject(kind, Currency::GBP) == subject(kind, Currency::EUR);
            assert_eq!(same, kind.spans_currencies(), "{}", kind.name());
        }
    }
}
