//! Types of text: a built-in type of XML Schema and the facets that restrict it.

use std::borrow::Cow;

use crate::iso20022::lexical::{self, Decimal};
use crate::iso20022::pattern::Pattern;
use crate::iso20022::violation::Rule;

/// A built-in type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::iso20022) enum Base {
    String,
    Boolean,
    Date,
    DateTime,
    Time,
    Year,
    YearMonth,
    Decimal,
    Base64,
}

/// A built-in type and its restrictions.
pub(in crate::iso20022) struct TextType {
    pub(in crate::iso20022) base: Base,
    min_length: usize,
    max_length: usize,
    total_digits: usize,
    fraction_digits: usize,
    min_inclusive: Option<i128>,
    enumeration: Vec<&'static str>,
    pattern: Option<(&'static str, Pattern)>,
}

/// The rule that a text breaks, and the reason in words.
type Breach = (Rule, String);

impl TextType {
    /// Reads `facet=value…`; `None` for a facet or pattern that this module does not know.
    pub(super) fn parse(base: &str, facets: &'static str) -> Option<Self> {
        let mut kind = Self {
            base: match base {
                "string" => Base::String,
                "boolean" => Base::Boolean,
                "date" => Base::Date,
                "dateTime" => Base::DateTime,
                "time" => Base::Time,
                "gYear" => Base::Year,
                "gYearMonth" => Base::YearMonth,
                "decimal" => Base::Decimal,
                "base64Binary" => Base::Base64,
                _ => return None,
            },
            min_length: 0,
            max_length: usize::MAX,
            total_digits: usize::MAX,
            fraction_digits: usize::MAX,
            min_inclusive: None,
            enumeration: Vec::new(),
            pattern: None,
        };
        for facet in facets.split(' ').filter(|facet| !facet.is_empty()) {
            let (name, value) = facet.split_once('=')?;
            match name {
                "minLength" => kind.min_length = value.parse().ok()?,
                "maxLength" => kind.max_length = value.parse().ok()?,
                "totalDigits" => kind.total_digits = value.parse().ok()?,
                "fractionDigits" => kind.fraction_digits = value.parse().ok()?,
                "minInclusive" => kind.min_inclusive = Some(Decimal::parse(value)?.scaled()?),
                "enumeration" => kind.enumeration = value.split('|').collect(),
                "pattern" => kind.pattern = Some((value, Pattern::compile(value)?)),
                _ => return None,
            }
        }
        Some(kind)
    }

    /// The text as its type sees it: white space counts in strings and is collapsed elsewhere.
    pub(in crate::iso20022) fn normal<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let space = [' ', '\t', '\n', '\r'];
        match self.base {
            Base::String => Cow::Borrowed(text),
            Base::Base64 if text.contains(space) => {
                let words = text.split(space).filter(|word| !word.is_empty());
                Cow::Owned(words.collect::<Vec<_>>().join(" "))
            }
            // No value of the other types has white space inside, so trimming is collapsing.
            _ => Cow::Borrowed(text.trim_matches(space)),
        }
    }

    /// Which rule the text breaks, if any.
    pub(in crate::iso20022) fn check(&self, text: &str) -> Result<(), Breach> {
        let text = self.normal(text);
        let is = |valid: bool, what: &str| {
            let reason = || (Rule::DataType, format!("is not {what}"));
            if valid { Ok(()) } else { Err(reason()) }
        };
        match self.base {
            Base::String => self.check_length(text.chars().count(), "characters")?,
            Base::Boolean => is(
                lexical::is_boolean(&text),
                "a truth value (true, false, 1 or 0)",
            )?,
            Base::Date => is(lexical::is_date(&text), "a date (YYYY-MM-DD)")?,
            Base::DateTime => {
                is(
                    lexical::is_date_time(&text),
                    "a date and time (YYYY-MM-DDThh:mm:ss)",
                )?;
            }
            Base::Time => is(lexical::is_time(&text), "a time (hh:mm:ss)")?,
            Base::Year => is(lexical::is_year(&text), "a year (YYYY)")?,
            Base::YearMonth => is(lexical::is_year_month(&text), "a month (YYYY-MM)")?,
            Base::Decimal => self.check_decimal(&text)?,
            Base::Base64 => {
                let octets = lexical::base64_octets(&text);
                is(octets.is_some(), "base64")?;
                self.check_length(octets.unwrap_or(0), "octets")?;
            }
        }
        if !self.enumeration.is_empty() && !self.enumeration.contains(&&*text) {
            let shown = self
                .enumeration
                .iter()
                .take(12)
                .copied()
                .collect::<Vec<_>>()
                .join(", ");
            let more = if self.enumeration.len() > 12 {
                ", …"
            } else {
                ""
            };
            return Err((Rule::Enumeration, format!("is none of {shown}{more}")));
        }
        match &self.pattern {
            Some((shown, pattern)) if !pattern.matches(&text) => {
                Err((Rule::Pattern, format!("does not have the form {shown}")))
            }
            _ => Ok(()),
        }
    }

    fn check_length(&self, length: usize, unit: &str) -> Result<(), Breach> {
        if length < self.min_length {
            let least = self.min_length;
            Err((
                Rule::MinLength,
                format!("has {length} {unit}, at least {least} are needed"),
            ))
        } else if length > self.max_length {
            let most = self.max_length;
            Err((
                Rule::MaxLength,
                format!("has {length} {unit}, at most {most} are allowed"),
            ))
        } else {
            Ok(())
        }
    }

    /// Digits are counted in the value, as XML Schema says: `1.500` has one fraction digit.
    fn check_decimal(&self, text: &str) -> Result<(), Breach> {
        let not_a_number = || (Rule::DataType, "is not a decimal number".to_owned());
        let decimal = Decimal::parse(text).ok_or_else(not_a_number)?;
        let digits = decimal.fraction.len();
        if digits > self.fraction_digits {
            let most = self.fraction_digits;
            let reason = format!("has {digits} fraction digits, at most {most} are allowed");
            return Err((Rule::FractionDigits, reason));
        }
        let digits = decimal.total_digits();
        if digits > self.total_digits {
            let most = self.total_digits;
            let reason = format!("has {digits} digits, at most {most} are allowed");
            return Err((Rule::TotalDigits, reason));
        }
        // A number too long to scale has passed no digit limit, so its type has no minimum either.
        let value = decimal.scaled();
        match (self.min_inclusive, value) {
            (Some(min), Some(value)) if value < min => Err((
                Rule::MinInclusive,
                "is below the least value allowed".to_owned(),
            )),
            _ => Ok(()),
        }
    }
}
