//! The settings of an environment: what the WorkOS dashboard configures, and how strict the emulator is.

use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    api::{
        admin_portal::settings::AdminPortal,
        connect::settings::Connect,
        directory_sync::{
            settings::{DirectorySync, ScimProfile},
            users,
        },
        organization_domains::dns::DomainVerification,
        user_management::{radar_challenges::Channel, sign_in_methods::SignInMethods, sign_out_redirects},
    },
    core::password::policy::{MAX_HISTORY, PasswordPolicy},
    hosted::branding::Branding,
    server::{
        call::Call,
        error::{ApiError, FieldError},
        reply::Reply,
    },
    store::{Record, State, Transaction},
};

/// When `authorize` shows the hosted page, and when it signs in at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Interactive {
    /// The page for a browser's navigation, at once for a plain HTTP client that sends `login_hint`.
    #[default]
    Auto,
    /// Always the page.
    Always,
    /// Never the page; without a hint the first user signs in.
    Never,
}

/// Multi-factor authentication of an environment. Source: <https://workos.com/docs/authkit/mfa>.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mfa {
    /// Nobody is asked for a second factor.
    Off,
    /// Who has enrolled one is asked for it.
    #[default]
    Optional,
    /// Everybody must enroll one, unless they come through SSO.
    Required,
}

