//! What a credential may do: look or change, at which resources, and which deeds of those that
//! must be granted by name.
//!
//! **Shape.** [`needs`] says of a route what it takes; [`Access::allows`] holds a credential
//! against it. Both are asked once for each request, before anything else of it is looked at, so
//! a route cannot forget to: one that is added tomorrow takes `write` of its resource for every
//! method but GET.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::tenants::Scope;

/// A deed that no credential may do unless it was granted by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// Read back what tokens stand for.
    Detokenize,
    /// Forget subjects.
    Erase,
    /// Look after the vault's keys.
    VaultKeys,
    /// Make and revoke credentials.
    Credentials,
    /// Read what was put on record.
    Audit,
    /// Approve what others ordered.
    Approve,
    /// Answer for payments that wait for a verification.
    Review,
}

impl Grant {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Detokenize,
        Self::Erase,
        Self::VaultKeys,
        Self::Credentials,
        Self::Audit,
        Self::Approve,
        Self::Review,
    ];

    /// As it is written in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Detokenize => "detokenize",
            Self::Erase => "erase",
            Self::VaultKeys => "vault_keys",
            Self::Credentials => "credentials",
            Self::Audit => "audit",
            Self::Approve => "approve",
            Self::Review => "review",
        }
    }
}

/// A set of grants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Grants(u16);

impl Grants {
    /// None.
    pub const NONE: Self = Self(0);

    /// Whether a deed is granted.
    #[must_use]
    pub const fn has(self, grant: Grant) -> bool {
        self.0 & (1 << grant as u16) != 0
    }

    /// The same with one more.
    #[must_use]
    pub const fn with(self, grant: Grant) -> Self {
        Self(self.0 | (1 << grant as u16))
    }

    /// Whether it is empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0 == 0
    }

    /// Those that are in it.
    pub fn iter(self) -> impl Iterator<Item = Grant> {
        Grant::ALL.into_iter().filter(move |grant| self.has(*grant))
    }
}

impl FromIterator<Grant> for Grants {
    fn from_iter<I: IntoIterator<Item = Grant>>(grants: I) -> Self {
        grants.into_iter().fold(Self::NONE, Self::with)
    }
}

impl Serialize for Grants {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Grants {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names: Vec<Grant> = de::Deserialize::deserialize(deserializer)?;
        Ok(names.into_iter().collect())
    }
}

/// What a credential may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Look, or change as well.
    pub scope: Scope,
    /// At which resources alone, by the first part of their paths; at all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// What else.
    #[serde(default, skip_serializing_if = "Grants::is_empty")]
    pub grants: Grants,
}

impl Access {
    /// Of a scope, everywhere, without grants.
    #[must_use]
    pub const fn of(scope: Scope) -> Self {
        Self {
            scope,
            resources: Vec::new(),
            grants: Grants::NONE,
        }
    }

    /// Whether all that may be done with it may be done with `other` too.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        let scope = self.scope == Scope::Read || other.scope == Scope::Write;
        let grants = self.grants.iter().all(|grant| other.grants.has(grant));
        let listed = |own: &String| other.resources.contains(own);
        let resources = other.resources.is_empty()
            || (!self.resources.is_empty() && self.resources.iter().all(listed));
        scope && grants && resources
    }

    /// Whether a route may be called.
    #[must_use]
    pub fn allows(&self, need: &Need<'_>) -> bool {
        let resource = need.resource.is_empty()
            || self.resources.is_empty()
            || self.resources.iter().any(|own| own == need.resource);
        let any = |grants: &[Grant]| grants.iter().any(|grant| self.grants.has(*grant));
        let deed = if need.grants.is_empty() {
            !need.changes || self.scope == Scope::Write || any(need.or)
        } else {
            any(need.grants)
        };
        resource && deed
    }
}

/// What it takes to call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need<'a> {
    /// The first part of the path after the version; empty where no resource is asked for.
    pub resource: &'a str,
    /// Whether it changes anything.
    pub changes: bool,
    /// The grants without one of which it is not done, if there are any; one is then enough.
    pub grants: &'static [Grant],
    /// Grants that are as good as being allowed to change things.
    pub or: &'static [Grant],
}

/// What people are, as sets of what they may do. Nobody is everything: who runs things does not
/// approve them, and who looks after credentials does not read tokens back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Makes payments and everything around them.
    Operator,
    /// Approves what others ordered.
    Approver,
    /// Answers for payments that were held back.
    Risk,
    /// Looks, at the record of deeds too.
    Auditor,
    /// Looks after credentials, keys and erasures.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Viewer,
        Self::Operator,
        Self::Approver,
        Self::Risk,
        Self::Auditor,
        Self::Admin,
    ];

    /// As it is written in the API and in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Risk => "risk",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }

    /// What it may do.
    #[must_use]
    pub fn access(self) -> Access {
        let (scope, grants): (_, &[Grant]) = match self {
            Self::Viewer => (Scope::Read, &[]),
            Self::Operator => (Scope::Write, &[]),
            Self::Approver => (Scope::Read, &[Grant::Approve]),
            Self::Risk => (Scope::Read, &[Grant::Review]),
            Self::Auditor => (Scope::Read, &[Grant::Audit]),
            Self::Admin => (
                Scope::Read,
                &[
                    Grant::Credentials,
                    Grant::VaultKeys,
                    Grant::Erase,
                    Grant::Audit,
                ],
            ),
        };
        Access {
            grants: grants.iter().copied().collect(),
            ..Access::of(scope)
        }
    }

    /// What somebody may do who is all of these.
    #[must_use]
    pub fn together(roles: &[Self]) -> Access {
        let mut all = Access::of(Scope::Read);
        for own in roles.iter().map(|role| role.access()) {
            if own.scope == Scope::Write {
                all.scope = Scope::Write;
            }
            all.grants = own.grants.iter().fold(all.grants, Grants::with);
        }
        all
    }
}

