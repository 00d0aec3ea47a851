//! A folder of this machine as a place.

use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;
use tokio::io::AsyncRead;

use super::{Listed, Place, PlaceError, Visit, seconds};

/// A folder.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Where files come.
    pub path: PathBuf,
    /// Where they go when they were taken in; they stay when there is none.
    pub done: Option<PathBuf>,
}

impl Place for Folder {
    fn shown(&self) -> String {
        self.path.display().to_string()
    }

    fn visit(&self) -> BoxFuture<'_, Result<Box<dyn Visit>, PlaceError>> {
        let visit: Box<dyn Visit> = Box::new(self.clone());
        Box::pin(std::future::ready(Ok(visit)))
    }
}

impl Visit for Folder {
    fn list(&mut self) -> BoxFuture<'_, Result<Vec<Listed>, PlaceError>> {
        Box::pin(async {
            let failed = |error| unreachable(&self.path, &error);
            let mut entries = tokio::fs::read_dir(&self.path).await.map_err(failed)?;
            let mut found = Vec::new();
            while let Some(entry) = entries.next_entry().await.map_err(failed)? {
                // One that is gone meanwhile was put away by somebody.
                let Ok(about) = entry.metadata().await else {
                    continue;
                };
                // A name that is no text cannot be remembered as one.
                let (true, Ok(name)) = (about.is_file(), entry.file_name().into_string()) else {
                    continue;
                };
                found.push(Listed {
                    name,
                    bytes: about.len(),
                    modified: about.modified().map_or(0, seconds),
                });
            }
            Ok(found)
        })
    }

    fn open<'a>(
        &'a mut self,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn AsyncRead + Send + Unpin>, PlaceError>> {
        Box::pin(async move {
            let path = self.path.join(name);
            let file = tokio::fs::File::open(&path).await;
            let file = file.map_err(|error| unreachable(&path, &error))?;
            Ok(Box::new(file) as Box<dyn AsyncRead + Send + Unpin>)
        })
    }

    fn took<'a>(&'a mut self, name: &'a str) -> BoxFuture<'a, Result<(), PlaceError>> {
        Box::pin(async move {
            let Some(done) = &self.done else {
                return Ok(());
            };
            // A later file of the same name must not overwrite what was kept.
            let mut to = done.join(name);
            let mut number = 1;
            while tokio::fs::try_exists(&to).await.unwrap_or(true) && number < 10_000 {
                to = done.join(format!("{name}.{number}"));
                number += 1;
            }
            let moved = tokio::fs::rename(self.path.join(name), &to).await;
            moved.map_err(|error| unreachable(&to, &error))
        })
    }

    fn end(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

fn unreachable(path: &Path, error: &std::io::Error) -> PlaceError {
    PlaceError::Unreachable(format!("{}: {error}", path.display()))
}
