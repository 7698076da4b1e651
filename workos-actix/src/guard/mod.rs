//! Guards: what a scope, a resource, a route or a handler asks of whoever sends a request.
//!
//! [`require`] says it as a value, [`Requires`] gives it a name. The value guards a scope as a middleware (`middleware`), picks
//! a route as Actix's guard (`route`), and is checked in the middle of a handler; the name is a handler argument
//! (`required`).

mod middleware;
mod require;
mod required;
mod route;

pub use self::{
    require::{Require, ensure_signed_in, require},
    required::{NotImpersonated, RecentAuth, Required, Requires},
};
