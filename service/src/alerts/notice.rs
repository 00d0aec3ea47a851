//! What is told, and in the words of each channel.

use std::collections::BTreeMap;

use lombard_core::currency::Currency;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    config::AlertsConfig,
    exceptions::{Exception, Kind},
    metrics::label::Channel,
};

/// Cases that are named; of more the number is told.
const NAMED_MAX: usize = 10;

/// One alert: some exceptions of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// What is wrong; `test` for a test.
    pub kind: &'static str,
    /// How many cases.
    pub count: usize,
    /// The first of them, and what each is about.
    pub cases: Vec<Case>,
    /// The money that they are about: minor units by currency, as far as it is known.
    pub impact: BTreeMap<String, u64>,
    /// In a sentence.
    pub summary: String,
    /// The page that says what to do.
    pub runbook: String,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Case {
    /// `exc_…`.
    pub id: String,
    /// The payment, endpoint or credential that it is about.
    pub subject: String,
}

impl Notice {
    /// Of some exceptions of a kind.
    #[must_use]
    pub fn of(kind: Kind, exceptions: &[Exception], config: &AlertsConfig) -> Self {
        let mut impact = BTreeMap::new();
        for exception in exceptions {
            let known = |name: &str| exception.evidence.get(name);
            let amount = known("amount").and_then(|text| text.parse::<u64>().ok());
            if let (Some(amount), Some(currency)) = (amount, known("currency")) {
                let sum: &mut u64 = impact.entry(currency.clone()).or_default();
                *sum = sum.saturating_add(amount);
            }
        }
        let case = |exception: &Exception| Case {
            id: exception.id.to_string(),
            subject: exception.subject.clone(),
        };
        let name = kind.name();
        let count = exceptions.len();
        let plural = if count == 1 { "" } else { "s" };
        Self {
            kind: name,
            count,
            cases: exceptions.iter().take(NAMED_MAX).map(case).collect(),
            summary: format!("{count} new exception{plural} `{name}`{}", money(&impact)),
            runbook: format!(
                "{}docs/runbooks/exceptions/{name}.md",
                base(&config.runbooks)
            ),
            impact,
        }
    }

    /// That the channels work.
    #[must_use]
    pub fn test(config: &AlertsConfig) -> Self {
        Self {
            kind: "test",
            count: 0,
            cases: Vec::new(),
            impact: BTreeMap::new(),
            summary: "a test of Lombard's alerts; nothing is wrong".to_owned(),
            runbook: format!("{}docs/alerts.md", base(&config.runbooks)),
        }
    }

    /// The body for a channel.
    #[must_use]
    pub fn for_channel(&self, channel: Channel, config: &AlertsConfig) -> Value {
        match channel {
            Channel::Webhook => json!({"type": "exceptions.opened", "data": self}),
            Channel::Slack => json!({"text": self.in_slack(config)}),
            Channel::Pagerduty => self.in_pagerduty(config),
        }
    }

    fn in_slack(&self, config: &AlertsConfig) -> String {
        let mut text = format!("*{}*\n", self.summary);
        for case in &self.cases {
            text.push_str(&format!(
                "• {}: `{}`\n",
                self.link(case, config),
                case.subject
            ));
        }
        if self.count > self.cases.len() {
            text.push_str(&format!("• and {} more\n", self.count - self.cases.len()));
        }
        text + &format!("What to do: {}", self.runbook)
    }

    fn link(&self, case: &Case, config: &AlertsConfig) -> String {
        match &config.console {
            Some(url) => format!(
                "<{}console/exceptions/{}|{}>",
                base(&Some(url.clone())),
                case.id,
                case.id
            ),
            None => case.id.clone(),
        }
    }

    /// An event of the Events API v2. Alerts of one kind are one incident, until it is resolved.
    fn in_pagerduty(&self, config: &AlertsConfig) -> Value {
        json!({
            "routing_key": config.pagerduty_key,
            "event_action": "trigger",
            "dedup_key": format!("lombard/{}", self.kind),
            "payload": {
                "summary": self.summary,
                "source": "lombard",
                "severity": if self.kind == "test" { "info" } else { "critical" },
                "class": self.kind,
                "custom_details": self,
            },
            "links": [{"href": self.runbook, "text": "What to do"}],
        })
    }
}

