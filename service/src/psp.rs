//! Payment service providers: what they tell us, whether it is they who tell it, and how they are
//! asked. What their words mean is in [`lombard_core::psp`].

mod adyen;
mod call;
mod order;
mod route;
pub mod signature;
mod stripe;
pub mod webhooks;

use futures_util::future::BoxFuture;
use lombard_core::{
    psp::{Map, Meaning, News},
    reason::{RailCode, Reason},
};
use serde_json::Value;

use crate::rails::{Answer, RailError};

pub use order::{Order, Source, Want};
pub use route::Cards;

/// A payment service provider, outbound. Adding one takes a file like [`stripe`] and a line in
/// [`route`]; what its statuses mean is data.
pub trait PspPort: Send + Sync + 'static {
    /// Asks for what an order wants. The provider knows it by [`Order::key`]: asked for twice, it is
    /// done once.
    fn send<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Answer, RailError>>;

    /// Asks what became of an order that was sent. Never does what it wants anew.
    fn look_up<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Answer, RailError>>;

    /// Whether it is looked up by the request itself, which then has to be whole.
    fn looks_up_by_asking(&self) -> bool {
        false
    }
}

/// What one of a provider's statuses answers, by the provider's file. One that no row has answers
/// nothing: it is asked for again, and in the end a person is.
fn answer(map: &Map, status: &str, body: &Value, reference: Option<&str>) -> Answer {
    let Meaning::Known(row) = map.means(status, body) else {
        return Answer::Pending;
    };
    let reference = || reference.map(str::to_owned);
    match row.news {
        News::Authorised => Answer::Authorised(reference()),
        News::Captured | News::Refunded => Answer::Accepted(reference()),
        News::Cancelled => refused(Reason::Cancelled, status),
        News::Expired => refused(Reason::Expired, status),
        News::Refused | News::RefundFailed => refused(Reason::Declined, status),
        _ => Answer::Pending,
    }
}

/// A final no, with the provider's own word, made safe to keep.
fn refused(reason: Reason, code: &str) -> Answer {
    Answer::Rejected(reason, RailCode::sanitised(code).as_str().to_owned())
}
