//! Who says whether somebody is who he says: a port, and what stands behind it here.
//!
//! **Shape.** A [`Provider`] looks at a profile and gives a [`Finding`]: which proofs lack, and until when
//! those that are there prove anything. A person decides, and cannot call anybody verified for whom
//! proofs lack. [`Local`] goes by the documents that were taken in; a provider that asks somebody else
//! implements the same port.

use futures_util::future::BoxFuture;
use lombard_core::{
    party::{Document, DocumentKind, Kind, Profile},
    time::Timestamp,
};

use crate::ports::Cause;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// What somebody must prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Who he is.
    Identity,
    /// Where he lives, or has his seat.
    Address,
    /// That the firm is there.
    Register,
    /// Whose the firm is.
    Ownership,
}

impl Need {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Address => "address",
            Self::Register => "register",
            Self::Ownership => "ownership",
        }
    }

    const fn of(kind: Kind) -> &'static [Self] {
        match kind {
            Kind::Person => &[Self::Identity, Self::Address],
            Kind::Business => &[Self::Register, Self::Address, Self::Ownership],
        }
    }

    const fn met_by(self, document: DocumentKind) -> bool {
        match document {
            DocumentKind::Passport | DocumentKind::IdentityCard | DocumentKind::DrivingLicence => {
                matches!(self, Self::Identity)
            }
            DocumentKind::ProofOfAddress => matches!(self, Self::Address),
            DocumentKind::CompanyRegister => matches!(self, Self::Register),
            DocumentKind::Ownership => matches!(self, Self::Ownership),
        }
    }
}

/// What was found of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is not proved.
    pub lacks: Vec<Need>,
    /// Until when what is proved stays so.
    pub valid_until: Timestamp,
}

/// Who says whether somebody is who he says.
pub trait Provider: Send + Sync + 'static {
    /// Looks at a profile.
    fn check<'a>(
        &'a self,
        profile: &'a Profile,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Finding, Cause>>;
}

/// Goes by documents: each need is met by a document that is still good.
pub struct Local {
    /// For how many days a verification is good at the most.
    pub days: u64,
}

impl Provider for Local {
    fn check<'a>(
        &'a self,
        profile: &'a Profile,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Finding, Cause>> {
        Box::pin(std::future::ready(Ok(self.look(profile, now))))
    }
}

impl Local {
    fn look(&self, profile: &Profile, now: Timestamp) -> Finding {
        let most = now.plus_ms(self.days.saturating_mul(DAY_MS));
        let mut finding = Finding {
            lacks: Vec::new(),
            valid_until: most,
        };
        for need in Need::of(profile.kind) {
            let end = |document: &Document| document.good_until.unwrap_or(most);
            let meeting = profile.documents.iter().filter(|it| need.met_by(it.kind));
            match meeting.map(end).max().filter(|end| *end > now) {
                Some(end) => finding.valid_until = finding.valid_until.min(end),
                None => finding.lacks.push(*need),
            }
        }
        finding
    }
}

#[cfg(test)]
mod tests {
    use lombard_core::id::Id;

    use super::*;

    #[test]
    fn it_is_good_as_long_as_the_proof_that_ends_first() {
        let at = |days: u64| Timestamp::from_unix_ms(days * DAY_MS);
        let document = |kind, good_until: Option<u64>| Document {
            kind,
            country: "GB".to_owned(),
            data: None,
            good_until: good_until.map(at),
            added_at: at(0),
        };
        let mut profile = Profile {
            id: Id::from_bits(1),
            kind: Kind::Person,
            region: "uk".to_owned(),
            reference: None,
            data: None,
            sides: Vec::new(),
            documents: vec![document(DocumentKind::Passport, Some(10))],
            decisions: Vec::new(),
            created_at: at(0),
            updated_at: at(0),
        };
        let local = Local { days: 365 };
        assert_eq!(local.look(&profile, at(1)).lacks, [Need::Address]);
        let proof = document(DocumentKind::ProofOfAddress, None);
        profile.documents.push(proof);
        let found = local.look(&profile, at(1));
        assert_eq!((found.lacks, found.valid_until), (Vec::new(), at(10)));
        assert_eq!(local.look(&profile, at(10)).lacks, [Need::Identity]);
        let newer = document(DocumentKind::DrivingLicence, Some(900));
        profile.documents.push(newer);
        assert_eq!(local.look(&profile, at(10)).valid_until, at(375));
        profile.kind = Kind::Business;
        assert_eq!(
            local.look(&profile, at(10)).lacks,
            [Need::Register, Need::Ownership]
        );
    }
}
