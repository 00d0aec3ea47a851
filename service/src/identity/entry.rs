//! How the owner of an account of ours gets in: by his password and a one-time code, always both;
//! and, the first time, by choosing the one and enrolling a generator of the other.
//!
//! **Invariants.** Name, password and code are checked in the same time, and of a failure only that
//! it is one is told. After ten failures in a row an account takes nothing for half an hour (PCI DSS
//! 8.3.4). A code is good once: the step that it was of is noted in the commit that takes it. Each entry,
//! and each failure at an account that there is, is on record.

use lombard_core::{audit::Audit, id::Id, store::Key, tenant::TenantId, time::Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::person::{Local, Person, PersonError, Who, bound, peppered};
use crate::{
    app::App,
    factors::{SECRET_BYTES, matching_step},
    password::{self, Cost, NoRandomness},
    records::{Then, change_noted},
    tenants::{self, ApiKey},
};

/// For how long an account that begins can be finished, in milliseconds.
const BEGUN_MS: u64 = 10 * 60 * 1000;
/// The least characters of a password (PCI DSS 8.3.6).
pub const PASSWORD_MIN: usize = 12;
/// The most; more would only make the hash slow.
pub const PASSWORD_MAX: usize = 128;

/// What came of an attempt to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entered {
    /// He is in.
    In(Id<ApiKey>, TenantId),
    /// The one-time password is right: a password is to be chosen and a generator enrolled.
    Begins,
    /// He is not, and why is nobody's to know.
    No,
}

/// Whether somebody is who he says.
///
/// # Errors
/// See [`PersonError`].
pub async fn enter(app: &App, name: &str, given: &str, code: &str) -> Result<Entered, PersonError> {
    let place = Who::Named(name).place(app);
    let found: Option<Person> = app.value(&place).await?;
    let Some((person, local)) = found.and_then(|it| Some((it.clone(), it.local?))) else {
        // As long as it takes with a name that is there.
        let nobody = Id::from_bits(0);
        password::verify_nothing(&peppered(app, nobody, given)).await;
        return Ok(Entered::No);
    };
    let id = person.credential;
    let key = tenants::find_key(app, person.tenant, id).await?;
    let now = app.host.now();
    let is_good = key.is_some_and(|key| key.is_good(now));
    let knows = password::verify(&peppered(app, id, given), &local.password).await;
    let step = match &local.generator {
        Some(sealed) => {
            let secret = app
                .vault
                .open(person.tenant, &bound(id, "generator"), sealed)?;
            matching_step(&Zeroizing::new(secret), code, now)
        }
        None => None,
    };
    let note = |came: &Entered| {
        let who = format!("operator/{id}");
        let code = if *came == Entered::No {
            "refused"
        } else {
            "done"
        };
        let note = Audit::new(
            Id::new(now, app.host.random()),
            person.tenant,
            now,
            &who,
            "sign_in",
        );
        note.on(id).outcome(code)
    };
    // Looked at again in the commit: of two who send one code at once, one is refused.
    let decide = |found: Option<Person>| {
        let same = found.filter(|it| {
            it.local
                .as_ref()
                .is_some_and(|it| it.password == local.password)
        });
        let Some(mut person) = same else {
            return (Then::Keep, Entered::No);
        };
        let Some(own) = &mut person.local else {
            return (Then::Keep, Entered::No);
        };
        if now < own.locked_until {
            return (Then::Keep, Entered::No);
        }
        let came = match own.one_time_until {
            Some(until) if knows && is_good && now < until => Entered::Begins,
            None if knows && is_good && step.is_some_and(|step| step > own.last_step) => {
                Entered::In(id, person.tenant)
            }
            _ => Entered::No,
        };
        match came {
            Entered::No => own.fail(now),
            _ => {
                own.failures = 0;
                own.last_step = step.unwrap_or(own.last_step);
            }
        }
        (Then::Put(person.body()), came)
    };
    noted(app, &place, note, decide).await
}

/// Changes a record, and puts on record what came of it.
async fn noted(
    app: &App,
    place: &Key,
    note: impl Fn(&Entered) -> Audit,
    mut decide: impl FnMut(Option<Person>) -> (Then, Entered) + Send,
) -> Result<Entered, PersonError> {
    // What comes of it is decided by what is read; the note of the other end is never written.
    let read: Option<Person> = app.value(place).await?;
    let (_, likely) = decide(read);
    let note = note(&likely);
    let came = change_noted(app, place, Some(&note), |found| {
        let (then, came) = decide(found);
        // Somebody was there meanwhile: what was to be noted is no longer true.
        if came == likely {
            (then, Some(came))
        } else {
            (Then::Keep, None)
        }
    })
    .await?;
    Ok(came.unwrap_or(Entered::No))
}