/// The one row of its table. All durations are in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// `iss` of access tokens. Default: `<base URL>/user_management/<client id>`, as newer WorkOS environments have it.
    pub(crate) issuer: Option<String>,
    /// The default environment knows its own client id only, not every `client_…`.
    pub(crate) strict_client_id: bool,
    pub(crate) interactive: Interactive,
    /// Life of an access token.
    pub(crate) access_token_lifetime: u32,
    /// Life of a session, from sign-in to its end at the latest.
    pub(crate) session_lifetime: u32,
    /// A session that is not refreshed for so long ends.
    pub(crate) session_inactivity: u32,
    pub(crate) authorization_code_lifetime: u32,
    /// Life of a `pending_authentication_token`, and of a started hosted sign-in.
    pub(crate) pending_authentication_lifetime: u32,
    /// How long the last refresh token still gives the pair it was exchanged for.
    pub(crate) refresh_token_grace: u32,
    /// A membership may have more than one role.
    pub(crate) multiple_roles: bool,
    /// How many members a group may have.
    pub(crate) group_member_limit: u32,
    /// A refresh token that is presented once more after its grace ends the session. Off, as in production.
    pub(crate) refresh_token_reuse_ends_session: bool,
    /// People may sign up.
    pub(crate) sign_up: bool,
    /// People may join the waitlist instead: only who is invited may sign up.
    pub(crate) waitlist: bool,
    /// Who joins the waitlist may get an e-mail that says so.
    pub(crate) waitlist_confirmation_email: bool,
    /// The application's own page for invitations, which gets the `invitation_token`. Default: the emulator's.
    pub(crate) invitation_url: Option<String>,
    /// The ways in that are on.
    pub(crate) sign_in_methods: SignInMethods,
    /// An address must be verified before its user signs in with a password.
    pub(crate) email_verification: bool,
    /// Whether a second factor may, or must, be used.
    pub(crate) mfa: Mfa,
    /// Sign-ins and e-mails are limited per minute, as in production.
    pub(crate) rate_limits: bool,
    /// How many e-mails with codes and links are sent in a day. None: any number.
    pub(crate) daily_email_quota: Option<u32>,
    /// Radar challenges every sign-in with a password through the API, by `email` or by `sms`.
    pub(crate) radar_challenge: Option<Channel>,
    /// People may sign up, and be invited, with addresses of throw-away mail services.
    pub(crate) disposable_emails: bool,
    /// Sign-ins through a provider give the application the provider's tokens.
    pub(crate) return_oauth_tokens: bool,
    /// People say that it is they who sign in, where that is in doubt: <https://workos.com/docs/sso/sign-in-consent>.
    pub(crate) sso_sign_in_consent: bool,
    /// `sso/authorize` takes the deprecated `domain`.
    pub(crate) sso_domain_selector: bool,
    /// Profiles show the deprecated `raw_attributes`.
    pub(crate) sso_raw_attributes: bool,
    /// Programs without a browser may sign in by a user code.
    pub(crate) device_authorization: bool,
    pub(crate) connect: Connect,
    /// Where sign-out may lead, with wildcards as in redirect URIs; the first one without is the default. Empty: to the
    /// application's own site, and to loopback.
    pub(crate) sign_out_redirect_uris: Vec<String>,
    /// Where sign-out leads without `return_to`, and without a default sign-out redirect.
    pub(crate) homepage_url: Option<String>,
    /// The application's own page for a new password, which gets the token as `token`. Default: the hosted page. Source:
    /// <https://workos.com/docs/authkit/custom-emails/password-reset>.
    pub(crate) password_reset_url: Option<String>,
    /// What is found where the TXT record of a domain is looked for: the record (`auto`), or nothing until a test publishes it
    /// (`manual`).
    pub(crate) domain_verification: DomainVerification,
    pub(crate) admin_portal: AdminPortal,
    pub(crate) branding: Branding,
    pub(crate) password_policy: PasswordPolicy,
    /// Whose rules the SCIM endpoint of directories follows.
    pub(crate) scim_profile: ScimProfile,
    pub(crate) directory_sync: DirectorySync,
    /// Waits before each further attempt to deliver a webhook.
    pub(crate) webhook_retries: Vec<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            issuer: None,
            strict_client_id: false,
            interactive: Interactive::default(),
            access_token_lifetime: 300,
            session_lifetime: 30 * 24 * 3600,
            session_inactivity: 30 * 24 * 3600,
            authorization_code_lifetime: 600,
            pending_authentication_lifetime: 600,
            refresh_token_grace: 30,
            multiple_roles: false,
            group_member_limit: 10_000,
            refresh_token_reuse_ends_session: false,
            sign_up: true,
            waitlist: false,
            waitlist_confirmation_email: true,
            invitation_url: None,
            sign_in_methods: SignInMethods::default(),
            email_verification: true,
            mfa: Mfa::default(),
            rate_limits: true,
            daily_email_quota: None,
            radar_challenge: None,
            disposable_emails: false,
            return_oauth_tokens: false,
            sso_sign_in_consent: true,
            sso_domain_selector: true,
            sso_raw_attributes: true,
            device_authorization: true,
            connect: Connect::default(),
            sign_out_redirect_uris: Vec::new(),
            homepage_url: None,
            password_reset_url: None,
            domain_verification: DomainVerification::default(),
            admin_portal: AdminPortal::default(),
            branding: Branding::default(),
            password_policy: PasswordPolicy::default(),
            scim_profile: ScimProfile::default(),
            directory_sync: DirectorySync::default(),
            webhook_retries: RETRIES.to_vec(),
        }
    }
}

/// Exponential back-off up to three days, as production retries. Assumption: the intervals are not documented.
const RETRIES: [u32; 12] = [
    5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 43200, 57600, 100_800,
];

static DEFAULT: LazyLock<Arc<Settings>> = LazyLock::new(Arc::default);

impl Record for Settings {
    fn id(&self) -> &str {
        "settings"
    }
}

impl State {
    /// The environment's settings.
    pub(crate) fn settings(&self) -> &Settings {
        self.settings.get("settings").unwrap_or(&DEFAULT)
    }
}

/// What is wrong with a change of the settings, and where: `password_policy.min_length`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SettingProblem {
    pub(crate) path: String,
    pub(crate) message: String,
}

