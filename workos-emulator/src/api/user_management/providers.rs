//! The providers of social login: all that the emulator knows of each, in one table.
//!
//! Source: <https://workos.com/docs/authkit/social-login>, and the page of each provider behind it.

use super::authenticate::method::AuthenticationMethod;

/// A provider of social login.
#[derive(Debug)]
pub(crate) struct Provider {
    /// `authentication_method` of those who come through it.
    pub(crate) method: AuthenticationMethod,
    /// `provider` of an authorization request, and of `oauth_tokens`: the name of the method.
    pub(crate) slug: &'static str,
    /// What people call it.
    pub(crate) name: &'static str,
    /// `provider` of identities. GitHub's is spelled in another way there, in WorkOS's OpenAPI document and in its SDKs.
    pub(crate) identity: &'static str,
    /// What paths call it.
    pub(crate) path: &'static str,
    /// Whether it has made sure that an address is its user's own.
    ///
    /// Source: "Users signing in with Magic Auth, Google OAuth, Apple OAuth, or SSO are automatically verified"
    /// (<https://workos.com/docs/reference/authkit/email-verification>).
    pub(crate) verifies_email: bool,
    /// The OAuth scopes that AuthKit asks for by itself.
    scopes: &'static [&'static str],
    /// Whether an application can ask for more, by `provider_scopes`.
    takes_scopes: bool,
}

const OPENID: &[&str] = &["openid", "profile", "email"];

/// One that verifies no address, has the scopes of OpenID Connect and takes no others.
const fn provider(
    method: AuthenticationMethod,
    slug: &'static str,
    name: &'static str,
    path: &'static str,
) -> Provider {
    Provider {
        method,
        slug,
        name,
        identity: slug,
        path,
        verifies_email: false,
        scopes: OPENID,
        takes_scopes: false,
    }
}

/// Every `provider` of an authorization request but `authkit`, in alphabetical order.
///
/// Assumption: which scopes AuthKit asks for is documented for those of OpenID Connect alone; the others are what each
/// provider wants for a name and an address.
#[rustfmt::skip]
pub(crate) const PROVIDERS: [Provider; 13] = {
    use AuthenticationMethod as Method;
    [
        Provider { verifies_email: true, scopes: &["name", "email"], ..provider(Method::AppleOAuth, "AppleOAuth", "Apple", "apple") },
        Provider { scopes: &["account", "email"], ..provider(Method::BitbucketOAuth, "BitbucketOAuth", "Bitbucket", "bitbucket") },
        Provider { identity: "GithubOAuth", scopes: &["read:user", "user:email"], takes_scopes: true, ..provider(Method::GitHubOAuth, "GitHubOAuth", "GitHub", "github") },
        Provider { takes_scopes: true, ..provider(Method::GitLabOAuth, "GitLabOAuth", "GitLab", "gitlab") },
        Provider { verifies_email: true, takes_scopes: true, ..provider(Method::GoogleOAuth, "GoogleOAuth", "Google", "google") },
        provider(Method::IntuitOAuth, "IntuitOAuth", "Intuit", "intuit"),
        provider(Method::LinkedInOAuth, "LinkedInOAuth", "LinkedIn", "linkedin"),
        Provider { takes_scopes: true, ..provider(Method::MicrosoftOAuth, "MicrosoftOAuth", "Microsoft", "microsoft") },
        Provider { takes_scopes: true, ..provider(Method::SalesforceOAuth, "SalesforceOAuth", "Salesforce", "salesforce") },
        provider(Method::SlackOAuth, "SlackOAuth", "Slack", "slack"),
        provider(Method::VercelMarketplaceOAuth, "VercelMarketplaceOAuth", "Vercel Marketplace", "vercel-marketplace"),
        provider(Method::VercelOAuth, "VercelOAuth", "Vercel", "vercel"),
        Provider { takes_scopes: true, ..provider(Method::XeroOAuth, "XeroOAuth", "Xero", "xero") },
    ]
};

impl Provider {
    /// The scopes of a request: AuthKit's own, and those that the application asks for where it can.
    ///
    /// Assumption: `provider_scopes` of a provider that takes none are passed over.
    pub(crate) fn scopes(&self, wanted: &[String]) -> Vec<String> {
        let mut scopes: Vec<String> = self.scopes.iter().map(|scope| (*scope).to_owned()).collect();
        for scope in wanted.iter().filter(|_| self.takes_scopes) {
            if !scopes.contains(scope) {
                scopes.push(scope.clone());
            }
        }
        scopes
    }
}

/// The provider that an authorization request, a setting or a seed names. Identities' spelling is taken too.
pub(crate) fn by_slug(slug: &str) -> Option<&'static Provider> {
    PROVIDERS
        .iter()
        .find(|provider| provider.slug == slug || provider.identity == slug)
}

/// The provider of a path.
pub(crate) fn by_path(path: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|provider| provider.path == path)
}

/// The provider that people come through by this method.
pub(crate) fn by_method(method: AuthenticationMethod) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|provider| provider.method == method)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_slug_is_the_name_of_the_method() {
        for provider in &PROVIDERS {
            assert_eq!(json!(provider.method), provider.slug);
            assert_eq!(by_slug(provider.slug).unwrap().path, provider.path);
            assert_eq!(by_path(provider.path).unwrap().slug, provider.slug);
            assert_eq!(by_method(provider.method).unwrap().slug, provider.slug);
        }
        assert!(PROVIDERS.is_sorted_by_key(|provider| provider.slug));
        assert!(by_slug("authkit").is_none() && by_method(AuthenticationMethod::Password).is_none());
        assert_eq!(by_slug("GithubOAuth").unwrap().slug, "GitHubOAuth");
    }

    #[test]
    fn an_application_adds_scopes_where_the_provider_takes_them() {
        let wanted = ["repo".to_owned(), "user:email".to_owned()];
        let scopes = |slug: &str| by_slug(slug).unwrap().scopes(&wanted);
        assert_eq!(scopes("GitHubOAuth"), ["read:user", "user:email", "repo"]);
        assert_eq!(scopes("SlackOAuth"), ["openid", "profile", "email"]);
    }
}
