//! Says what a statement file is: its statements, their sums, and all that deviates.

use std::io::{self, BufRead};

use serde::Serialize;

use super::{
    Mapping, Outcome, Sink,
    chain::Chain,
    model::{Deviation, Format, Header, Line, Rule, StatementNumber, Summary},
    read,
};

/// What a file is.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// The format, such as `camt.053`; `unknown` when it is none that is read here.
    pub format: &'static str,
    /// Its statements, in the order of the file.
    pub statements: Vec<Summary>,
    /// What is wrong with the file as a whole.
    pub deviations: Vec<Deviation>,
}

/// The first lines of a file, as they were understood.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    /// How many are kept.
    pub limit: usize,
    /// The lines.
    pub lines: Vec<Line>,
}

struct Keeper<'p> {
    statements: Vec<(StatementNumber, Summary)>,
    preview: &'p mut Preview,
    progress: &'p mut dyn FnMut(),
}

impl Sink for Keeper<'_> {
    fn begin(&mut self, _: StatementNumber, _: &Header) -> io::Result<()> {
        Ok(())
    }

    fn line(&mut self, _: StatementNumber, line: Line) -> io::Result<()> {
        if self.preview.lines.len() < self.preview.limit {
            self.preview.lines.push(line);
        }
        (self.progress)();
        Ok(())
    }

    fn end(&mut self, number: StatementNumber, summary: &Summary) -> io::Result<()> {
        self.statements.push((number, summary.clone()));
        Ok(())
    }
}

/// Reads a file to its end. The lines are counted and not kept, but for a preview.
///
/// # Errors
/// The input cannot be read.
pub fn inspect(
    input: impl BufRead,
    mapping: Option<&Mapping>,
    preview: &mut Preview,
    progress: &mut dyn FnMut(),
) -> io::Result<Inspection> {
    let mut keeper = Keeper {
        statements: Vec::new(),
        preview,
        progress,
    };
    let Outcome {
        format, deviations, ..
    } = read(input, mapping, &mut keeper)?;
    let mut statements = keeper.statements;
    statements.sort_by_key(|it| it.0);
    let mut statements: Vec<Summary> = statements.into_iter().map(|it| it.1).collect();
    // A PSP's batch begins with nothing, whatever the one before paid out.
    let is_chained = format.is_some_and(Format::is_of_an_account);
    let mut chain = Chain::default();
    for summary in statements.iter_mut().filter(|_| is_chained) {
        if let Some(found) = chain.follow(summary) {
            summary.deviation_count += 1;
            summary.deviations.push(Deviation {
                at: "statement".to_owned(),
                rule: Rule::Gap,
                message: found.to_string(),
            });
        }
    }
    Ok(Inspection {
        format: format.map_or("unknown", |it| it.name()),
        statements,
        deviations,
    })
}
