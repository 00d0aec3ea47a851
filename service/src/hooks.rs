//! Webhooks out: every event of a payment, told to whoever asked to be told, as Standard Webhooks
//! 1.0.0 says (<https://www.standardwebhooks.com>).
//!
//! **Shape.** An [`endpoint::Endpoint`] says where and which events. The [`consumer`] reads events
//! from the change feed, makes the first try at once and writes a [`delivery::Delivery`] with what
//! came of it; [`retry`] finds the deliveries that are due and tries them by the plan of
//! [`schedule`]. [`dispatch`] carries a try
//! from the record to the record, [`send`] makes it, behind the [`guard`] that keeps requests out of private
//! networks; [`sign`] signs it. [`message`] writes the body, the same bytes for every try.
//!
//! **Promises.** Each event reaches each endpoint that wanted it when it happened at least once,
//! or is given up into the exceptions queue; nothing is lost in a crash, because the feed's cursor
//! passes an event only when its deliveries are stored. The message's id is the event's, the same
//! for every try, endpoint and replay, so a receiver can drop what it knows.
//!
//! **Not promised.** Order: a retried event arrives after younger ones. Receivers order by the
//! payment and the event's number, which are in every body. Exactly once: a try whose answer was
//! lost is made again.
//!
//! **Bounds.** Each endpoint has [`lane::TRIES_AT_ONCE`] tries under way at most and a queue in
//! time, so a slow receiver delays its own deliveries and nobody else's. What ended is forgotten after some
//! days ([`forget`]).

pub mod consumer;
pub mod delivery;
pub mod directory;
pub mod dispatch;
pub mod endpoint;
pub mod forget;
mod give_up;
pub mod guard;
pub mod lane;
pub mod message;
pub mod replay;
pub mod retry;
pub mod schedule;
pub mod secret;
pub mod send;
mod settle;
pub mod sign;
