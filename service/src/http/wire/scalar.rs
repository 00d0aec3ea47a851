//! The small values of the API with their bounds: ids, codes, amounts, times.
//!
//! The types here stand for core's in the OpenAPI document; the values on the wire are written
//! by core's own types, and a test holds the two together.

use std::borrow::Cow;

use lombard_core::{
    currency::Currency,
    journal::Role,
    lifecycle::{Pending, Status},
    money::AMOUNT_MAX,
    rail::Rail,
    reason::Reason,
    time::Timestamp,
};
use serde::{Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type},
    },
};

/// A moment on the wire: RFC 3339, UTC, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(Type::String))
}

fn whole() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::Integer))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
}

/// Declares schemas that have a name, and gathers them.
macro_rules! schemas {
    ($($(#[$doc:meta])* $name:ident = $schema:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub enum $name {}

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    $schema.into()
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    stringify!($name).into()
                }
            }
        )*

        /// All of them by name.
        pub fn schemas() -> impl Iterator<Item = (String, RefOr<Schema>)> {
            [$((stringify!($name).to_owned(), $name::schema())),*].into_iter()
        }
    };
}

fn id(prefix: &str, about: &str) -> ObjectBuilder {
    text()
        .pattern(Some(format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$")))
        .description(Some(about))
        .examples([format!("{prefix}_01k9z8q4v7n3r5t6w8x0y2z4a6")])
}

fn words<'a>(words: impl IntoIterator<Item = &'a str>, about: &str) -> ObjectBuilder {
    let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
    text().enum_values(Some(words)).description(Some(about))
}

schemas! {
    /// Of a payment.
    PaymentId = id("pay", "Names a payment or a return.");
    /// Of an account.
    AccountId = id("acc", "Names an account.");
    /// Of a transaction.
    TransactionId = id("txn", "Names a ledger transaction.");
    /// Of a hold.
    HoldId = id("hld", "Names a hold.");
    /// Of an event.
    EventId = id("evt", "Names an event.");
    /// Of a webhook endpoint.
    WebhookEndpointId = id("whk", "Names a webhook endpoint.");
    /// Of a saved view.
    ViewId = id("viw", "Names a saved view.");
    /// Of an exception.
    ExceptionId = id("exc", "Names an exception.");
    /// Of an API key.
    ApiKeyId = id("key", "Names an API key; not the key itself.");
    /// Of a mandate.
    MandateId = id("mdt", "Names a machine's mandate.");
    /// Of a party.
    PartyId = id("pty", "Names what is known of a customer or payee.");
    /// Kinds of documents.
    PartyDocumentKind = words(
        ["passport", "identity_card", "driving_licence", "proof_of_address", "company_register", "ownership"],
        "What a document is.",
    );
    /// Of a proposal.
    ProposalId = id("prp", "Names a proposed operation.");
    /// Of a run of reconciliation.
    RunId = id("run", "Names a run of reconciliation.");
    /// Of a deed on record.
    AuditId = id("aud", "Names a deed on record.");
    /// Of a token.
    TokenId = id("tok", "Names a token.");
    /// Of a subject.
    SubjectId = id("sub", "Names somebody about whom something is kept.");
    /// A bank account in full.
    BankAddressMembers = ObjectBuilder::new()
        .property("iban", text().max_length(Some(34)))
        .property("sort_code", text().max_length(Some(8)))
        .property("account_number", text().max_length(Some(8)))
        .description(Some("`iban`, or `sort_code` with `account_number`."));
    /// Data about a person in full.
    PersonMembers = ObjectBuilder::new()
        .property("name", text().max_length(Some(140)))
        .property("email", text().max_length(Some(254)))
        .property("phone", text().max_length(Some(40)))
        .property("date_of_birth", text().max_length(Some(10)))
        .property("address", text().max_length(Some(500)))
        .property("document_number", text().max_length(Some(140)))
        .description(Some("What is kept about a person or a firm."));
    /// Types of events.
    EventType = words(lombard_core::event::KINDS, "What an event tells.");
    /// SHA-256 in base64.
    LogHash = text()
        .pattern(Some("^[0-9A-Za-z+/]{43}=$"))
        .description(Some("A hash of the verifiable log, in base64."));
    /// Canonical JSON.
    LogLeaf = text()
        .max_length(Some(65_535))
        .description(Some("A leaf: canonical JSON (RFC 8785), to be hashed byte for byte as it is here."));
    /// C2SP signed-note.
    LogNote = text()
        .max_length(Some(65_536))
        .description(Some("A signed checkpoint (C2SP tlog-checkpoint), with all its signatures."));
    /// C2SP vkey.
    LogKey = text()
        .max_length(Some(1_024))
        .description(Some("A public key: name, id and key (C2SP signed-note)."));
    /// Of a log.
    LogOrigin = text()
        .max_length(Some(512))
        .description(Some("The name of the log in its checkpoints."));
    /// Of a batch.
    BatchId = id("bat", "Names a batch.");
    /// An account, as requests may name it.
    AccountRef = text()
        .pattern(Some("^(acc_[0-7][0-9a-hjkmnp-tv-z]{25}|(book|fps|sepa_inst)/(clearing|settlement|suspense|fees|differences)/[A-Z]{3})$"))
        .description(Some("An account's id, or the name of a house account: `rail/role/currency`."))
        .examples(["acc_01k9z8q4v7n3r5t6w8x0y2z4a6", "fps/settlement/GBP"]);
    /// Minor units, positive.
    Amount = whole()
        .minimum(Some(1)).maximum(Some(AMOUNT_MAX))
        .description(Some("A whole number of the currency's minor units (ISO 4217), such as pence."))
        .examples([1250]);
    /// Minor units, or none.
    MinorUnits = whole()
        .minimum(Some(0))
        .description(Some("A sum in minor units; it may exceed what JavaScript holds exactly."));
    /// Minor units of either sign.
    SignedMinorUnits = whole()
        .minimum(Some(i64::MIN)).maximum(Some(i64::MAX))
        .description(Some("A sum in minor units, negative when it went from us."));
    /// A sentence about a file.
    DeviationText = text()
        .max_length(Some(1_000))
        .description(Some("What is odd, with its place in the file."));
    /// A statement, as its maker names it.
    StatementName = text().max_length(Some(200)).description(Some("A statement's own name."));
    /// ISO 4217.
    CurrencyCode = words(Currency::all().map(Currency::code), "A currency in use (ISO 4217).");
    /// RFC 3339.
    Time = text()
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .pattern(Some(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$"))
        .description(Some("RFC 3339, UTC, with milliseconds."))
        .examples(["2026-11-22T11:12:13.123Z"]);
    /// W3C.
    TraceId = text()
        .pattern(Some("^[0-9a-f]{32}$"))
        .description(Some("The trace of the request or message that caused it (W3C Trace Context)."));
    /// The tenant's own references.
    Metadata = ObjectBuilder::new()
        .property_names(Some(Schema::Object(text().pattern(Some("^[A-Za-z0-9_.-]{1,40}$")).build())))
        .additional_properties(Some(Schema::Object(text().pattern(Some(TEXT_500)).build())))
        .max_properties(Some(20))
        .description(Some("Your own references: up to 20 texts. Not for personal data: it is kept in clear."));
    /// Ways for money to move.
    RailName = words(Rail::ALL.map(Rail::name), "Between two accounts here (`book`), by UK Faster Payments, or by SEPA Instant.");
    /// The six.
    StatusName = words(Status::ALL.map(Status::name), "Where a payment stands.");
    /// What it waits for.
    PendingName = words(Pending::ALL.map(Pending::name), "What a payment waits for.");
    /// Why.
    ReasonCode = words(Reason::ALL.iter().map(|reason| reason.code()), "Why, the same words for every rail.");
    /// Types of events.
    EventKind = words(lombard_core::event::KINDS, "What happened.");
    /// Why money goes back.
    ReturnReason = words(
        Reason::ALL.iter().filter(|reason| **reason != Reason::Recalled).map(|reason| reason.code()),
        "Why money goes back. A recall is granted by answering it."
    );
    /// Why money is asked back.
    RecallReason = words(
        Reason::ALL.iter().filter(|reason| reason.iso_cancellation_code().is_some()).map(|reason| reason.code()),
        "Why money is asked back: what the schemes know a recall for."
    );
    /// House account roles.
    RoleName = words(Role::ALL.map(Role::name), "What a house account is for.");
    /// A side of the books.
    SideName = words(["debit", "credit"], "Which side of the account.");
    /// A layer of the books.
    LayerName = words(["pending", "release", "posted"], "`pending` promises, `release` ends a promise, `posted` moves money.");
    /// Journals.
    JournalName = text().pattern(Some("^[a-z_]{1,20}$"))
        .description(Some("Which step of which journal it is, such as `out_hold` or `in_post`."));
    /// Reasons of risk.
    RiskReason = text()
        .max_length(Some(4000))
        .description(Some("Why, in plain words."));
    /// Names of risk.
    RiskName = text()
        .max_length(Some(200))
        .description(Some("What a rule, a limit, a feature or a model is called."));
    /// Schemes of addresses.
    AddressScheme = words(["iban", "uk_account", "card"], "How an account outside is addressed.");
}

/// Text without control characters, of 1 to 500 characters.
const TEXT_500: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,500}$";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_milliseconds() {
        let at = Moment(Timestamp::from_unix_ms(1_795_000_000_120));
        assert_eq!(
            serde_json::to_string(&at).unwrap(),
            "\"2026-11-18T11:06:40.120Z\""
        );
    }
}
