//! `POST /v1/payments`.

mod described;
mod payee;

use axum::{extract::State, response::Response};
use lombard_core::{
    command::{Act, Reply},
    currency::Currency,
    id::Id,
    idempotency::{Idempotency, Outcome},
    limits::{END_TO_END_ID_MAX, NAME_MAX, REMITTANCE_MAX},
    money::{Amount, Money},
    payment::{OnInsufficientFunds, Payment},
    rail::Rail,
    reason::Reason,
    sca::{Ask, Channel, Initiator, Series, rules::Regime},
    scheme::Field,
    tenant::TenantId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use payee::{Named, Payee};

use crate::{
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, Problem,
        input::{AccountRef, MetadataBody, Object, Text, bank_address, metadata},
        prefer::{self, Wait},
        reply::{reply, warn},
        wire::{PaymentView, scalar},
    },
    instruct::{Creditor, Instruction, PrepareError, Prepared, execution, prepare},
    risk::order,
    vault::Token,
};

/// The longest that a payment may wait for funds or a verification: 30 days.
const EXPIRES_IN_S_MAX: u32 = 30 * 24 * 60 * 60;

/// A payment to make.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreatePayment)]
pub struct CreatePayment<'a> {
    /// Inferred from the creditor and the currency when absent.
    #[schema(value_type = Option<scalar::RailName>)]
    rail: Option<Rail>,
    #[schema(value_type = scalar::Amount)]
    amount: Amount,
    #[schema(value_type = scalar::CurrencyCode)]
    currency: Currency,
    #[serde(borrow)]
    #[schema(value_type = DebtorBody)]
    debtor: Object<DebtorBody<'a>>,
    #[serde(borrow)]
    #[schema(value_type = described::CreditorChoice)]
    creditor: Object<CreditorBody<'a>>,
    /// The id that travels unchanged to the creditor. The payment's own when absent.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,35}$", example = "INV-2026-0042")]
    end_to_end_id: Option<Text<'a>>,
    /// The payee's own reference. A payment carries a reference or a text, not both.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,140}$")]
    reference: Option<Text<'a>>,
    /// Free text for the payee.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,140}$")]
    remittance: Option<Text<'a>>,
    /// What to do when the account lacks the money: `fail` (the default), or `wait` until it is
    /// there or the payment expires.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^(fail|wait)$", nullable = false)]
    on_insufficient_funds: OnInsufficientFunds,
    /// The day on which it is to be carried out, at most 366 days ahead, in UTC; at once when
    /// absent, and when the day has come. No money is held before, and it can be cancelled.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", example = "2026-11-22")]
    requested_execution_date: Option<Text<'a>>,
    /// How long it may wait for funds or a verification, after its day if it has one; a day when
    /// absent.
    #[schema(minimum = 1, maximum = 2_592_000)]
    expires_in_seconds: Option<u32>,
    /// Why the payment must wait for `POST /v1/payments/{id}/verification` first.
    #[schema(value_type = Option<scalar::ReasonCode>)]
    verification: Option<Reason>,
    /// How the payer gave the order, for deciding whether he must authenticate (PSD2). Nothing is
    /// decided when absent: it is then done elsewhere.
    #[schema(value_type = Option<ScaBody>)]
    authentication: Option<Object<ScaBody>>,
    /// Your own references. Not for personal data: they are kept in clear.
    #[serde(default, borrow)]
    #[schema(value_type = Option<scalar::Metadata>, nullable = false)]
    metadata: MetadataBody<'a>,
}

/// What is known of how a payer gave the order.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PaymentAuthenticationWish)]
#[allow(clippy::struct_excessive_bools)] // Each is a fact of its own in the law.
struct ScaBody {
    /// `remote_transfer`, `remote_card`, `contactless`, `contact`, `unattended_transport` or
    /// `mail_or_telephone`.
    #[schema(value_type = String, pattern = "^(remote_transfer|remote_card|contactless|contact|unattended_transport|mail_or_telephone)$")]
    channel: Channel,
    /// `payer`, or `payee` under a mandate.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^(payer|payee)$", nullable = false)]
    initiator: Initiator,
    /// `none`, `first` or `later` of a series of the same amount to the same payee.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^(none|first|later)$", nullable = false)]
    series: Series,
    /// The payee is on the payer's list of trusted beneficiaries.
    #[serde(default)]
    #[schema(required = false)]
    trusted_payee: bool,
    /// Both accounts are the payer's own.
    #[serde(default)]
    #[schema(required = false)]
    own_account: bool,
    /// It comes by a secure process for corporate payers.
    #[serde(default)]
    #[schema(required = false)]
    corporate: bool,
    /// The payee's provider is outside.
    #[serde(default)]
    #[schema(required = false)]
    one_leg_out: bool,
    /// Whether the analysis of this payment found a low risk.
    #[schema(nullable = false)]
    low_risk: Option<bool>,
}