/// Merges `changes` into the settings (RFC 7396: null goes back to the default); all of them or none.
pub(crate) fn change(
    tx: &mut Transaction<'_>,
    changes: &Value,
) -> Result<Result<Arc<Settings>, SettingProblem>, ApiError> {
    let failed = |error: serde_json::Error| ApiError::message(500, error.to_string());
    let mut wanted = serde_json::to_value(tx.settings()).map_err(failed)?;
    merge(&mut wanted, changes);
    match serde_path_to_error::deserialize::<_, Settings>(wanted) {
        Ok(settings) => match settings.check() {
            Ok(()) => {
                let before = tx.settings().directory_sync.clone();
                let settings = tx.put(settings)?;
                users::after_settings_change(tx, &before)?;
                Ok(Ok(settings))
            }
            Err(problem) => Ok(Err(problem)),
        },
        Err(error) => Ok(Err(SettingProblem {
            path: error.path().to_string(),
            message: error.into_inner().to_string(),
        })),
    }
}

impl Settings {
    /// Whether everybody may sign up, and not only who is invited.
    ///
    /// Source: <https://workos.com/docs/authkit/waitlist> and <https://workos.com/docs/authkit/invitations>.
    pub(crate) fn open_sign_up(&self) -> bool {
        self.sign_up && !self.waitlist
    }

    /// Checks what the types do not say.
    fn check(&self) -> Result<(), SettingProblem> {
        let lifetimes = [
            ("access_token_lifetime", self.access_token_lifetime),
            ("session_lifetime", self.session_lifetime),
            ("session_inactivity", self.session_inactivity),
            ("authorization_code_lifetime", self.authorization_code_lifetime),
            (
                "pending_authentication_lifetime",
                self.pending_authentication_lifetime,
            ),
        ];
        if let Some((path, _)) = lifetimes.into_iter().find(|(_, seconds)| *seconds == 0) {
            return Err(SettingProblem {
                path: path.to_owned(),
                message: "must be at least 1 second".to_owned(),
            });
        }
        let is_no_url =
            |url: &Option<String>| url.as_deref().is_some_and(|url| url::Url::parse(url).is_err());
        if is_no_url(&self.issuer) {
            return Err(SettingProblem {
                path: "issuer".to_owned(),
                message: "must be a URL, like https://api.workos.com".to_owned(),
            });
        }
        // Links in e-mails lead there.
        let is_no_page = |url: &Option<String>| {
            let is_page =
                |url| url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            url.as_deref().is_some_and(|url| !is_page(url))
        };
        if is_no_page(&self.invitation_url) {
            return Err(SettingProblem {
                path: "invitation_url".to_owned(),
                message: "must be a URL, like https://app.example.com/invite".to_owned(),
            });
        }
        if self.password_policy.history > MAX_HISTORY {
            return Err(SettingProblem {
                path: "password_policy.history".to_owned(),
                message: format!("must be at most {MAX_HISTORY}"),
            });
        }
        if is_no_page(&self.password_reset_url) {
            return Err(SettingProblem {
                path: "password_reset_url".to_owned(),
                message: "must be a URL, like https://app.example.com/reset-password".to_owned(),
            });
        }
        self.sign_in_methods.check()?;
        self.connect.check()?;
        self.admin_portal.check()?;
        self.check_sign_out()?;
        self.branding.check()
    }
}

impl Settings {
    fn check_sign_out(&self) -> Result<(), SettingProblem> {
        let redirects = self.sign_out_redirect_uris.iter().enumerate();
        let redirects = redirects.map(|(at, uri)| {
            let path = format!("sign_out_redirect_uris[{at}]");
            (path, sign_out_redirects::check(uri))
        });
        let homepage = self.homepage_url.iter().map(|url| {
            let path = "homepage_url".to_owned();
            (path, sign_out_redirects::check_homepage(url))
        });
        let wrong = |(path, checked): (String, Result<(), &str>)| {
            let message = checked.err()?.trim_end_matches('.').to_owned();
            Some(SettingProblem { path, message })
        };
        redirects.chain(homepage).find_map(wrong).map_or(Ok(()), Err)
    }
}

