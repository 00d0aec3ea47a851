//! A payee that is named by a token of the vault.
//!
//! The vault hands the account out to the payment alone, on record and within what the token is
//! for; from there on it is sealed in the payment, as any payee is. Who makes the payment never
//! sees it.

use axum::response::Response;
use lombard_core::{id::Id, idempotency::Idempotency, limits::NAME_MAX, money::Money};

use super::{CreatePayment, Creditor, CreditorBody, answered, checked};
use crate::{
    details::BankAddress,
    http::{Api, Call, Problem},
    vault::{
        Token,
        tokens::{Asker, Kind, Matter, Operation, Reader, TokenError, Use},
    },
};

const FIELD: &str = "/creditor/token";

/// Somebody outside, as the vault knows him.
pub struct Payee {
    name: String,
    address: BankAddress,
}

impl Payee {
    /// As an instruction names him.
    pub(super) fn creditor(&self) -> Creditor<'_> {
        Creditor::Outside {
            name: &self.name,
            address: self.address,
        }
    }

    /// Whom a token stands for, who is to get so much.
    ///
    /// # Errors
    /// `invalid_field` where there is no such bank account, and `token_out_of_scope`.
    async fn of(
        api: &Api,
        call: &Call,
        body: &CreditorBody<'_>,
        (id, money): (Id<Token>, Money),
    ) -> Result<Self, Problem> {
        let refused = |why: &str| Problem::field(FIELD, why.to_owned());
        if body.account.is_some() || body.iban.is_some() || body.sort_code.is_some() {
            return Err(refused("a token stands for the account; name no other"));
        }
        let tokens = api.tokens();
        let tokens = tokens.ok_or_else(|| refused("the vault is not on this server"))?;
        let asker = Asker {
            tenant: call.tenant(),
            who: call.caller().actor.to_string(),
            purpose: "payment".to_owned(),
            trace: Some(call.trace().trace_id()),
            reader: Reader::Order,
        };
        let wanted = Use {
            merchant: checked(body.merchant.as_ref(), "/creditor/merchant", NAME_MAX)?,
            operation: Operation::Payout,
            money: Some(money),
        };
        // Of any other kind nothing is opened.
        let unknown = || refused("there is no such token of a bank account");
        match tokens.find(call.tenant(), id).await {
            Ok(token) if token.kind == Kind::BankAccount => {}
            Ok(_) | Err(TokenError::NotFound) => return Err(unknown()),
            Err(error) => return Err(error.into()),
        }
        let (_, matter) = tokens.detokenize(id, &asker, &wanted).await?;
        let Matter::BankAccount(account) = matter else {
            return Err(unknown());
        };
        let given = checked(body.name.as_ref(), "/creditor/name", NAME_MAX)?;
        let name = given.map(str::to_owned).or(account.holder);
        let name = name.ok_or_else(|| {
            let detail = "the token has no holder; name the payee";
            Problem::field("/creditor/name", detail.to_owned())
        })?;
        Ok(Self {
            name,
            address: account.address,
        })
    }
}

/// How the payee of a request is named.
pub enum Named {
    /// In the request itself.
    Here,
    /// By a token.
    By(Payee),
    /// It was answered before.
    Before(Response),
}

impl CreatePayment<'_> {
    /// Whom a token names, if one does: the vault is asked once for each payment, so a request that
    /// was answered before is answered from there.
    ///
    /// # Errors
    /// See [`Payee::of`].
    pub(super) async fn payee(
        &self,
        api: &Api,
        call: &Call,
        wish: &Idempotency,
    ) -> Result<Named, Problem> {
        let Some(token) = self.creditor.token else {
            return Ok(Named::Here);
        };
        let none = Problem::not_found();
        if let Ok(before) = answered(api, call.tenant(), wish, none).await {
            return Ok(Named::Before(before));
        }
        let money = Money {
            amount: self.amount,
            currency: self.currency,
        };
        let payee = Payee::of(api, call, &self.creditor, (token, money)).await?;
        Ok(Named::By(payee))
    }
}
