//! What callers are shown, in JSON. Each view is a counterpart of a record of the core, made to
//! be read by others and to stay as it is; records may change, views may only grow.
//!
//! Views borrow from what they show and are written once, by the plan, into the commit that they
//! tell of.

pub mod account;
pub mod charge;
pub mod event;
pub mod hold;
pub mod ledger;
mod party;
pub mod payment;
pub mod sca;
pub mod scalar;

use lombard_core::{
    command::{Render, View},
    payment::Payment,
    store::encode,
};
use utoipa::openapi::OpenApi;

pub use account::AccountView;
pub use event::EventView;
pub use hold::HoldView;
pub use ledger::{EntryView, TransactionView};
pub use payment::PaymentView;
pub use scalar::Moment;

/// How answers are written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wire;

impl Wire {
    /// A payment, as every answer shows it.
    #[must_use]
    pub fn payment(self, payment: &Payment) -> Vec<u8> {
        encode(&PaymentView::of(payment))
    }
}

impl Render for Wire {
    fn render(&self, view: View<'_>) -> Vec<u8> {
        match view {
            View::Payment(payment) => self.payment(payment),
            View::Account(account, balance) => encode(&AccountView::of(account, balance)),
            View::Hold(hold) => encode(&HoldView::of(hold)),
            View::Transaction(transaction) => encode(&TransactionView::of(transaction)),
        }
    }
}

/// Adds the schemas that are referred to by name only.
pub(super) fn schemas(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    components.schemas.extend(scalar::schemas());
}
