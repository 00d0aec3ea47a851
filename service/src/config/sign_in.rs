//! Settings of who is taken for whom: people who sign in, and tokens of issuers.

use std::{collections::BTreeMap, fmt};

use lombard_core::tenant::TenantId;
use serde::{Deserialize, Serialize};

use crate::access::Role;

/// How people sign in to the console.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignInConfig {
    /// Whether an API key signs in too.
    pub api_keys: bool,
    /// Where people reach this server: the beginning of its addresses. An OpenID provider sends
    /// them back to it; when it begins with `https`, cookies are for encrypted connections alone.
    pub url: Option<String>,
    /// The OpenID provider that vouches for people, as its discovery document names it.
    pub issuer: Option<String>,
    /// As whom we are known there.
    pub client_id: String,
    /// By which we prove it there; a public client has none.
    pub client_secret: Option<String>,
    /// Of which tenant the people are.
    pub tenant: Option<TenantId>,
    /// What is asked for.
    pub scopes: String,
    /// The claim that has the roles: its name, or a JSON pointer such as `/realm_access/roles`.
    pub roles_claim: String,
    /// What the claim's values mean; without any they are the names of our roles.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, Role>,
    /// What `amr` must have in it, such as `mfa`, where the provider says how somebody proved himself.
    pub amr: Option<String>,
}

impl Default for SignInConfig {
    fn default() -> Self {
        Self {
            api_keys: true,
            url: None,
            issuer: None,
            client_id: String::new(),
            client_secret: None,
            tenant: None,
            scopes: "openid profile".to_owned(),
            roles_claim: "roles".to_owned(),
            roles: BTreeMap::new(),
            amr: None,
        }
    }
}

impl fmt::Debug for SignInConfig {
    /// All but the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInConfig")
            .field("api_keys", &self.api_keys)
            .field("url", &self.url)
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("tenant", &self.tenant)
            .field("scopes", &self.scopes)
            .field("roles_claim", &self.roles_claim)
            .field("roles", &self.roles)
            .field("amr", &self.amr)
            .finish_non_exhaustive()
    }
}

/// An issuer whose tokens are taken as credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokensConfig {
    /// As its discovery document names it.
    pub issuer: String,
    /// For whom its tokens must be. Leave it out only for issuers that name none in tokens for
    /// access, as Cognito does.
    pub audience: Option<String>,
}