fn base(url: &Option<String>) -> String {
    url.as_ref()
        .map_or_else(String::new, |url| format!("{}/", url.trim_end_matches('/')))
}

/// `, about 12.34 GBP`.
fn money(impact: &BTreeMap<String, u64>) -> String {
    let sums = impact.iter().map(|(code, minor)| {
        let places = code
            .parse::<Currency>()
            .map_or(0, |currency| currency.exponent());
        let unit = 10_u64.pow(u32::from(places));
        match places {
            0 => format!("{minor} {code}"),
            places => format!(
                "{}.{:0width$} {code}",
                minor / unit,
                minor % unit,
                width = usize::from(places)
            ),
        }
    });
    let sums: Vec<_> = sums.collect();
    if sums.is_empty() {
        String::new()
    } else {
        format!(", about {}", sums.join(" and "))
    }
}

/// Where a channel is reached, if it is configured.
#[must_use]
pub fn address(config: &AlertsConfig, channel: Channel) -> Option<&str> {
    match channel {
        Channel::Webhook => config.webhook_url.as_deref(),
        Channel::Slack => config.slack_url.as_deref(),
        Channel::Pagerduty => config
            .pagerduty_key
            .as_ref()
            .map(|_| config.pagerduty_url.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use lombard_core::{id::Id, time::Timestamp};

    use super::*;
    use crate::exceptions::State;

    fn exceptions(count: usize) -> Vec<Exception> {
        let one = |n: usize| Exception {
            id: Id::from_bits(n as u128),
            kind: Kind::Contradiction,
            subject: format!("pay_{n}"),
            reason: "said by somebody".to_owned(),
            evidence: BTreeMap::from([
                ("amount".to_owned(), "1234".to_owned()),
                ("currency".to_owned(), "GBP".to_owned()),
            ]),
            opened_at: Timestamp::from_unix_ms(0),
            state: State::Open,
            assignee: None,
            snoozed_until: None,
            history: Vec::new(),
        };
        (0..count).map(one).collect()
    }

    fn config() -> AlertsConfig {
        AlertsConfig {
            console: Some("https://lombard.example/".to_owned()),
            runbooks: Some("https://git.example/lombard".to_owned()),
            pagerduty_key: Some("R0".to_owned()),
            ..AlertsConfig::default()
        }
    }

    #[test]
    fn each_channel_is_told_in_its_own_words() {
        let notice = Notice::of(Kind::Contradiction, &exceptions(12), &config());
        assert_eq!(
            notice.summary,
            "12 new exceptions `contradiction`, about 148.08 GBP"
        );
        let slack = notice.for_channel(Channel::Slack, &config());
        let slack = slack["text"].as_str().unwrap();
        assert!(
            slack.contains("<https://lombard.example/console/exceptions/exc_"),
            "{slack}"
        );
        assert!(slack.contains("and 2 more"), "{slack}");
        assert!(!slack.contains("said by somebody"));
        let one = Notice::of(Kind::Contradiction, &exceptions(1), &config());
        let event = one.for_channel(Channel::Pagerduty, &config());
        expect![[r#"
            {
              "dedup_key": "lombard/contradiction",
              "event_action": "trigger",
              "links": [
                {
                  "href": "https://git.example/lombard/docs/runbooks/exceptions/contradiction.md",
                  "text": "What to do"
                }
              ],
              "payload": {
                "class": "contradiction",
                "custom_details": {
                  "cases": [
                    {
                      "id": "exc_00000000000000000000000000",
                      "subject": "pay_0"
                    }
                  ],
                  "count": 1,
                  "impact": {
                    "GBP": 1234
                  },
                  "kind": "contradiction",
                  "runbook": "https://git.example/lombard/docs/runbooks/exceptions/contradiction.md",
                  "summary": "1 new exception `contradiction`, about 12.34 GBP"
                },
                "severity": "critical",
                "source": "lombard",
                "summary": "1 new exception `contradiction`, about 12.34 GBP"
              },
              "routing_key": "R0"
            }"#]].assert_eq(&format!("{event:#}"));
    }
}