/// The operations that hand out a credential. Nobody hands out alone what he may not do himself:
/// whatever his credential does not have is proposed, and approved by somebody else.
pub const GRANTING: [(&str, &str); 5] = [
    ("POST", "/v1/api_keys"),
    ("POST", "/v1/api_keys/{id}/rotate"),
    ("POST", "/v1/mandates"),
    ("POST", "/v1/people"),
    ("POST", "/v1/people/{id}/reset"),
];

/// What a route takes. `route` is the path as it is declared, such as `/v1/payments/{id}`.
#[must_use]
pub fn needs<'a>(method: &str, route: &'a str) -> Need<'a> {
    // What a credential is told of itself is at no resource.
    let resource = match route {
        "/v1/credential" => "",
        route => route.split('/').nth(2).unwrap_or_default(),
    };
    let grants: &[Grant] = match (method, route) {
        ("POST", "/v1/tokens/{id}/detokenize") | ("GET", "/v1/subjects/{id}/export") => {
            &[Grant::Detokenize]
        }
        ("DELETE", "/v1/subjects/{id}") => &[Grant::Erase],
        (_, route) if route.starts_with("/v1/vault/") => &[Grant::VaultKeys],
        (_, route) if route.starts_with("/v1/api_keys") || route.starts_with("/v1/people") => {
            &[Grant::Credentials]
        }
        (method, route) if route.starts_with("/v1/mandates") && method != "GET" => {
            &[Grant::Credentials]
        }
        ("POST", "/v1/proposals/{id}/approve" | "/v1/proposals/{id}/reject") => &[Grant::Approve],
        // Whoever makes payments does not write the rules that judge them.
        ("POST", "/v1/risk/rules/{id}/mode") => &[Grant::Review, Grant::Approve],
        ("POST", route)
            if route.starts_with("/v1/risk/rules") || route.starts_with("/v1/risk/lists") =>
        {
            &[Grant::Review]
        }
        ("POST", "/v1/parties/{id}/decisions") => &[Grant::Review],
        (_, route) if route.starts_with("/v1/audit") => &[Grant::Audit],
        _ => &[],
    };
    Need {
        resource,
        // What somebody keeps for himself alone changes nothing.
        changes: !matches!(method, "GET" | "HEAD") && !route.starts_with("/v1/views"),
        grants,
        or: match (method, route) {
            ("POST", "/v1/payments/{id}/verification") => &[Grant::Approve, Grant::Review],
            // The route looks for itself whether another one has proposed just this.
            ("POST", "/v1/exceptions/{id}/resolve") => &[Grant::Approve],
            // Those who answer for held payments tell what became of them.
            (_, route) if route.starts_with("/v1/risk/") => &[Grant::Review],
            // The route looks for itself whether the operation is one of the caller's.
            ("POST", "/v1/proposals") => &Grant::ALL,
            _ => &[],
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deed_takes_its_grant_and_nothing_else_gives_it() {
        let mut access = Access::of(Scope::Write);
        let detokenize = needs("POST", "/v1/tokens/{id}/detokenize");
        assert!(!access.allows(&detokenize));
        access.grants = access.grants.with(Grant::Detokenize);
        assert!(access.allows(&detokenize));
        assert!(!access.allows(&needs("DELETE", "/v1/subjects/{id}")));
        assert!(access.allows(&needs("POST", "/v1/payments")));
        access.scope = Scope::Read;
        assert!(!access.allows(&needs("POST", "/v1/payments")));
        assert!(access.allows(&needs("GET", "/v1/payments")));
        access.resources = vec!["accounts".into()];
        assert!(!access.allows(&needs("GET", "/v1/payments")));
        assert!(access.allows(&needs("GET", "/v1/accounts/{id}")));
        assert!(
            !access.allows(&detokenize),
            "its resource is not among them"
        );
    }

    #[test]
    fn what_is_within_another_opens_nothing_that_it_does_not() {
        let everything = Access {
            grants: Grant::ALL.into_iter().collect(),
            ..Access::of(Scope::Write)
        };
        for role in Role::ALL {
            assert!(role.access().is_within(&everything));
            assert!(role.access().is_within(&role.access()));
        }
        let admin = Role::Admin.access();
        for role in [Role::Operator, Role::Approver, Role::Risk] {
            assert!(!role.access().is_within(&admin), "{role:?}");
        }
        assert!(Role::Viewer.access().is_within(&admin));
        let mut narrow = admin.clone();
        narrow.resources = vec!["api_keys".into()];
        assert!(narrow.is_within(&admin) && !admin.is_within(&narrow));
        let both = Role::together(&[Role::Operator, Role::Approver]);
        assert!(both.scope == Scope::Write && both.grants.has(Grant::Approve));
    }

    #[test]
    fn grants_read_back() {
        let grants: Grants = [Grant::Erase, Grant::Audit].into_iter().collect();
        let text = serde_json::to_string(&grants).unwrap();
        assert_eq!(text, r#"["erase","audit"]"#);
        assert_eq!(serde_json::from_str::<Grants>(&text).unwrap(), grants);
    }
}
