//! What each hosted page shows. The templates escape every text, so any field may hold what a stranger typed; fields
//! named `…_url`, [`Form::action`] and [`SignedOutPage::return_to`] become links and have to be checked before.
//!
//! The pages load a style sheet and nothing else, run no script and carry no inline style: they work under
//! `default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'`. Those that have
//! to do with [`passkey`]s load a script as well.

pub(crate) mod another_way;
pub(crate) mod code;
pub(crate) mod consent;
pub(crate) mod device;
pub(crate) mod forgot_password;
pub(crate) mod invitation;
pub(crate) mod mailbox;
pub(crate) mod mfa;
pub(crate) mod passkey;
pub(crate) mod portal;
pub(crate) mod provider;
pub(crate) mod reset_password;
pub(crate) mod sso;
pub(crate) mod waitlist;

use std::borrow::Cow;

use askama::Template;

use self::{passkey::PasskeyChoice, provider::ProviderButtons};
use super::{brand::initials, style::PATH};

/// What frames every page.
#[derive(Clone, Debug)]
pub(crate) struct Chrome<'a> {
    /// The language of the page, as a BCP 47 tag.
    pub(crate) lang: &'a str,
    /// The name of the environment, which stands for the application that a person signs in to.
    pub(crate) environment: Cow<'a, str>,
    /// A `data:image/…` URI, in place of the name's initials.
    pub(crate) logo: Option<String>,
    /// The path of the style sheet with the environment's own colour.
    pub(crate) brand_style: Option<String>,
}

impl Chrome<'_> {
    fn initials(&self) -> String {
        initials(&self.environment)
    }
}

/// Where a form goes, and what it takes along unseen.
#[derive(Clone, Copy, Default)]
pub(crate) struct Form<'a> {
    /// The path that takes the form as `application/x-www-form-urlencoded`.
    pub(crate) action: &'a str,
    /// Names and values that bind the form to its sign-in, such as `authorization_session_id`.
    pub(crate) hidden: &'a [(&'a str, &'a str)],
}

/// A text control: what it holds, and what is wrong with that.
#[derive(Clone, Copy, Default)]
pub(crate) struct TextField<'a> {
    /// The text a person typed before, or an application gave as a hint. Never shown again in a password field.
    pub(crate) value: &'a str,
    /// Sentences, shown below the control. None: nothing is wrong.
    pub(crate) problems: &'a [String],
}

impl<'a> TextField<'a> {
    /// A control that holds `value`, with which nothing is wrong.
    pub(crate) const fn filled(value: &'a str) -> Self {
        Self { value, problems: &[] }
    }

    /// An empty control with `problems`: a password is asked again.
    const fn refused(problems: &'a [String]) -> Self {
        Self { value: "", problems }
    }
}

/// The beginning of a sign-in. Posts `email` and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/sign_in.html")]
pub(crate) struct SignInPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    /// Who invites to what, where the sign-in is made with an invitation.
    pub(crate) invitation: Option<&'a str>,
    pub(crate) form: Form<'a>,
    /// Filled in before: `login_hint`, or what was typed.
    pub(crate) email: &'a str,
    /// Why the attempt was refused.
    pub(crate) error: Option<&'a str>,
    /// For who has no account: the address, and what its link says. None where people may not sign up.
    pub(crate) sign_up: Option<(&'a str, &'a str)>,
    /// None where passkeys are off.
    pub(crate) passkey: Option<PasskeyChoice<'a>>,
    pub(crate) providers: ProviderButtons<'a>,
    /// A way is on that begins with the e-mail address.
    pub(crate) by_email: bool,
}

impl SignInPage<'_> {
    /// Nobody can sign in: every way is switched off.
    fn is_closed(&self) -> bool {
        !self.by_email && self.passkey.is_none() && self.providers.buttons.is_empty()
    }
}

