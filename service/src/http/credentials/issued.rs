//! Credentials whose bearers prove themselves by tokens that an issuer signed. See
//! [`crate::identity::issuer`].

use axum::response::Response;
use lombard_core::{
    audit,
    id::Id,
    idempotency::Idempotency,
    store::{Body, encode},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::keys::KeyView;
use crate::{
    http::{
        Api, Call, Problem,
        input::Text,
        once::{Decided, once},
        reply::reply,
    },
    tenants::{self, ApiKey, Bearer, KeyWish},
};

/// Tokens of an issuer (`tokens` of the settings) that are a credential.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenOf)]
pub struct TokenBody<'a> {
    /// The issuer, as its tokens name it.
    #[serde(borrow)]
    #[schema(value_type = String, pattern = "^https?://[!-~]{1,200}$", example = "https://login.example")]
    issuer: Text<'a>,
    /// Of whom the token speaks: its `sub`, such as the client's id.
    #[serde(borrow)]
    #[schema(value_type = String, pattern = "^[!-~]{1,255}$")]
    subject: Text<'a>,
}

impl TokenBody<'_> {
    /// Makes the credential that they are.
    ///
    /// # Errors
    /// What is wrong with them, and the store's.
    pub async fn credential(
        &self,
        api: &Api,
        call: &Call,
        wish: &Idempotency,
        made: KeyWish<'_>,
    ) -> Result<Response, Problem> {
        let app = api.app();
        let issuer = self.issuer.checked("/token/issuer", 200)?;
        let subject = self.subject.checked("/token/subject", 255)?;
        if !app.config.tokens.values().any(|own| own.issuer == issuer) {
            let detail = "the installation takes no tokens of this issuer";
            return Err(Problem::field("/token/issuer", detail));
        }
        let place = tenants::token_place(issuer, subject);
        let bearer = Bearer::Token {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
        };
        let made = tenants::of_bearer(app, call.tenant(), made, tenants::fresh_id(app), bearer);
        // Whose tokens were for a credential that is refused now may have another.
        let before: Option<Id<ApiKey>> = app.value(&place).await?;
        let taken = match before {
            Some(id) => { app.value::<ApiKey>(&tenants::place(id)).await? }
                .is_some_and(|key| key.is_good(app.host.now())),
            None => false,
        };
        let note = call.note(&*app.host, "api_key.create", made.id);
        let done = once(
            api,
            call.tenant(),
            wish,
            std::slice::from_ref(&place),
            |read| {
                if taken || read.value::<Id<ApiKey>>(&place) != before {
                    let detail = "tokens of this subject are for a credential already";
                    return Err(Problem::field("/token/subject", detail));
                }
                let mut writes = read.checks();
                writes.create(made.key(), made.body());
                writes.put(&place, Body::of(&made.id));
                audit::enter(&mut writes, &note);
                Ok(Decided {
                    writes,
                    status: 201,
                    body: encode(&KeyView::of(&made, None)),
                })
            },
        )
        .await?;
        Ok(reply(done))
    }
}
