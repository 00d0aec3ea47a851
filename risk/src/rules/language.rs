//! The language of conditions: CEL, checked before it is kept.
//!
//! **Shape.** The `cel` crate parses and evaluates. Between the two stands a check of types of our
//! own, because CEL finds out that a word is unknown or that a whole number met a real one only
//! when a payment comes by. What passes it cannot fail but by overflow or division by zero.
//!
//! **Words.** Every feature of the catalogue; `rail` and `currency`; `in_list('name', payee)` for
//! any kind of subject; `double(x)` where a whole number must meet a real one. Operators:
//! `&& || ! == != < <= > >= + - * / % ?: in [...]`.

use std::sync::Arc;

use cel::{
    Context, Env, IdedExpr, Program, Value,
    common::{
        ast::{CallExpr, Expr, LiteralValue, SourceInfo, operators},
        types::{CelBool, CelDouble, CelInt, CelString},
        value::CowVal,
    },
    context::VariableResolver,
};

use lombard_core::{currency::Currency, rail::Rail};

use super::lists::Lists;
use crate::features::{Event, Kind, Type, Vector, catalogue};

/// What a rule may know of a payment.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Its features.
    pub vector: &'a Vector,
    /// Whom it names.
    pub event: &'a Event,
    /// Its rail, as the API writes it.
    pub rail: &'a str,
    /// Its currency's code.
    pub currency: &'a str,
    /// The tenant's lists.
    pub lists: &'a Lists,
}

/// What is wrong with a condition, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct Wrong {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What, and what to write instead.
    pub message: String,
}

/// The most characters of a condition.
pub const SOURCE_MAX: usize = 2000;

/// A condition that was checked.
pub struct Condition {
    source: String,
    expression: IdedExpr,
    env: Arc<Env>,
    /// The lists that it asks, each with where it is first asked.
    lists: Vec<(String, At)>,
}

/// A line and a column, from 1.
type At = (usize, usize);

impl std::fmt::Debug for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Condition").field(&self.source).finish()
    }
}

/// The type of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Int,
    Double,
    Bool,
    Text,
}

impl Of {
    const fn name(self) -> &'static str {
        match self {
            Self::Int => "a whole number",
            Self::Double => "a real number",
            Self::Bool => "true or false",
            Self::Text => "a text",
        }
    }
}

impl From<Type> for Of {
    fn from(of: Type) -> Self {
        match of {
            Type::Int => Self::Int,
            Type::Real => Self::Double,
            Type::Flag => Self::Bool,
        }
    }
}

impl Condition {
    /// Compiles a condition.
    ///
    /// # Errors
    /// Everything that is wrong with it: the parser's findings, or the first of the types'.
    pub fn compile(source: &str) -> Result<Self, Vec<Wrong>> {
        if source.chars().count() > SOURCE_MAX {
            let message = format!("a condition has at most {SOURCE_MAX} characters");
            return Err(vec![Wrong {
                line: 1,
                column: SOURCE_MAX + 1,
                message,
            }]);
        }
        let env = Arc::new(Env::stdlib());
        let program = env.compile(source).map_err(|errors| {
            let wrong = |error: &cel::ParseError| Wrong {
                line: usize::try_from(error.pos.0).unwrap_or(1).max(1),
                column: usize::try_from(error.pos.1).unwrap_or(1).max(1),
                message: unread(&error.msg),
            };
            // What follows the first is mostly its consequence.
            errors.errors.iter().take(1).map(wrong).collect::<Vec<_>>()
        })?;
        Self::check(source, &program, env).map_err(|wrong| vec![wrong])
    }

    fn check(source: &str, program: &Program, env: Arc<Env>) -> Result<Self, Wrong> {
        let mut check = Check {
            source,
            info: program.source_info(),
            lists: Vec::new(),
        };
        let mut expression = program.expression().clone();
        let of = check.expression(&mut expression)?;
        if of != Of::Bool {
            let message = format!("a condition must be true or false, this is {}", of.name());
            return Err(check.wrong(expression.id, message));
        }
        Ok(Self {
            source: source.to_owned(),
            expression,
            lists: check.lists,
            env,
        })
    }

