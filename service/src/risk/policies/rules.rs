//! A rule with all its versions: what was proposed, what came of trying it, who put which version
//! in force and who took it out.

use std::collections::BTreeMap;

use lombard_core::{
    id::digest_text,
    store::{Key, decode},
    tenant::TenantId,
};
use lombard_risk::{
    policy::Policy,
    rules::{Mode, Rule, backtest::Report},
};
use serde::{Deserialize, Serialize};

use super::listed::Deed;
use crate::{
    app::App,
    ports::{RANGE_MAX, Range, ReadError},
};

/// The most versions of a rule: all of them are one record.
pub const VERSIONS_MAX: usize = 100;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Book {
    /// What the rule is called.
    pub name: String,
    /// Grows with every change, so that nobody changes what he has not seen.
    pub revision: u32,
    /// Oldest first.
    pub versions: Vec<Version>,
    /// When it was taken out for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<Deed>,
}

/// One version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// The rule, and how far it is in force.
    #[serde(flatten)]
    pub rule: Rule,
    /// What came of trying it when it was proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backtest: Option<Trial>,
}

/// What came of trying a rule on the newest payments before it was proposed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The sums.
    pub report: Report,
    /// Payments that could not be tried, because they were not judged when they were made.
    pub unjudged: u64,
    /// Whether there are older payments that were not tried.
    pub more: bool,
}

impl Version {
    /// Whether it was proposed here, by somebody who had shown who he is. What the policy's file has
    /// was never tried, and says itself who wrote it.
    #[must_use]
    pub const fn is_proposed(&self) -> bool {
        self.backtest.is_some()
    }
}

impl Book {
    /// A rule as it stands in a policy, before anybody changed it by itself.
    #[must_use]
    pub fn of(policy: &Policy, name: &str) -> Self {
        let rules = policy.written().iter().filter(|rule| rule.name == name);
        let versions = rules.cloned().map(|rule| Version {
            rule,
            backtest: None,
        });
        Self {
            name: name.to_owned(),
            revision: 0,
            versions: versions.collect(),
            retired: None,
        }
    }

    /// The number of the newest version, 0 before the first.
    #[must_use]
    pub fn newest(&self) -> u32 {
        self.versions
            .last()
            .map_or(0, |version| version.rule.version)
    }

    /// The version that decides.
    #[must_use]
    pub fn deciding(&self) -> Option<&Version> {
        let mut versions = self.versions.iter();
        versions.find(|version| version.rule.mode.may_decide())
    }

    /// The rules that the policy has of it: those that are not off.
    pub fn in_force(&self) -> impl Iterator<Item = Rule> {
        let rules = self.versions.iter().map(|version| &version.rule);
        rules.filter(|rule| rule.mode != Mode::Off).cloned()
    }
}

/// Where a rule is kept.
#[must_use]
pub fn key(tenant: TenantId, name: &str) -> Key {
    Key::new(&partition(tenant), &digest_text(&[name]))
}

fn partition(tenant: TenantId) -> String {
    format!("{}/risk#rules", tenant.short())
}

/// One rule, if there is one of this name.
///
/// # Errors
/// See [`ReadError`].
pub async fn find(
    app: &App,
    tenant: TenantId,
    policy: &Policy,
    name: &str,
) -> Result<Option<Book>, ReadError> {
    let kept: Option<Book> = app.value(&key(tenant, name)).await?;
    let book = kept.unwrap_or_else(|| Book::of(policy, name));
    Ok((!book.versions.is_empty()).then_some(book))
}

/// All rules, by name: those that were ever proposed, and those of the file that nobody touched.
///
/// # Errors
/// See [`ReadError`].
pub async fn all(
    app: &App,
    tenant: TenantId,
    policy: &Policy,
) -> Result<BTreeMap<String, Book>, ReadError> {
    let mut books: BTreeMap<String, Book> = BTreeMap::new();
    let mut after = None;
    loop {
        let range = Range::of(&partition(tenant), RANGE_MAX);
        let kept = app.store.range(&range.after(after).past_damage()).await?;
        let found = kept
            .iter()
            .map(|item| decode::<Book>(&item.record.body.bytes));
        books.extend(found.map(|book| (book.name.clone(), book)));
        match kept.last() {
            Some(last) if kept.len() == RANGE_MAX => after = Some(last.at.sort().to_owned()),
            _ => break,
        }
    }
    for rule in policy.written() {
        if !books.contains_key(&rule.name) {
            books.insert(rule.name.clone(), Book::of(policy, &rule.name));
        }
    }
    Ok(books)
}
