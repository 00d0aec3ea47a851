//! From messages to XML, in the versions that rails speak today.
//!
//! **Invariant.** What is returned has passed the same validation that a received message has to
//! pass: a value that is too long, or of the wrong form, is an error here and never goes out.

use super::limits::VIOLATIONS_MAX;
use super::rules::Rules;
use super::violation::Refusal;
use super::walk::{Step, Walk};
use xml::Xml;

mod parts;
mod recall;
mod status;
mod transfer;
pub(super) mod xml;

/// Writes a document around its one element, and validates it.
fn document(message: &'static str, content: impl FnOnce(&mut Xml)) -> Result<String, Refusal> {
    let mut xml = Xml::document(message);
    content(&mut xml);
    let text = xml.finish();
    validate(message, &text)?;
    Ok(text)
}

/// Holds what was written to what is asked of everybody.
pub(super) fn validate(message: &'static str, text: &str) -> Result<(), Refusal> {
    let mut walk = Walk::new(text.as_bytes(), VIOLATIONS_MAX);
    let mut rules = Rules::default();
    while let Ok(step) = walk.next()
        && step != Step::End
    {
        rules.observe(&mut walk, step);
    }
    let violations = walk.take_violations();
    if violations.is_empty() {
        return Ok(());
    }
    Err(Refusal {
        message: Some(message.to_owned()),
        violations,
    })
}
