//! Whole sign-ins over loopback HTTP: a browser, an Actix app with several workers, and a small WorkOS.

mod app;
mod attacks;
mod browser;
mod fake_workos;
mod refresh;
mod responses;
mod sign_in;
mod sign_out;