/// Who pays.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Debtor)]
struct DebtorBody<'a> {
    #[schema(value_type = scalar::AccountRef)]
    account: AccountRef,
    /// Under which name, when it is not the account holder's.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,140}$")]
    name: Option<Text<'a>>,
}

/// Who is paid, however it is spelled.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct CreditorBody<'a> {
    account: Option<AccountRef>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    iban: Option<Text<'a>>,
    #[serde(borrow)]
    sort_code: Option<Text<'a>>,
    #[serde(borrow)]
    account_number: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Id<Token>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    merchant: Option<Text<'a>>,
}

/// Make a payment
///
/// Answers when the payment is accepted and durable: its money is held, or moved, or it waits.
/// What the rail says comes later: look, listen to events, or send `Prefer: wait=N`. A payment
/// that lacks funds is an answer too (`FAILED`, or `AUTH_PENDING` for `funds`), not an error.
#[utoipa::path(post, path = "/v1/payments", tag = "payments",
    params(("Prefer", Header)),
    request_body = CreatePayment,
    responses((status = 201, description = "Accepted.", body = PaymentView,
        headers(("Lombard-Warning" = String, description = "What the scheme will do to texts on their way: `rule;field`, separated by commas."),
                ("Preference-Applied" = String, description = "The wait that was granted.")))))]
pub async fn create(
    State(api): State<Api>,
    call: Call,
    key: IdempotencyKey,
    wait: Wait,
    body: Json,
) -> Result<Response, Problem> {
    let tenant = call.tenant();
    let request: CreatePayment<'_> = body.parse()?;
    let vault = api.app().vault.as_ref();
    let wish = key.wish_blinded("payments.create", &request, vault, tenant);
    let payee = match request.payee(&api, &call, &wish).await? {
        Named::Before(response) => return Ok(response),
        Named::Here => None,
        Named::By(payee) => Some(payee),
    };
    let mut prepared = match prepared(&api, &call, &request, payee.as_ref()) {
        Ok(prepared) => prepared,
        // It may have been made when the rail was on, or before a table of rules was replaced.
        Err(problem) => return answered(&api, tenant, &wish, problem).await,
    };
    prepared.pay.agency = call.caller().agency.as_deref().cloned();
    let warnings = std::mem::take(&mut prepared.warnings);
    // Of requests that are repeated while the first still runs, one is judged.
    let turn = api.turn(tenant, &wish).await?;
    let before = wish.record_key(tenant);
    let pay = prepared.judged(api.app(), tenant, &before).await;
    let (debtor, creditor) = (pay.debtor, pay.creditor.account());
    let act = Act::Pay(Box::new(pay));
    let executed = api.app().execute(call.command(wish, act)).await;
    drop(turn);
    let reply = executed.map_err(|error| {
        let problem = Problem::from(error);
        let creditor = creditor.map_or_else(String::new, |id| id.to_string());
        let places = [
            ("/debtor/account", debtor.to_string()),
            ("/creditor/account", creditor),
        ];
        problem.where_it_says(&places)
    })?;
    let mut response = prefer::answer(&api, tenant, wait, reply).await?;
    // The schemes have one field for what the API takes as a reference or as a text.
    let field = |field| match (field, &request.remittance) {
        (Field::Reference, Some(_)) => "remittance",
        (field, _) => field.path(),
    };
    let warned = warnings.iter().map(|it| (it.rule.code(), field(it.field)));
    warn(&mut response, warned);
    Ok(response)
}

/// What the key remembers of the same request, or the problem.
///
/// # Errors
/// The problem, when the key remembers nothing.
pub async fn answered(
    api: &Api,
    tenant: TenantId,
    wish: &Idempotency,
    problem: Problem,
) -> Result<Response, Problem> {
    let before: Option<Outcome> = api.app().value(&wish.record_key(tenant)).await?;
    match before.filter(|before| before.fingerprint == wish.fingerprint) {
        None => Err(problem),
        Some(before) => Ok(reply(Reply {
            status: before.status,
            body: before.body.get().as_bytes().into(),
            stage: None,
            replayed: true,
        })),
    }
}

