//! Directory Sync: the people and groups of an organization, as its identity provider pushes them.
//! Source: <https://workos.com/docs/directory-sync>.
//!
//! * [`directories`] – the link to one provider, and what it holds in numbers.
//! * [`tokens`] – the bearer tokens that providers push with.
//! * [`users`], [`groups`], [`members`] – what is in a directory, and the events that tell of it.
//! * [`custom_attributes`] – which of a provider's attributes an application gets to see.
//! * [`roles`] – roles from groups.
//! * [`plain`] – directories, people and groups in plain words, from which SCIM attributes are made.
//! * [`provisioning`] – AuthKit users and memberships that follow a directory.
//! * [`settings`] – what the WorkOS dashboard configures for all directories of an environment.
//! * [`error`] – why a push is refused.
//!
//! The rules take a user or a group as SCIM (RFC 7643) describes it, whoever pushes: the SCIM endpoint, the control API, a
//! seed.
//!
//! Assumption: the 403 that the description of the API has for every operation, with an unknown organization as its example, is
//! of API keys that may not see a directory. An API key of an environment sees all of it here: what it does not see is 404.

pub(crate) mod custom_attributes;
pub(crate) mod directories;
pub(crate) mod error;
pub(crate) mod groups;
pub(crate) mod members;
pub(crate) mod plain;
pub(crate) mod previous;
pub(crate) mod provisioning;
pub(crate) mod roles;
pub(crate) mod settings;
pub(crate) mod tokens;
pub(crate) mod users;

#[cfg(test)]
mod tests;

pub(crate) use self::error::DirectoryError;
