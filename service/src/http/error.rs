//! Everything that the API can answer instead of what was asked for: one code for each, with
//! total functions that say what the code means to a caller.
//!
//! `docs/errors.md` is written from this table and kept fresh by a test, and `/docs/errors` shows
//! it. A code never changes its meaning; new ones may be added.

use axum::http::StatusCode;
use serde::{Serialize, Serializer};

/// Whether the caller may send the same request again, with the same idempotency key, and hope
/// for another answer without anything else having changed.
const RETRY: bool = true;
const FINAL: bool = false;
/// Whether it is certain that nothing was written.
const CLEAN: bool = true;
const UNSURE: bool = false;

/// Declares the enum and its total functions from one table, so that no column can be forgotten.
macro_rules! codes {
    ($($variant:ident, $code:literal, $status:ident, $retry:ident, $effects:ident, $title:literal, $about:literal;)*) => {
        /// A code of the API. Alphabetical.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $(#[doc = $about] $variant,)*
        }

        impl ErrorCode {
            /// Every code, in alphabetical order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The stable text.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// The HTTP status that it is answered with.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),* }
            }

            /// Whether the same request may be sent again, with the same key, as it is.
            #[must_use]
            pub const fn is_retryable(self) -> bool {
                match self { $(Self::$variant => $retry),* }
            }

            /// Whether it is certain that nothing was written.
            #[must_use]
            pub const fn has_no_side_effects(self) -> bool {
                match self { $(Self::$variant => $effects),* }
            }

            /// A short name, always the same for the code.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }

            /// What it means and what to do about it.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $about),* }
            }
        }
    };
}

