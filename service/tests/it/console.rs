//! The console, as a browser without JavaScript meets it.

mod acting;
mod browser;
mod cases;
mod looking;
mod risk;
mod signing_in;
