//! The guide: from the first page to several machines, with the reasons.
//!
//! | read | for |
//! |---|---|
//! | [Quick start](quick_start) | a page that says hello |
//! | [Concepts](concepts) | what happens to a request, and what a session is |
//! | [Protecting](protecting) | who may do what: extractors, guards, open paths |
//! | [Sign-in and sign-out](sign_in) | options, hooks, a table of your own users, impersonation |
//! | [Security](security) | threats, what is done about them, and the tests that try them |
//!
//! Recipes:
//!
//! | | |
//! |---|---|
//! | [Single-page app](single_page_app) | a front end in the browser, on this site or on another |
//! | [API only](api_only) | API keys, machines, access tokens; no cookies |
//! | [Organizations](organizations) | many customers, one app |
//! | [Beside Next.js](beside_nextjs) | one sign-in with `authkit-nextjs` |
//! | [Several machines](several_machines) | Redis, and what happens without it |
//! | [Webhooks and Actions](webhooks) | what WorkOS tells the app, and what it asks |
//! | [Re-authentication](reauthentication) | is it still the same person? |
//! | [Testing](testing) | without an account at WorkOS |
//!
//! Coming from elsewhere:
//!
//! | | |
//! |---|---|
//! | [From JWT middleware](from_jwt) | before and after |
//! | [From `authkit-nextjs`](from_authkit_nextjs) | every feature of it, and its name here |
//!
//! Programs that run are in `examples/` of the repository, above all `saas`, a small product.

// For the links.
use crate::*;

#[doc = include_str!("../docs/quick_start.md")]
pub mod quick_start {}

#[doc = include_str!("../docs/concepts.md")]
pub mod concepts {}

#[doc = include_str!("../docs/protecting.md")]
pub mod protecting {}

#[doc = include_str!("../docs/sign_in.md")]
pub mod sign_in {}

#[doc = include_str!("../docs/single_page_app.md")]
pub mod single_page_app {}

#[doc = include_str!("../docs/api_only.md")]
pub mod api_only {}

#[doc = include_str!("../docs/organizations.md")]
pub mod organizations {}

#[doc = include_str!("../docs/beside_nextjs.md")]
pub mod beside_nextjs {}

#[doc = include_str!("../docs/several_machines.md")]
pub mod several_machines {}

#[doc = include_str!("../docs/webhooks.md")]
pub mod webhooks {}

#[doc = include_str!("../docs/reauthentication.md")]
pub mod reauthentication {}

#[doc = include_str!("../docs/testing.md")]
pub mod testing {}

#[doc = include_str!("../docs/security.md")]
pub mod security {}

#[doc = include_str!("../docs/from_jwt.md")]
pub mod from_jwt {}

#[doc = include_str!("../docs/from_authkit_nextjs.md")]
pub mod from_authkit_nextjs {}
