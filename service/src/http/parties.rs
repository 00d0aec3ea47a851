//! What is known of payers and payees: made, proved, decided, looked at.

mod act;
mod create;
mod view;

use lombard_core::command::Reply;
use lombard_core::{
    audit, id::Id, idempotency::Idempotency, party::Profile, store::Key, store::encode,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api, Call, ErrorCode, Problem,
    once::{Decided, once},
};
use view::PartyProfile;

/// The routes.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(create::create, view::list))
        .routes(routes!(view::get))
        .routes(routes!(act::documents))
        .routes(routes!(act::accounts))
        .routes(routes!(act::decisions))
}

/// Refuses what belongs to another region: its data is not touched from here.
fn belongs_here(api: &Api, region: &str) -> Result<(), Problem> {
    let here = &api.app().config.parties.region;
    if region == here {
        return Ok(());
    }
    let detail = format!("this installation is in `{here}`");
    Err(Problem::saying(ErrorCode::RegionElsewhere, detail.into()))
}

/// The caller's profile of an id.
async fn find(api: &Api, call: &Call, id: Id<Profile>) -> Result<Profile, Problem> {
    let key = lombard_core::party::key(call.tenant(), id);
    let found: Option<Profile> = api.app().value(&key).await?;
    let profile = found.ok_or(Problem::not_found())?;
    belongs_here(api, &profile.region)?;
    Ok(profile)
}

/// A change to a profile: as it was seen, what is done to it under which name, and what else it reads.
struct Change<'a> {
    seen: &'a Profile,
    deed: &'static str,
    why: Option<&'a str>,
    also: Option<Key>,
}

impl Change<'_> {
    /// Makes it, once for its wish, if the profile is still as it was seen.
    async fn make(
        self,
        api: &Api,
        call: &Call,
        wish: &Idempotency,
        mut change: impl FnMut(&mut Profile) -> Result<(), Problem> + Send,
    ) -> Result<Reply, Problem> {
        let (app, tenant) = (api.app(), call.tenant());
        let mut note = call.note(&*app.host, self.deed, self.seen.id);
        if let Some(why) = self.why {
            note = note.because(why);
        }
        let mut keys = self.seen.keys(tenant);
        keys.extend(self.also.clone());
        once(api, tenant, wish, &keys, |read| {
            let place = lombard_core::party::key(tenant, self.seen.id);
            let mut profile: Profile = read.value(&place).ok_or(Problem::not_found())?;
            if profile != *self.seen {
                return Err(Problem::new(ErrorCode::VersionStale));
            }
            if self
                .also
                .as_ref()
                .is_some_and(|key| read.get(key).is_some())
            {
                return Err(Problem::new(ErrorCode::AlreadyExists));
            }
            change(&mut profile)?;
            let mut writes = read.checks();
            profile.store(tenant, &mut writes);
            audit::enter(&mut writes, &note);
            Ok(Decided {
                writes,
                status: 200,
                body: encode(&PartyProfile::of(&profile, app.host.now())),
            })
        })
        .await
    }
}