/// The password of the person who gave their e-mail address. Posts `password` and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/password.html")]
pub(crate) struct PasswordPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) form: Form<'a>,
    pub(crate) email: &'a str,
    /// Why the attempt was refused. The text must be the same for a wrong password and an unknown e-mail.
    pub(crate) error: Option<&'a str>,
    pub(crate) forgot_password_url: &'a str,
    /// None where passkeys are off.
    pub(crate) passkey: Option<PasskeyChoice<'a>>,
    /// Asks for the e-mail address again.
    pub(crate) sign_in_url: &'a str,
    /// Sends a code to sign in with instead, by `decision=code`. None where there is no such way in.
    pub(crate) code_form: Option<Form<'a>>,
}

/// Sign-up with a password or with a code. Posts `first_name`, `last_name` (both may be empty), `email`, `password` or
/// `decision=code`, and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/sign_up.html")]
pub(crate) struct SignUpPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    /// Who invites to what, where the sign-up is made with an invitation.
    pub(crate) invitation: Option<&'a str>,
    /// The invited address, which the link has verified, and whether another one may be used. Then `email` is not asked.
    pub(crate) invited_email: Option<(&'a str, bool)>,
    pub(crate) form: Form<'a>,
    /// Why the attempt was refused, when that is not about one field.
    pub(crate) error: Option<&'a str>,
    pub(crate) first_name: TextField<'a>,
    pub(crate) last_name: TextField<'a>,
    pub(crate) email: TextField<'a>,
    /// Whether there are passwords, and whether there are codes. Without either, people come through providers alone.
    pub(crate) with_password: bool,
    pub(crate) with_code: bool,
    /// What the password policy found.
    pub(crate) password_problems: &'a [String],
    /// What the password policy asks for, in a short sentence.
    pub(crate) password_hint: &'a str,
    pub(crate) sign_in_url: &'a str,
    pub(crate) providers: ProviderButtons<'a>,
}

impl SignUpPage<'_> {
    fn is_refused(&self) -> bool {
        self.error.is_some() || !self.refused_fields().is_empty()
    }

    /// The names and labels of the fields that have problems, in the order of the page.
    fn refused_fields(&self) -> Vec<(&'static str, &'static str)> {
        [
            ("first_name", "First name", self.first_name.problems),
            ("last_name", "Last name", self.last_name.problems),
            ("email", "Email", self.email.problems),
            ("password", "Password", self.password_problems),
        ]
        .into_iter()
        .filter(|(_, _, problems)| !problems.is_empty())
        .map(|(name, label, _)| (name, label))
        .collect()
    }
}

/// The choice between the organizations of a person. Posts `organization_id` and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/organization.html")]
pub(crate) struct OrganizationPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) form: Form<'a>,
    /// Who is signing in.
    pub(crate) email: &'a str,
    /// In the order to show them.
    pub(crate) organizations: &'a [OrganizationChoice<'a>],
    /// Starts the sign-in again, as somebody else.
    pub(crate) sign_in_url: &'a str,
}

/// An organization to choose.
#[derive(Clone, Copy)]
pub(crate) struct OrganizationChoice<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
}

impl OrganizationChoice<'_> {
    fn initials(&self) -> String {
        initials(self.name)
    }
}

/// The end of a session.
#[derive(Template)]
#[template(path = "hosted/signed_out.html")]
pub(crate) struct SignedOutPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    /// Where the application lives. Must be an address that the environment allows.
    pub(crate) return_to: Option<&'a str>,
    /// The environment names no address to go to after a sign-out.
    pub(crate) leads_nowhere: bool,
}

/// A request that cannot go on and must not be sent back to the application. Says enough to mend it.
#[derive(Template)]
#[template(path = "hosted/error.html")]
pub(crate) struct ErrorPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    /// The problem in a few words, such as "This redirect URI is not registered".
    pub(crate) title: &'a str,
    /// What was asked, with the value that was refused.
    pub(crate) what_happened: &'a str,
    /// The rule that refused it.
    pub(crate) why: &'a str,
    /// What the developer changes so that it works.
    pub(crate) what_to_do: &'a str,
    /// The change as code: a line of the seed file, or a command.
    pub(crate) example: Option<&'a str>,
    /// As in the `X-Request-ID` header of the answer.
    pub(crate) request_id: &'a str,
}

#[cfg(test)]
mod tests;
