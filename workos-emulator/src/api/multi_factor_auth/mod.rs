//! Multi-factor authentication. Source: <https://workos.com/docs/mfa> and <https://workos.com/docs/reference/authkit/mfa>.
//!
//! * [`factors`] – authentication factors, and who has which.
//! * [`totp_factor`] – which codes of an authenticator app are taken: each once, and few wrong ones.
//! * [`challenges`] – a factor is asked for a code, and answers.
//! * [`user_factors`] – the factors of a user of AuthKit.
//! * [`enrollments`] – authenticator apps that are being set up on the hosted pages.
//!
//! What a sign-in makes of them is in [`authenticate::mfa`](crate::api::user_management::authenticate::mfa).

pub(crate) mod challenges;
pub(crate) mod enrollments;
pub(crate) mod factors;
#[cfg(test)]
mod tests;
pub(crate) mod totp_factor;
pub(crate) mod user_factors;