    /// As it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The lists that it asks.
    pub fn lists(&self) -> impl Iterator<Item = &str> {
        self.lists.iter().map(|(list, _)| list.as_str())
    }

    /// The first list that it asks and that is not among `lists`, with where it is asked.
    #[must_use]
    pub fn unknown_list(&self, lists: &Lists) -> Option<Wrong> {
        let unknown = self.lists.iter().find(|(list, _)| !lists.exists(list));
        unknown.map(|(list, (line, column))| Wrong {
            line: *line,
            column: *column,
            message: format!("there is no list `{list}`: make it first"),
        })
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// A sentence, when numbers overflow or are divided by zero.
    pub fn holds(&self, facts: &Facts<'_>) -> Result<bool, String> {
        let mut context = Context::with_env(Arc::clone(&self.env));
        context.set_variable_resolver(facts);
        match Value::resolve(&self.expression, &context) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(_) => Err("it is neither true nor false".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// A question to a list, rewritten to a word of its own: `in_list('mules', payee)`.
const LIST_MARK: char = '\u{1}';

impl VariableResolver for Facts<'_> {
    fn resolve<'b>(&'b self, word: &str) -> Option<CowVal<'b, 'b>> {
        if let Some(question) = word.strip_prefix(LIST_MARK) {
            let (list, kind) = question.split_once(LIST_MARK)?;
            let subject = self.event.subject(Kind::of_name(kind)?);
            let listed = subject.is_some_and(|s| self.lists.has(list, s, self.event.at));
            return Some(CowVal::owned(CelBool::from(listed)));
        }
        match word {
            "rail" => return Some(CowVal::owned(CelString::from(self.rail))),
            "currency" => return Some(CowVal::owned(CelString::from(self.currency))),
            // The amount itself never passes through a float.
            "amount" => {
                let amount = i64::try_from(self.event.amount).unwrap_or(i64::MAX);
                return Some(CowVal::owned(CelInt::from(amount)));
            }
            _ => {}
        }
        let place = catalogue::place(word)?;
        let value = self.vector.for_rule(place);
        #[allow(clippy::cast_possible_truncation)] // Rounded, and below 2^53.
        Some(match catalogue::all()[place].of {
            Type::Int => CowVal::owned(CelInt::from(value as i64)),
            Type::Real => CowVal::owned(CelDouble::from(value)),
            Type::Flag => CowVal::owned(CelBool::from(value != 0.0)),
        })
    }
}

struct Check<'a> {
    source: &'a str,
    info: &'a SourceInfo,
    lists: Vec<(String, At)>,
}

/// What the parser says without its list of everything that might have stood there.
fn unread(message: &str) -> String {
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let found = message.split(" expecting ").next().unwrap_or(message);
    if found.contains("<EOF>") {
        return "the condition ends too early".to_owned();
    }
    let sign = found
        .split_once('\'')
        .and_then(|(_, rest)| rest.rsplit_once('\''));
    match sign {
        Some((sign, _)) => format!("`{sign}` cannot stand here"),
        None => found.to_owned(),
    }
}

impl Check<'_> {
    fn wrong(&self, id: u64, message: impl Into<String>) -> Wrong {
        let (line, column) = self.at(id);
        let message = message.into();
        Wrong {
            line,
            column,
            message,
        }
    }

    fn at(&self, id: u64) -> At {
        let start = self
            .info
            .offset_for(id)
            .map_or(0, |(start, _)| start as usize);
        let (mut line, mut column) = (1, 1);
        for character in self.source.chars().take(start) {
            if character == '\n' {
                (line, column) = (line + 1, 1);
            } else {
                column += 1;
            }
        }
        (line, column)
    }

