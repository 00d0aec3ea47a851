//! The runbook of a case, with the case's own values filled in.
//!
//! Pages are those of `docs/runbooks/exceptions/`, so that what the console shows is what was
//! reviewed. Values go in after the page was read as Markdown: whatever a message said of itself
//! stays text.

use maud::{Markup, PreEscaped};
use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd, TextMergeStream, html};
use serde_json::Value;

use super::parts::text;
use crate::exceptions::Kind;

/// The page of a kind.
const fn page(kind: Kind) -> &'static str {
    macro_rules! of {
        ($name:literal) => {
            include_str!(concat!("../../../docs/runbooks/exceptions/", $name, ".md"))
        };
    }
    match kind {
        Kind::Contradiction => of!("contradiction"),
        Kind::Unresolved => of!("unresolved"),
        Kind::BatchInterrupted => of!("batch_interrupted"),
        Kind::RecallOverdue => of!("recall_overdue"),
        Kind::EffectFailed => of!("effect_failed"),
        Kind::UnmatchedMessage => of!("unmatched_message"),
        Kind::UnknownStatus => of!("unknown_status"),
        Kind::ImplausibleMessage => of!("implausible_message"),
        Kind::WebhookGivenUp => of!("webhook_given_up"),
        Kind::LogBehind => of!("log_behind"),
        Kind::LogDamaged => of!("log_damaged"),
        Kind::StoreDamaged => of!("store_damaged"),
        Kind::DetokenizeAnomaly => of!("detokenize_anomaly"),
        Kind::AmountDiffers => of!("amount_differs"),
        Kind::MissingThere => of!("missing_there"),
        Kind::MissingHere => of!("missing_here"),
        Kind::Duplicate => of!("duplicate"),
        Kind::UnknownReference => of!("unknown_reference"),
        Kind::Currency => of!("currency"),
        Kind::BrokenStatement => of!("broken_statement"),
        Kind::ConflictingStatus => of!("conflicting_status"),
        Kind::Ambiguous => of!("ambiguous"),
        Kind::SecondLook => of!("second_look"),
        Kind::ModelDrift => of!("model_drift"),
        Kind::Late => of!("late"),
        Kind::WrongAccount => of!("wrong_account"),
        Kind::FeeDiffers => of!("fee_differs"),
        Kind::SourceUnreachable => of!("source_unreachable"),
        Kind::AppClaim => of!("app_claim"),
        Kind::AppClaimDue => of!("app_claim_due"),
        Kind::AppClaimOverdue => of!("app_claim_overdue"),
    }
}

/// The runbook of an exception as the API shows it; nothing for a kind that this version does not
/// know.
pub fn of(exception: &Value) -> Markup {
    let kind = Kind::ALL
        .into_iter()
        .find(|kind| kind.name() == text(exception, "kind"));
    let events = TextMergeStream::new(Parser::new(kind.map_or("", page)));
    let mut shown = String::new();
    html::push_html(
        &mut shown,
        events.filter_map(|event| told(event, exception)),
    );
    PreEscaped(shown)
}

/// An event of the page as it is shown: a heading lower, with values, and without links, which
/// lead to files.
fn told<'a>(event: Event<'a>, exception: &Value) -> Option<Event<'a>> {
    let lower = |level| match level {
        HeadingLevel::H1 => HeadingLevel::H2,
        _ => HeadingLevel::H3,
    };
    Some(match event {
        Event::Text(text) => Event::Text(filled(&text, exception).into()),
        Event::Code(text) => Event::Code(filled(&text, exception).into()),
        Event::Start(Tag::Heading {
            level,
            id,
            classes,
            attrs,
        }) => {
            let level = lower(level);
            Event::Start(Tag::Heading {
                level,
                id,
                classes,
                attrs,
            })
        }
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(lower(level))),
        Event::Start(Tag::Link { .. }) | Event::End(TagEnd::Link) => return None,
        Event::Html(_) | Event::InlineHtml(_) => return None,
        event => event,
    })
}

fn filled(page: &str, exception: &Value) -> String {
    let own = [
        ("case", text(exception, "id")),
        ("subject", text(exception, "subject")),
    ];
    let evidence = exception["evidence"].as_object().into_iter().flatten();
    let evidence =
        evidence.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
    let values = own.into_iter().chain(evidence);
    values.fold(page.to_owned(), |page, (name, value)| {
        page.replace(&format!("{{{name}}}"), value)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_has_the_values_of_the_case_as_text() {
        let exception = json!({
            "id": "exc_1", "kind": "webhook_given_up", "subject": "whk_1/evt_1",
            "evidence": {"endpoint": "whk_1", "event": "evt_1", "type": "<b>bold</b>", "tries": "9", "last_status": "500"},
        });
        let page = of(&exception).into_string().replace('\n', " ");
        assert!(page.contains("Case exc_1"), "{page}");
        assert!(page.contains("the last answer was 500"), "{page}");
        assert!(
            page.contains("/v1/webhook_endpoints/whk_1/replay"),
            "{page}"
        );
        assert!(
            page.contains("&lt;b&gt;bold") && !page.contains("<b>"),
            "{page}"
        );
        assert!(
            page.contains("<h3>Verify</h3>") && !page.contains("<a "),
            "{page}"
        );
        assert_eq!(of(&json!({"kind": "of tomorrow"})).into_string(), "");
    }
}
