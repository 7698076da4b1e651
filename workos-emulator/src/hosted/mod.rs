//! AuthKit's hosted pages: what a person sees in the browser between "Sign in" in an application and its callback.
//!
//! The pages are rendered here, on the server, and need no JavaScript: [`pages`] holds one struct for each page with all
//! that it shows, `templates/hosted/` its HTML, and [`style`] the one style sheet that gives all of them their look. They
//! know no rules: who may sign in is decided where the API decides it.
//!
//! A new page is a struct in `pages.rs` and a template that extends `layout.html`; controls come from `parts.html`.

pub(crate) mod pages;
pub(crate) mod style;