    fn expression(&mut self, node: &mut IdedExpr) -> Result<Of, Wrong> {
        let id = node.id;
        match &mut node.expr {
            Expr::Literal(LiteralValue::Boolean(_)) => Ok(Of::Bool),
            Expr::Literal(LiteralValue::Int(_)) => Ok(Of::Int),
            Expr::Literal(LiteralValue::Double(_)) => Ok(Of::Double),
            Expr::Literal(LiteralValue::String(_)) => Ok(Of::Text),
            Expr::Literal(_) => {
                Err(self.wrong(id, "write numbers as 5 or 5.0, and texts in quotes"))
            }
            Expr::Ident(word) => self.word(id, word),
            Expr::Call(call) if call.func_name == "in_list" => {
                let word = self.in_list(id, call)?;
                node.expr = Expr::Ident(word);
                Ok(Of::Bool)
            }
            Expr::Call(call) => self.call(id, call),
            Expr::Select(select) => {
                let message = format!(
                    "features have no parts: is `.{}` meant as `_{}`?",
                    select.field, select.field
                );
                Err(self.wrong(id, message))
            }
            Expr::List(_) => Err(self.wrong(id, "a list may only stand after `in`")),
            _ => Err(self.wrong(id, "this part of CEL is not used in rules")),
        }
    }

    fn word(&self, id: u64, word: &str) -> Result<Of, Wrong> {
        if matches!(word, "rail" | "currency") {
            return Ok(Of::Text);
        }
        if let Some(place) = catalogue::place(word) {
            return Ok(catalogue::all()[place].of.into());
        }
        let message = match catalogue::nearest(word).as_slice() {
            [] if Kind::of_name(word).is_some() => {
                format!("`{word}` may only be asked of a list: in_list('name', {word})")
            }
            [] => format!("there is no feature `{word}`"),
            near => format!(
                "there is no feature `{word}`; near are: {}",
                near.join(", ")
            ),
        };
        Err(self.wrong(id, message))
    }

    fn in_list(&mut self, id: u64, call: &CallExpr) -> Result<String, Wrong> {
        let how = "write in_list('name of the list', payee), or another kind of subject";
        let [name, subject] = call.args.as_slice() else {
            return Err(self.wrong(id, how));
        };
        let Expr::Literal(LiteralValue::String(list)) = &name.expr else {
            return Err(self.wrong(name.id, how));
        };
        let kind = match &subject.expr {
            Expr::Ident(word) => Kind::of_name(word),
            _ => None,
        };
        let Some(kind) = kind else {
            return Err(self.wrong(subject.id, how));
        };
        let list = list.inner().to_owned();
        let word = format!("{LIST_MARK}{list}{LIST_MARK}{}", kind.name());
        if !self.lists.iter().any(|(known, _)| *known == list) {
            let at = self.at(name.id);
            self.lists.push((list, at));
        }
        Ok(word)
    }

    fn call(&mut self, id: u64, call: &mut CallExpr) -> Result<Of, Wrong> {
        use operators as op;
        if call.target.is_some() {
            return Err(self.wrong(
                id,
                format!("there is no function `{}` here", call.func_name),
            ));
        }
        if call.func_name == op::IN {
            return self.membership(id, &mut call.args);
        }
        let types = call
            .args
            .iter_mut()
            .map(|arg| self.expression(arg))
            .collect::<Result<Vec<_>, _>>()?;
        let name = call.func_name.as_str();
        match (name, types.as_slice()) {
            (op::LOGICAL_AND | op::LOGICAL_OR, [Of::Bool, Of::Bool])
            | (op::LOGICAL_NOT, [Of::Bool]) => Ok(Of::Bool),
            (op::EQUALS | op::NOT_EQUALS, [one, other]) if one == other => {
                if let [one, other] = call.args.as_slice() {
                    self.possible(one, other)?;
                    self.possible(other, one)?;
                }
                Ok(Of::Bool)
            }
            (op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS, [one, other])
                if one == other && matches!(one, Of::Int | Of::Double) =>
            {
                Ok(Of::Bool)
            }
            (op::ADD | op::SUBSTRACT | op::MULTIPLY | op::DIVIDE, [one, other])
                if one == other && matches!(one, Of::Int | Of::Double) =>
            {
                Ok(*one)
            }
            (op::MODULO, [Of::Int, Of::Int]) => Ok(Of::Int),
            (op::NEGATE, [of @ (Of::Int | Of::Double)]) => Ok(*of),
            (op::CONDITIONAL, [Of::Bool, one, other]) if one == other => Ok(*one),
            ("double", [Of::Int]) => Ok(Of::Double),
            (_, types) => Err(self.mismatch(id, name, types, &call.args)),
        }
    }