impl CreatePayment<'_> {
    /// What is asked for, as the payment `id`, its texts within their bounds. Where a token names
    /// the payee, the vault has said whom.
    ///
    /// # Errors
    /// `invalid_field` or `bank_address_invalid`, with the member.
    pub fn instruction<'b>(
        &'b self,
        tenant: TenantId,
        id: Id<Payment>,
        now: Timestamp,
        payee: Option<&'b Payee>,
    ) -> Result<Instruction<'b>, Problem> {
        Ok(Instruction {
            id,
            rail: self.rail,
            money: Money {
                amount: self.amount,
                currency: self.currency,
            },
            debtor: self.debtor.account.resolve(tenant),
            debtor_name: checked(self.debtor.name.as_ref(), "/debtor/name", NAME_MAX)?,
            creditor: match payee {
                Some(payee) => payee.creditor(),
                None => creditor(tenant, &self.creditor)?,
            },
            end_to_end_id: checked(
                self.end_to_end_id.as_ref(),
                "/end_to_end_id",
                END_TO_END_ID_MAX,
            )?,
            reference: checked(self.reference.as_ref(), "/reference", REMITTANCE_MAX)?,
            remittance: checked(self.remittance.as_ref(), "/remittance", REMITTANCE_MAX)?,
            on_insufficient_funds: self.on_insufficient_funds,
            verification: self.verification,
            execute_at: execute_at(self.requested_execution_date.as_ref(), now)?,
            sca: self.authentication.as_ref().map(|it| it.ask(self.currency)),
            wait_ms: wait_ms(self.expires_in_seconds)?,
            metadata: metadata(&self.metadata)?,
            batch: None,
        })
    }
}

impl ScaBody {
    fn ask(&self, currency: Currency) -> Ask {
        Ask {
            regime: Regime::of(currency),
            channel: self.channel,
            initiator: self.initiator,
            series: self.series,
            trusted_payee: self.trusted_payee,
            own_account: self.own_account,
            corporate: self.corporate,
            one_leg_out: self.one_leg_out,
            low_risk: self.low_risk,
        }
    }
}

/// The command that the request asks for, with what the scheme has to say about it.
fn prepared(
    api: &Api,
    call: &Call,
    request: &CreatePayment<'_>,
    payee: Option<&Payee>,
) -> Result<Prepared, Problem> {
    let app = api.app();
    let now = app.host.now();
    let id = Id::new(now, app.host.random());
    let instruction = request.instruction(call.tenant(), id, now, payee)?;
    if app.risk.is_some() {
        let checked = order::check(&instruction.metadata);
        checked.map_err(|why| Problem::field("/metadata", why))?;
    }
    Ok(prepare(app, call.tenant(), instruction, api.weights())?)
}

fn checked<'a>(
    text: Option<&'a Text<'_>>,
    field: &'static str,
    chars_max: usize,
) -> Result<Option<&'a str>, Problem> {
    text.map(|text| text.checked(field, chars_max)).transpose()
}

fn execute_at(day: Option<&Text<'_>>, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
    const FIELD: &str = "/requested_execution_date";
    let Some(day) = day else { return Ok(None) };
    let day = day.checked(FIELD, "2026-11-22".len())?;
    execution(day, now).map_err(|why| Problem::field(FIELD, why))
}

fn wait_ms(seconds: Option<u32>) -> Result<Option<u64>, Problem> {
    match seconds {
        None => Ok(None),
        Some(seconds @ 1..=EXPIRES_IN_S_MAX) => Ok(Some(u64::from(seconds) * 1000)),
        Some(_) => Err(Problem::field(
            "/expires_in_seconds",
            format!("expected 1 to {EXPIRES_IN_S_MAX}"),
        )),
    }
}

fn creditor<'a>(tenant: TenantId, body: &'a CreditorBody<'_>) -> Result<Creditor<'a>, Problem> {
    if body.token.is_some() || body.merchant.is_some() {
        let detail = "a token names the payee of a payment that is made by itself";
        return Err(Problem::field("/creditor/token", detail));
    }
    let (iban, sort_code) = (body.iban.as_ref(), body.sort_code.as_ref());
    let address = bank_address(iban, sort_code, body.account_number.as_ref(), "/creditor")?;
    match (body.account, &body.name, address) {
        (Some(account), None, None) => Ok(Creditor::Account(account.resolve(tenant))),
        (None, Some(name), Some(address)) => Ok(Creditor::Outside {
            name: name.checked("/creditor/name", NAME_MAX)?,
            address,
        }),
        _ => Err(Problem::field(
            "/creditor",
            "a creditor is `account` alone, or `token`, or `name` with `iban`, or `name` with \
             `sort_code` and `account_number`",
        )),
    }
}

impl From<PrepareError> for Problem {
    fn from(error: PrepareError) -> Self {
        match error {
            PrepareError::Vault(error) => error.into(),
            PrepareError::Refused(refused) => {
                let code = match refused.rule {
                    "rail_off" => ErrorCode::RailOff,
                    "currency" => ErrorCode::CurrencyMismatch,
                    "account_invalid" | "modulus" => ErrorCode::BankAddressInvalid,
                    _ => ErrorCode::SchemeRule,
                };
                let detail = format!("{} (rule `{}`)", refused.message, refused.rule);
                Self::saying(code, detail.into()).at(refused.field)
            }
        }
    }
}