fn merge(into: &mut Value, changes: &Value) {
    match (into, changes) {
        (Value::Object(into), Value::Object(changes)) => {
            for (key, change) in changes {
                if change.is_null() {
                    into.remove(key);
                } else {
                    merge(into.entry(key.clone()).or_insert(Value::Null), change);
                }
            }
        }
        (into, changes) => into.clone_from(changes),
    }
}

impl From<SettingProblem> for ApiError {
    fn from(problem: SettingProblem) -> Self {
        let message = format!("{}: {}.", problem.path, problem.message);
        Self::invalid([FieldError::new(problem.path, "invalid_setting").message(message)])
    }
}

/// `GET /_emulate/settings`
pub(super) fn get_settings(call: &Call) -> Result<Reply, ApiError> {
    Reply::ok(call.environment.state().settings())
}

/// `PATCH /_emulate/settings`
pub(super) fn update_settings(call: &Call) -> Result<Reply, ApiError> {
    if !call.raw_body().is_object() {
        return Err(ApiError::bad_request(
            "invalid_request_body",
            "The body must be a JSON object.",
        ));
    }
    Reply::ok(&call.transact(|tx| change(tx, call.raw_body()))??)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::environment::Environment;

    fn changed(environment: &Environment, changes: &Value) -> Result<Arc<Settings>, SettingProblem> {
        environment.transact(|tx| change(tx, changes)).unwrap()
    }

    #[test]
    fn merges_and_goes_back_to_the_default() {
        let environment = Environment::for_tests();
        let changes = json!({"access_token_lifetime": 60, "password_policy": {"min_length": 4}, "interactive": "always"});
        let settings = changed(&environment, &changes).unwrap();
        assert_eq!(settings.access_token_lifetime, 60);
        assert_eq!(settings.password_policy.min_length, 4);
        assert!(settings.password_policy.reject_weak);
        let settings = changed(&environment, &json!({"access_token_lifetime": null})).unwrap();
        assert_eq!(settings.access_token_lifetime, 300);
        assert_eq!(environment.state().settings().interactive, Interactive::Always);
    }

    #[test]
    fn names_what_is_wrong_and_changes_nothing() {
        let environment = Environment::for_tests();
        for (changes, path) in [
            (json!({"colour": 1}), "colour"),
            (
                json!({"password_policy": {"length": 1}}),
                "password_policy.length",
            ),
            (
                json!({"password_policy": {"min_length": "x"}}),
                "password_policy.min_length",
            ),
            (json!({"interactive": "sometimes"}), "interactive"),
            (
                json!({"sign_up": false, "session_lifetime": -1}),
                "session_lifetime",
            ),
            (json!({"access_token_lifetime": 0}), "access_token_lifetime"),
            (json!({"issuer": "auth"}), "issuer"),
            (json!({"invitation_url": "/invite"}), "invitation_url"),
            (
                json!({"password_reset_url": "javascript:alert(1)"}),
                "password_reset_url",
            ),
            (
                json!({"connect": {"login_uri": "javascript:alert(1)"}}),
                "connect.login_uri",
            ),
            (json!({"branding": {"color": "red"}}), "branding.color"),
            (
                json!({"branding": {"logo_url": "https://a.example/x.png"}}),
                "branding.logo_url",
            ),
            (
                json!({"sign_in_methods": {"providers": ["GoogleOAuth", "google"]}}),
                "sign_in_methods.providers[1]",
            ),
            (
                json!({"sign_in_methods": {"providers": ["XeroOAuth", "XeroOAuth"]}}),
                "sign_in_methods.providers[1]",
            ),
            (json!({"webhook_retries": [1, "2"]}), "webhook_retries[1]"),
        ] {
            assert_eq!(changed(&environment, &changes).unwrap_err().path, path);
        }
        assert_eq!(environment.state().settings(), &Settings::default());
    }
}
