//! AuthKit and user management. Source: <https://workos.com/docs/reference/authkit>.

pub(crate) mod authenticate;
pub(crate) mod authorize;
pub(crate) mod cors_origins;
pub(crate) mod device_authorization;
pub(crate) mod email_change;
pub(crate) mod email_verification;
pub(crate) mod identities;
pub(crate) mod impersonation;
pub(crate) mod jwt_template;
pub(crate) mod logout;
pub(crate) mod magic_auth;
pub(crate) mod memberships;
pub(crate) mod one_time_code;
pub(crate) mod organization_policies;
pub(crate) mod passkeys;
pub(crate) mod password_reset;
pub(crate) mod providers;
pub(crate) mod radar_challenges;
pub(crate) mod rate_limit;
pub(crate) mod redirect_uris;
pub(crate) mod sent_code;
pub(crate) mod sessions;
pub(crate) mod sign_out_redirects;
pub(crate) mod signing_keys;
pub(crate) mod users;