// Columns: variant, code, status, retry, side effects, title, meaning and remedy.
#[rustfmt::skip]
codes! {
    AccountClosed, "account_closed", UNPROCESSABLE_ENTITY, FINAL, CLEAN, "The account is closed", "An account that would take part is closed and takes no more entries. Use another account.";
    AccountNotEmpty, "account_not_empty", CONFLICT, FINAL, CLEAN, "The account is not empty", "Only an account with nothing in it, nothing pending and no payment waiting can be closed. Move the money first.";
    AddressNotAllowed, "address_not_allowed", FORBIDDEN, FINAL, CLEAN, "The key is not taken from there", "The API key is limited to networks that the request did not come from.";
    AddressTaken, "address_taken", CONFLICT, FINAL, CLEAN, "Another account has this bank address", "A bank address leads to one account only. Close or change the other one, or open this account without the address.";
    AlreadyExists, "already_exists", CONFLICT, FINAL, CLEAN, "It exists already", "Something of this id or name was made before, by another request.";
    AmountTooLarge, "amount_too_large", UNPROCESSABLE_ENTITY, FINAL, CLEAN, "More than there is", "More would be posted than is held, or more would go back than remains of the payment. The detail says how much there is.";
    ApprovalNeeded, "approval_needed", FORBIDDEN, FINAL, CLEAN, "It takes two", "Nobody does this alone here. Propose it (`POST /v1/proposals`) and let somebody else approve it.";
    BankAddressInvalid, "bank_address_invalid", UNPROCESSABLE_ENTITY, FINAL, CLEAN, "The bank address is not valid", "An IBAN, or a sort code with its account number, cannot be right: a character is mistyped, or the country, length or check digits are wrong.";
    BodyTooLarge, "body_too_large", PAYLOAD_TOO_LARGE, FINAL, CLEAN, "The body is too large", "The body exceeds the limit of this operation. Send less at a time.";
    CardInvalid, "card_invalid", UNPROCESSABLE_ENTITY, FINAL, CLEAN, "It is no card", "The number, the expiry or the security code cannot be right; the detail names the rule. No digit is repeated.";
    CurrencyMismatch, "currency_mismatch", UNPROCESSABLE_ENTITY, FINAL, CLEAN, "The currencies differ", "An account, or the rail, is in another currency than the amount. Lombard does not convert.";
    DuplicateFile, "duplicate_file", CONFLICT, FINAL, CLEAN, "The file was sent before", "A file of the same sender and message id, or with the same contents, was taken in under another key; the detail names its batch. Look at that batch, or send the file with the key that it had.";
    Forbidden, "forbidden", FORBIDDEN, FINAL, CLEAN, "The key may not do this", "The API key is known, but was not given the right to do this. Use a key with that right.";
    HeadersTooLarge, "headers_too_large", REQUEST_HEADER_FIELDS_TOO_LARGE, FINAL, CLEAN, "The headers are too large", "The request's headers together exceed 16 KiB. Send fewer or shorter ones.";
    HoldEnded, "hold_ended", CONFLICT, FINAL, CLEAN, "The hold has ended", "The hold was posted, voided, or has expired.";
    IdempotencyKeyInvalid, "idempotency_key_invalid", BAD_REQUEST, FINAL, CLEAN, "The idempotency key is malformed", "`Idempotency-Key` is 1 to 255 printable ASCII characters, either bare or as a quoted string (RFC 8941), and is sent once.";
    IdempotencyKeyMissing, "idempotency_key_missing", BAD_REQUEST, FINAL, CLEAN, "The idempotency key is missing", "Every POST carries an `Idempotency-Key`, so that it can be repeated without being done twice. Draw a fresh random key for each new request, and repeat a request with the key that it had.";
    IdempotencyKeyReused, "idempotency_key_reused", UNPROCESSABLE_ENTITY, FINAL, CLEAN, "The idempotency key was used for another request", "The key belongs to a request of the same kind with other contents. Use a fresh key for a new request.";
    InsufficientFunds, "insufficient_funds", UNPROCESSABLE_ENTITY, FINAL, CLEAN, "The account lacks the money", "A constrained account would be overdrawn by the hold, return or posting. (A payment that lacks funds is accepted and then fails or waits; see `on_insufficient_funds`.)";
    Internal, "internal", INTERNAL_SERVER_ERROR, RETRY, UNSURE, "Something is wrong on our side", "An unexpected failure, which is on record under the request id. Repeat the request with the same key: if it was carried out, you get its answer.";
    InvalidField, "invalid_field", BAD_REQUEST, FINAL, CLEAN, "A member of the body is not valid", "A member is unknown, missing, of the wrong type or out of range; `field` points to it.";
    InvalidFile, "invalid_file", UNPROCESSABLE_ENTITY, FINAL, CLEAN, "The file is at fault", "The file breaks its schema, does not add up, or is no such file; `errors` says where and by which rule. Nothing of it was paid.";
    InvalidJson, "invalid_json", BAD_REQUEST, FINAL, CLEAN, "The body is not JSON", "The body is not well-formed JSON in UTF-8; the detail says at which line and column.";
    InvalidParameter, "invalid_parameter", BAD_REQUEST, FINAL, CLEAN, "A parameter is not valid", "A query parameter or a header is unknown, repeated or malformed; `field` names it.";
    KeyNotRotatable, "key_not_rotatable", CONFLICT, FINAL, CLEAN, "The API key cannot be rotated", "The API key was revoked, has expired, or was rotated before. Make a new one.";
    MandateExceeded, "mandate_exceeded", FORBIDDEN, FINAL, CLEAN, "The mandate does not cover it", "A machine may pay what its mandate says and no more: amount, sum, rate, payee, rail, account or time exceed it; the detail names the rule.";
    MediaTypeUnsupported, "media_type_unsupported", UNSUPPORTED_MEDIA_TYPE, FINAL, CLEAN, "The media type is not supported", "Send the body as `application/json`, or as one of the types that the operation documents.";
    MessageInvalid, "message_invalid", UNPROCESSABLE_ENTITY, FINAL, CLEAN, "The message is not valid", "To gateways: the message breaks its schema or a rule of the scheme; `errors` says where. Nothing was changed.";
    MessageUnexpected, "message_unexpected", UNPROCESSABLE_ENTITY, FINAL, CLEAN, "The message cannot be acted on", "To gateways: the message is valid, but is none that we take, or carries more transactions than the rail takes in one.";
    MessageUnreadable, "message_unreadable", BAD_REQUEST, FINAL, CLEAN, "The message cannot be read", "To gateways: the message is not XML, not in UTF-8, or holds what no payment message needs, such as a document type. Nothing was changed.";
    MethodNotAllowed, "method_not_allowed", METHOD_NOT_ALLOWED, FINAL, CLEAN, "The method is not allowed", "The resource exists and does not take this method; the `Allow` header lists those that it takes.";
    NotApplicable, "not_applicable", CONFLICT, FINAL, CLEAN, "It cannot be done with this kind of thing", "The payment or account is of a kind with which this can never be done, such as returning an outgoing payment; the detail says what to do instead.";
    NotFound, "not_found", NOT_FOUND, FINAL, CLEAN, "There is no such thing", "There is nothing under this address, or it belongs to somebody else.";
    NotInLogYet, "not_in_log_yet", NOT_FOUND, RETRY, CLEAN, "Not in the verifiable log yet", "The transaction, or the size that was asked for, is not under a published checkpoint of the verifiable log yet. That usually takes less than a second; ask again.";
    OutcomeUnknown, "outcome_unknown", SERVICE_UNAVAILABLE, RETRY, UNSURE, "It is not known whether it was done", "The answer of the store was lost. Repeat the request with the same key: if it was carried out, you get its answer, and if not, it is carried out now.";
    Overloaded, "overloaded", SERVICE_UNAVAILABLE, RETRY, CLEAN, "Too much is going on", "Nothing was done. Repeat the request with the same key after the pause that `Retry-After` asks for, with some jitter.";
    OwnApproval, "own_approval", FORBIDDEN, FINAL, CLEAN, "Somebody else must approve it", "Who ordered or proposed something cannot approve it or put it in force. Ask somebody else who may.";
    ProofsMissing, "proofs_missing", CONFLICT, FINAL, CLEAN, "Proofs are missing", "Nobody is verified without the documents that prove who he is; the detail names what is not proved. Take them in first.";
    ProposalClosed, "proposal_closed", CONFLICT, FINAL, CLEAN, "The proposal is closed", "It was decided or carried out before, or nobody decided in time. Propose the operation again.";
    RailOff, "rail_off", UNPROCESSABLE_ENTITY, FINAL, CLEAN, "The rail is not switched on", "No rail that is switched on can carry this payment.";
    RateLimited, "rate_limited", TOO_MANY_REQUESTS, RETRY, CLEAN, "The key asks too often", "The API key made more requests than it may in a second. Nothing was done. Repeat the request with the same key after the pause that `Retry-After` asks for, with some jitter.";
    RecallNotOpen, "recall_not_open", CONFLICT, FINAL, CLEAN, "There is no open recall", "The payment was not recalled, or the recall was answered before.";
    RecallTooLate, "recall_too_late", CONFLICT, FINAL, CLEAN, "The time for a recall is over", "The rail's scheme sets a time for recalls of each reason, and for this one it is over. The detail says until when it was.";
    RecalledBefore, "recalled_before", CONFLICT, FINAL, CLEAN, "The payment was recalled before", "Both schemes allow one recall for a payment.";
    ReferenceUnknown, "reference_unknown", UNPROCESSABLE_ENTITY, FINAL, CLEAN, "The body names something that is not there", "An account or payment that the body refers to does not exist, or belongs to somebody else; `field` points to it.";
    RegionElsewhere, "region_elsewhere", CONFLICT, FINAL, CLEAN, "It belongs to another region", "Data about people stays in its region: the record is another installation's, and is neither kept, shown nor changed here.";
    RequestRunning, "request_running", CONFLICT, RETRY, CLEAN, "The same request is still running", "A request with this key was begun and has no answer yet. Repeat the request with the same key after the pause that `Retry-After` asks for: you get the first one's answer.";
    RequestTimeout, "request_timeout", REQUEST_TIMEOUT, RETRY, CLEAN, "The request took too long to arrive", "The body was not there in time. Nothing was done.";
    SameAccount, "same_account", UNPROCESSABLE_ENTITY, FINAL, CLEAN, "An account cannot pay itself", "Debtor and creditor are the same account.";
    SchemeRule, "scheme_rule", UNPROCESSABLE_ENTITY, FINAL, CLEAN, "The rail's scheme does not allow it", "A rule of the rail's scheme is broken: amount, name, reference, characters or reach. The detail names the rule and `field` points to the member.";
    SignatureInvalid, "signature_invalid", UNAUTHORIZED, FINAL, CLEAN, "The signature is not valid", "To gateways: the signature is missing, not genuine, or not of this moment.";
    SubjectErased, "subject_erased", GONE, FINAL, CLEAN, "The subject was erased", "The keys of the subject are destroyed, or somebody asked for that: nothing of it can be read or added any more.";
    TokenOutOfScope, "token_out_of_scope", FORBIDDEN, FINAL, CLEAN, "The token is not for this", "The token was made for another merchant, other operations or smaller amounts, or has expired; the detail says which.";
    TooLarge, "too_large", UNPROCESSABLE_ENTITY, FINAL, CLEAN, "The numbers do not fit", "A sum of an account would exceed what 64 bits hold, or the request makes more records than one commit takes.";
    Unauthenticated, "unauthenticated", UNAUTHORIZED, FINAL, CLEAN, "No valid API key", "Send a valid API key as `Authorization: Bearer sk_…`.";
    Unavailable, "unavailable", SERVICE_UNAVAILABLE, RETRY, CLEAN, "The store is not available", "Nothing was done. Repeat the request with the same key a little later.";
    Unbalanced, "unbalanced", UNPROCESSABLE_ENTITY, FINAL, CLEAN, "The legs do not balance", "For each currency, debits and credits must be equal, with at least two legs.";
    UploadRunning, "upload_running", CONFLICT, RETRY, CLEAN, "The same upload is still running", "Another request with this key is still sending its file. Wait for it to end, then repeat the request with the same key.";
    VersionStale, "version_stale", CONFLICT, FINAL, CLEAN, "It was changed meanwhile", "The change is based on a version that is not the newest any more; the detail says which is. Look at it again, and decide again.";
    WrongState, "wrong_state", CONFLICT, FINAL, CLEAN, "The payment is at another stage", "The payment is not, or no longer, at a stage at which this can be done; the detail says where it stands.";
}