/// What somebody who begins is to do: kept by his browser, sealed, so that nothing is kept here of
/// those who never finish.
#[derive(Serialize, Deserialize)]
pub struct Begun {
    name: String,
    password: String,
    secret: Vec<u8>,
    until: Timestamp,
}

impl Begun {
    /// After his one-time password was taken.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn new(app: &App, name: &str, one_time: &str) -> Result<Self, NoRandomness> {
        let mut secret = vec![0; SECRET_BYTES];
        let filled = SystemRandom::new().fill(&mut secret);
        filled.map_err(|_| NoRandomness)?;
        Ok(Self {
            name: name.to_owned(),
            password: one_time.to_owned(),
            secret,
            until: app.host.now().plus_ms(BEGUN_MS),
        })
    }

    /// The generator's secret, as generators take it.
    #[must_use]
    pub fn secret(&self) -> String {
        data_encoding::BASE32_NOPAD.encode(&self.secret)
    }

    /// The same as a link that generators open.
    #[must_use]
    pub fn link(&self) -> String {
        let name = utf8_percent_encode(&self.name, NON_ALPHANUMERIC);
        format!(
            "otpauth://totp/Lombard:{name}?secret={}&issuer=Lombard",
            self.secret()
        )
    }

    /// Whose it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Why an account did not begin.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// It cannot be used as a password; says why.
    #[error("{0}")]
    Password(&'static str),
    /// The code is not the generator's.
    #[error("That code is not the generator's. Is its clock right?")]
    Code,
    /// It took too long, or was done already.
    #[error("That took too long, or was done already. Sign in again.")]
    Over,
    /// The machine failed.
    #[error(transparent)]
    Failed(#[from] PersonError),
}

/// Ends a beginning: the password is chosen, the generator enrolled, and its owner is in.
///
/// # Errors
/// See [`BeginError`].
pub async fn begin(
    app: &App,
    begun: &Begun,
    chosen: &str,
    code: &str,
) -> Result<(Id<ApiKey>, TenantId), BeginError> {
    let now = app.host.now();
    if begun.until <= now {
        return Err(BeginError::Over);
    }
    fit(chosen, &begun.password)?;
    let step = matching_step(&begun.secret, code, now).ok_or(BeginError::Code)?;
    let place = Who::Named(&begun.name).place(app);
    let found: Option<Person> = app.value(&place).await.map_err(PersonError::from)?;
    let (person, local) = found
        .and_then(|it| Some((it.clone(), it.local?)))
        .ok_or(BeginError::Over)?;
    let id = person.credential;
    let once = peppered(app, id, &begun.password);
    if local.one_time_until.is_none_or(|until| until <= now)
        || !password::verify(&once, &local.password).await
    {
        return Err(BeginError::Over);
    }
    let wanted = peppered(app, id, chosen);
    for old in &local.before {
        if password::verify(&wanted, old).await {
            return Err(BeginError::Password(
                "That password was used before. Choose another.",
            ));
        }
    }
    let hashed = password::hash(&wanted, Cost::Chosen)
        .await
        .map_err(PersonError::from)?;
    let sealed = app
        .vault
        .seal(person.tenant, &bound(id, "generator"), &begun.secret);
    let sealed = sealed.map_err(PersonError::from)?;
    let who = format!("operator/{id}");
    let note = Audit::new(
        Id::new(now, app.host.random()),
        person.tenant,
        now,
        &who,
        "person.begin",
    );
    let done = change_noted(app, &place, Some(&note.on(id)), |found: Option<Person>| {
        let same = found.filter(|it| {
            it.local
                .as_ref()
                .is_some_and(|it| it.password == local.password)
        });
        let Some(mut person) = same else {
            return (Then::Keep, false);
        };
        person.local = Some(Local {
            password: hashed.clone(),
            one_time_until: None,
            generator: Some(sealed.clone()),
            last_step: step,
            before: local.before.clone(),
            failures: 0,
            locked_until: Timestamp::default(),
        });
        (Then::Put(person.body()), true)
    })
    .await
    .map_err(PersonError::from)?;
    if done {
        Ok((id, person.tenant))
    } else {
        Err(BeginError::Over)
    }
}

/// Whether a password can be one (PCI DSS 8.3.6).
fn fit(chosen: &str, one_time: &str) -> Result<(), BeginError> {
    let length = chosen.chars().count();
    if !(PASSWORD_MIN..=PASSWORD_MAX).contains(&length) {
        return Err(BeginError::Password("Choose 12 to 128 characters."));
    }
    let letters = chosen.chars().any(char::is_alphabetic);
    if !letters || !chosen.chars().any(|it| it.is_ascii_digit()) {
        return Err(BeginError::Password("Choose letters and digits."));
    }
    if chosen == one_time {
        return Err(BeginError::Password(
            "Choose another than the one-time password.",
        ));
    }
    Ok(())
}
