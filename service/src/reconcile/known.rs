//! What became of lines in earlier runs.

use std::collections::HashSet;

use lombard_core::{
    command::LineRecord,
    plan::keys,
    store::{Key, decode},
    tenant::TenantId,
};

use super::source::Source;
use crate::{
    app::App,
    ports::{RANGE_MAX, Range, ReadError},
};

/// How many records are read at once.
const AT_ONCE: usize = 90;

/// What became of lines, at their places.
///
/// # Errors
/// See [`ReadError`].
pub async fn look(
    app: &App,
    tenant: TenantId,
    source: &Source,
    digests: &[&str],
) -> Result<Vec<Option<Box<LineRecord>>>, ReadError> {
    let mut known = Vec::with_capacity(digests.len());
    for some in digests.chunks(AT_ONCE) {
        let key = |digest: &&str| keys::line(tenant, &source.name, digest);
        let keys: Vec<Key> = some.iter().map(key).collect();
        let found = app.store.get(&keys).await?;
        known.extend({ found.into_iter() }.map(|it| it.map(|it| Box::new(decode(&it.body.bytes)))));
    }
    Ok(known)
}

/// The lines that were taken in from a statement and are not `present`, by their digests.
///
/// # Errors
/// See [`ReadError`].
pub async fn of_statement(
    app: &App,
    tenant: TenantId,
    source: &Source,
    statement: &str,
    present: &HashSet<&str>,
) -> Result<Vec<(String, LineRecord)>, ReadError> {
    let list = keys::lines_list(tenant, &source.name, statement);
    let mut lines = Vec::new();
    let mut after = None;
    loop {
        let range = Range::listed(&list, RANGE_MAX).after(after);
        let found = app.store.range(&range).await?;
        let Some(last) = found.last() else {
            return Ok(lines);
        };
        after = Some(last.at.sort().to_owned());
        for it in &found {
            let digest = keys::digest_of_line(it.at.sort());
            if !present.contains(digest) {
                lines.push((digest.to_owned(), decode(&it.record.body.bytes)));
            }
        }
    }
}