impl ErrorCode {
    /// Whether it is said to rails' gateways only, which do not speak the API.
    #[must_use]
    pub const fn is_for_gateways(self) -> bool {
        matches!(
            self,
            Self::MessageInvalid
                | Self::MessageUnexpected
                | Self::MessageUnreadable
                | Self::SignatureInvalid
        )
    }

    /// Where the code is explained: a reference relative to the server that answered.
    #[must_use]
    pub fn docs(self) -> String {
        format!("/docs/errors#{}", self.code())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// The page `docs/errors.md`.
#[must_use]
pub fn page() -> String {
    let mut page = String::from(PREFACE);
    for code in ErrorCode::ALL {
        let yes = |it: bool| if it { "yes" } else { "no" };
        page.push_str(&format!(
            "\n## {}\n\n**{}**: {}. Retry: {}. Certain that nothing was done: {}.\n\n{}\n",
            code.code(),
            code.status().as_u16(),
            code.title(),
            yes(code.is_retryable()),
            yes(code.has_no_side_effects()),
            code.about()
        ));
    }
    page
}

const PREFACE: &str = "# Errors

<!-- Written from `service/src/http/error.rs`; do not edit. -->

Every refusal is `application/problem+json` (RFC 9457) with these members:

| member | what it is |
|---|---|
| `type` | where the code is explained, relative to the server |
| `title` | a short name, always the same for the code |
| `status` | the HTTP status |
| `code` | the stable code; decide by it and by nothing else |
| `detail` | what was wrong this time, for people |
| `field` | a JSON pointer into the body, or the name of a parameter or header |
| `retryable` | whether the same request may be sent again, with the same idempotency key, as it is |
| `request_id` | trace id and span id of this request, to quote when you ask us |

A refusal is never kept under the idempotency key: the same request may succeed later under the
same key. What was accepted is kept, and answered byte for byte.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_alphabetical_and_consistent() {
        for pair in ErrorCode::ALL.windows(2) {
            assert!(pair[0].code() < pair[1].code(), "{pair:?}");
        }
        for code in ErrorCode::ALL {
            assert!(code.about().ends_with(['.', ')']), "{code:?}");
            let refused = code.status().is_client_error();
            assert!(!refused || code.has_no_side_effects(), "{code:?}");
            let server = code.status().is_server_error();
            assert!(!server || code.is_retryable(), "{code:?}");
        }
    }
}
