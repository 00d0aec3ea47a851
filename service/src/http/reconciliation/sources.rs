//! Sources: whose files are fetched, and how that goes.

use axum::{extract::State, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    config::{FetchConfig, SourceConfig},
    http::{
        Api, Call, Problem,
        reply::shown,
        wire::scalar::{self, Moment},
    },
    reconcile::fetch::state::{self, Looks},
};

/// A source of statements.
#[derive(Serialize, ToSchema)]
#[schema(as = ReconciliationSource)]
struct SourceView<'a> {
    /// `reconciliation_source`.
    #[schema(pattern = "^reconciliation_source$")]
    object: &'static str,
    /// Its name.
    #[schema(max_length = 60)]
    name: &'a str,
    /// How its files come: `sent`, or fetched from a `folder` or by `sftp`.
    #[schema(pattern = "^(sent|folder|sftp)$")]
    from: &'static str,
    /// Seconds between two looks; `null` when files are sent.
    every_seconds: Option<u64>,
    /// When it was last looked at.
    #[schema(value_type = Option<scalar::Time>)]
    looked_at: Option<Moment>,
    /// When that last went well.
    #[schema(value_type = Option<scalar::Time>)]
    reached_at: Option<Moment>,
    /// How often in a row it did not.
    failures: u32,
    /// Why, while it does not.
    #[schema(max_length = 1000)]
    why: Option<String>,
    /// The file that was taken in last.
    #[schema(max_length = 255)]
    last_file: Option<String>,
    /// When.
    #[schema(value_type = Option<scalar::Time>)]
    fetched_at: Option<Moment>,
    /// How many files were taken in.
    files: u64,
}

impl<'a> SourceView<'a> {
    fn of(name: &'a str, config: &SourceConfig, looks: Looks) -> Self {
        let fetch = config.fetch.as_ref();
        let from = |it: &FetchConfig| if it.sftp.is_some() { "sftp" } else { "folder" };
        Self {
            object: "reconciliation_source",
            name,
            from: fetch.map_or("sent", from),
            every_seconds: fetch.map(|it| it.every_seconds),
            looked_at: looks.looked_at.map(Moment::from),
            reached_at: looks.reached_at.map(Moment::from),
            failures: looks.failures,
            why: looks.why,
            last_file: looks.last_file,
            fetched_at: looks.fetched_at.map(Moment::from),
            files: looks.files,
        }
    }
}

/// All of them.
#[derive(Serialize, ToSchema)]
#[schema(as = ReconciliationSources)]
struct Sources<'a> {
    /// In the order of their names.
    #[schema(max_items = 1000)]
    data: Vec<SourceView<'a>>,
}

/// List sources of statements
///
/// The sources that are configured: how the files of each come, when they were last looked for, and
/// what fails. One that others fetch for another tenant is not among them.
#[utoipa::path(get, path = "/v1/reconciliation/sources", tag = "reconciliation",
    responses((status = 200, description = "All of them.", body = Sources)))]
pub async fn list(State(api): State<Api>, call: Call) -> Result<Response, Problem> {
    let app = api.app();
    let mut data = Vec::new();
    for (name, config) in &app.config.reconciliation.sources {
        let fetch = config.fetch.as_ref();
        if fetch.is_none_or(|it| it.tenant.is_none_or(|tenant| tenant == call.tenant())) {
            let looks = state::looks(app, call.tenant(), name).await?;
            data.push(SourceView::of(name, config, looks));
        }
    }
    Ok(shown(&Sources { data }))
}