    fn mismatch(&self, id: u64, name: &str, types: &[Of], args: &[IdedExpr]) -> Wrong {
        let sign = name.trim_matches('_').trim_start_matches('@');
        match types {
            [Of::Int, Of::Double] | [Of::Double, Of::Int] => {
                let whole = usize::from(types[0] == Of::Double);
                let message = match (&args[1 - whole].expr, &args[whole].expr) {
                    (Expr::Literal(LiteralValue::Double(_)), _) => {
                        "this is compared with a whole number: write it without a decimal point (amounts are minor units: 22000 for 220.00)"
                    }
                    (_, Expr::Literal(LiteralValue::Int(_))) => {
                        "this is compared with a real number: write 5.0 for 5"
                    }
                    _ => "a whole number meets a real one: write double(…) around it",
                };
                let at = match &args[1 - whole].expr {
                    Expr::Literal(LiteralValue::Double(_)) => args[1 - whole].id,
                    _ => args[whole].id,
                };
                self.wrong(at, message)
            }
            [one, other] => {
                let message = format!(
                    "`{sign}` does not go between {} and {}",
                    one.name(),
                    other.name()
                );
                self.wrong(id, message)
            }
            _ => {
                let names: Vec<&str> = types.iter().map(|of| of.name()).collect();
                self.wrong(id, format!("there is no `{sign}` for {}", names.join(", ")))
            }
        }
    }

    fn membership(&mut self, id: u64, args: &mut [IdedExpr]) -> Result<Of, Wrong> {
        let [item, list] = args else {
            return Err(self.wrong(id, "write x in [1, 2, 3]"));
        };
        let wanted = self.expression(item)?;
        let list_id = list.id;
        let Expr::List(list) = &mut list.expr else {
            return Err(self.wrong(list_id, "write the choices in brackets: [1, 2, 3]"));
        };
        for element in &mut list.elements {
            let of = self.expression(element)?;
            if of != wanted {
                let message = format!(
                    "the choices must be {}, this is {}",
                    wanted.name(),
                    of.name()
                );
                return Err(self.wrong(element.id, message));
            }
            self.possible(item, element)?;
        }
        Ok(Of::Bool)
    }

    /// Refuses to compare a rail or a currency with what is none: that could never hold.
    fn possible(&self, word: &IdedExpr, text: &IdedExpr) -> Result<(), Wrong> {
        let (Expr::Ident(word), Expr::Literal(LiteralValue::String(said))) =
            (&word.expr, &text.expr)
        else {
            return Ok(());
        };
        let said = said.inner();
        let known = match word.as_str() {
            "rail" => Rail::ALL.iter().any(|rail| rail.name() == said),
            "currency" => said.parse::<Currency>().is_ok(),
            _ => true,
        };
        if known {
            return Ok(());
        }
        let near = match word.as_str() {
            "rail" => Rail::ALL.map(Rail::name).join(", "),
            _ => "codes of ISO 4217, such as GBP".to_owned(),
        };
        Err(self.wrong(
            text.id,
            format!("there is no {word} `{said}`: there are {near}"),
        ))
    }
}

#[cfg(test)]
mod tests;
