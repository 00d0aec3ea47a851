//! The console, as a browser without JavaScript meets it.

mod accounts;
mod acting;
mod browser;
mod cases;
mod live;
mod looking;
mod provider;
mod risk;
mod signing_in;
mod views;
