//! The residency guard: data stays in the regions that the operator named.
//!
//! It looks at what says where a thing is: the region that clients are made for, and the ARNs of
//! tables and keys. It cannot see through a resource that copies itself elsewhere (a global table's
//! replica, a bucket's replication), so the store refuses tables with replicas when it opens, and
//! the templates in `deploy/` have none.

/// The regions that data may be in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Residency(Vec<String>);

/// London: one region, several zones.
pub const REGION_DEFAULT: &str = "eu-west-2";

impl Default for Residency {
    fn default() -> Self {
        Self(vec![REGION_DEFAULT.to_owned()])
    }
}

/// Something is, or would be, outside.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} is in the region {region:?}, and data may only be in {allowed}")]
pub struct Elsewhere {
    what: String,
    region: String,
    allowed: String,
}

impl Residency {
    /// Only these regions.
    #[must_use]
    pub fn of(regions: impl IntoIterator<Item = String>) -> Self {
        Self(regions.into_iter().collect())
    }

    /// Whether `region`, where `what` is, is one of them.
    ///
    /// # Errors
    /// [`Elsewhere`].
    pub fn region(&self, what: &str, region: &str) -> Result<(), Elsewhere> {
        if self.0.iter().any(|allowed| allowed == region) {
            return Ok(());
        }
        Err(Elsewhere {
            what: what.to_owned(),
            region: region.to_owned(),
            allowed: self.0.join(", "),
        })
    }

    /// Whether an ARN is in one of them. An ARN without a region (a bucket's) says nothing.
    ///
    /// # Errors
    /// [`Elsewhere`], also when the text is no ARN.
    pub fn arn(&self, arn: &str) -> Result<(), Elsewhere> {
        let mut parts = arn.split(':');
        match (parts.next(), parts.nth(2)) {
            (Some("arn"), Some("")) => Ok(()),
            (Some("arn"), Some(region)) => self.region(arn, region),
            _ => self.region(arn, "none, as it is no ARN"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_elsewhere_is_refused() {
        let london = Residency::default();
        let cases = [
            ("arn:aws:dynamodb:eu-west-2:1:table/t", true),
            ("arn:aws:kms:eu-west-2:1:key/k", true),
            ("arn:aws:s3:::bucket", true),
            ("arn:aws:dynamodb:us-east-1:1:table/t", false),
            ("arn:aws:kms:eu-west-1:1:key/k", false),
            ("eu-west-2", false),
            ("", false),
        ];
        for (arn, inside) in cases {
            assert_eq!(london.arn(arn).is_ok(), inside, "{arn:?}");
        }
        assert!(london.region("the client", "eu-west-20").is_err());
        let two = Residency::of(["eu-west-1".to_owned(), "eu-west-2".to_owned()]);
        assert!(two.region("the client", "eu-west-1").is_ok());
    }
}
