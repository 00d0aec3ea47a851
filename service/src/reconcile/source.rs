//! A source of statements, by its settings.

use lombard_core::{matching::Rules, rail::Rail, statement::Format};

use crate::config::Config;

/// Where statements come from, and what it may do otherwise than our books.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// `barclays`, `stripe`: 1 to 60 of `a-z`, `0-9`, `_`, `-`, `.`.
    pub name: String,
    /// The rails whose payments must stand in its statements; empty: those that carry their currency.
    pub rails: Vec<Rail>,
    /// Its rules.
    pub rules: Rules,
    /// The accounts that its statements are of; any when empty.
    pub accounts: Vec<String>,
    /// The file that says what the columns of its tables are.
    pub mapping: Option<String>,
}

impl Source {
    /// Whether a source may be called so.
    #[must_use]
    pub fn may_be_called(name: &str) -> bool {
        let plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
        (1..=60).contains(&name.len()) && name.bytes().all(plain)
    }

    /// A source as it is configured, or with rules of default.
    #[must_use]
    pub fn of(config: &Config, name: String) -> Self {
        let known = config.reconciliation.sources.get(&name).cloned();
        let known = known.unwrap_or_default();
        Self {
            name,
            rails: known.rails,
            rules: known.rules,
            accounts: known.accounts,
            mapping: known.mapping,
        }
    }

    /// Whether a statement is of another account than its own. How an account is grouped is left out.
    pub(super) fn is_foreign(&self, account: &str) -> bool {
        let plain = |text: &str| text.replace([' ', '-'], "").to_uppercase();
        let account = plain(account);
        !self.accounts.is_empty() && self.accounts.iter().all(|it| plain(it) != account)
    }

    /// Whether a payment over a rail is missed when the source does not tell of it. Unless it is
    /// configured, a bank's statement stands for every rail but cards, whose money comes to it in payouts, and
    /// a provider's report for none.
    pub(super) fn tells_of(&self, format: Format, rail: Rail) -> bool {
        self.rails.contains(&rail)
            || (self.rails.is_empty() && rail != Rail::Card && !format.is_of_a_provider())
    }
}
