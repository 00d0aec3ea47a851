//! Query parameters, each read by name: what is unknown, repeated or malformed is named.

use std::{fmt::Display, str::FromStr};

use axum::{
    extract::{FromRequestParts, Query as Raw},
    http::request::Parts,
};

use super::problem::Problem;

/// The parameters that have not been read yet.
#[derive(Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Raw(pairs) = Raw::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::parameter("query", "the query string cannot be read"))?;
        Ok(Self(pairs))
    }
}

impl Query {
    /// The value of a parameter, if it was given.
    ///
    /// # Errors
    /// `invalid_parameter` when it was given twice or cannot be read.
    pub fn take<T: FromStr<Err: Display>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, Problem> {
        self.take_with(name, |text| {
            text.parse().map_err(|error: T::Err| error.to_string())
        })
    }

    /// The same, read by a function that says what it expects.
    ///
    /// # Errors
    /// `invalid_parameter` when it was given twice or cannot be read.
    pub fn take_with<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Problem> {
        let Some(place) = self.0.iter().position(|(known, _)| known == name) else {
            return Ok(None);
        };
        let (_, text) = self.0.swap_remove(place);
        if self.0.iter().any(|(known, _)| known == name) {
            return Err(Problem::parameter(name, "the parameter is given twice"));
        }
        read(&text)
            .map(Some)
            .map_err(|error| Problem::parameter(name, error))
    }

    /// Text of 1 to `chars_max` characters.
    ///
    /// # Errors
    /// `invalid_parameter` when it was given twice, or is empty or longer.
    pub fn take_text(
        &mut self,
        name: &'static str,
        chars_max: usize,
    ) -> Result<Option<String>, Problem> {
        self.take_with(name, |text| match text.chars().count() {
            chars if (1..=chars_max).contains(&chars) => Ok(text.to_owned()),
            _ => Err(format!("expected 1 to {chars_max} characters")),
        })
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// `invalid_parameter` when something is left that nobody asked for.
    pub fn finish(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(Problem::parameter(
            "query",
            "there is a query parameter that this operation does not have",
        ))
    }
}
