//! The kinds of connections, and what they are called.

/// How a connection speaks to its identity provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Saml,
    Oidc,
    /// A provider of social login, for the whole environment.
    OAuth,
    /// WorkOS's own test identity provider, codes by e-mail, and what is not set up yet.
    Other,
}

/// A kind of connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ConnectionType {
    /// `connection_type`
    pub(crate) slug: &'static str,
    /// What people call the identity provider.
    pub(crate) name: &'static str,
    pub(crate) protocol: Protocol,
}

const fn of(slug: &'static str, name: &'static str, protocol: Protocol) -> ConnectionType {
    ConnectionType { slug, name, protocol }
}

/// Every value of `connection_type`. Source: `Connection` in WorkOS's OpenAPI document.
#[rustfmt::skip]
pub(crate) const CONNECTION_TYPES: [ConnectionType; 53] = {
    use Protocol::{OAuth, Oidc, Other, Saml};
    [
        of("ADFSSAML", "Microsoft AD FS", Saml),
        of("AdpOidc", "ADP", Oidc),
        of("AppleOAuth", "Apple", OAuth),
        of("Auth0Migration", "Auth0", Other),
        of("Auth0SAML", "Auth0", Saml),
        of("AzureSAML", "Microsoft Entra ID", Saml),
        of("BitbucketOAuth", "Bitbucket", OAuth),
        of("CasSAML", "CAS", Saml),
        of("ClassLinkSAML", "ClassLink", Saml),
        of("CleverOIDC", "Clever", Oidc),
        of("CloudflareSAML", "Cloudflare", Saml),
        of("CyberArkSAML", "CyberArk", Saml),
        of("DiscordOAuth", "Discord", OAuth),
        of("DuoSAML", "Duo", Saml),
        of("EntraIdOIDC", "Microsoft Entra ID", Oidc),
        of("GenericOIDC", "OpenID Connect provider", Oidc),
        of("GenericSAML", "SAML provider", Saml),
        of("GitHubOAuth", "GitHub", OAuth),
        of("GitLabOAuth", "GitLab", OAuth),
        of("GoogleOAuth", "Google", OAuth),
        of("GoogleOIDC", "Google Workspace", Oidc),
        of("GoogleSAML", "Google Workspace", Saml),
        of("GrokOAuth", "Grok", OAuth),
        of("IntuitOAuth", "Intuit", OAuth),
        of("JumpCloudSAML", "JumpCloud", Saml),
        of("KeycloakSAML", "Keycloak", Saml),
        of("LastPassSAML", "LastPass", Saml),
        of("LinkedInOAuth", "LinkedIn", OAuth),
        of("LoginGovOidc", "Login.gov", Oidc),
        of("MagicLink", "Magic Link", Other),
        of("MicrosoftOAuth", "Microsoft", OAuth),
        of("MiniOrangeSAML", "miniOrange", Saml),
        of("NetIqSAML", "NetIQ", Saml),
        of("OktaOIDC", "Okta", Oidc),
        of("OktaSAML", "Okta", Saml),
        of("OneLoginSAML", "OneLogin", Saml),
        of("OracleSAML", "Oracle", Saml),
        of("Pending", "Identity provider", Other),
        of("PingFederateSAML", "PingFederate", Saml),
        of("PingOneSAML", "PingOne", Saml),
        of("RipplingSAML", "Rippling", Saml),
        of("SalesforceOAuth", "Salesforce", OAuth),
        of("SalesforceSAML", "Salesforce", Saml),
        of("ShibbolethGenericSAML", "Shibboleth", Saml),
        of("ShibbolethSAML", "Shibboleth", Saml),
        of("SimpleSamlPhpSAML", "SimpleSAMLphp", Saml),
        of("SlackOAuth", "Slack", OAuth),
        of("TestIdp", "Test Identity Provider", Other),
        of("VMwareSAML", "VMware", Saml),
        of("VercelMarketplaceOAuth", "Vercel Marketplace", OAuth),
        of("VercelOAuth", "Vercel", OAuth),
        of("XOAuth", "X", OAuth),
        of("XeroOAuth", "Xero", OAuth),
    ]
};

/// What a connection is that nobody has said the kind of.
pub(crate) const PENDING: &str = "Pending";

/// The kind with this name; the list's filter and identities spell one of them `GithubOAuth`.
pub(crate) fn by_slug(slug: &str) -> Option<&'static ConnectionType> {
    let slug = if slug == "GithubOAuth" {
        "GitHubOAuth"
    } else {
        slug
    };
    CONNECTION_TYPES.iter().find(|known| known.slug == slug)
}

impl ConnectionType {
    /// Set up by hand, for an identity provider that WorkOS has no form for.
    pub(crate) fn is_custom(&self) -> bool {
        matches!(self.slug, "GenericSAML" | "GenericOIDC")
    }

    /// The kinds that an application, or an administrator, can make a connection of.
    pub(crate) fn is_federated(&self) -> bool {
        matches!(self.protocol, Protocol::Saml | Protocol::Oidc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_there_once_and_found() {
        assert!(CONNECTION_TYPES.is_sorted_by_key(|kind| kind.slug));
        for kind in &CONNECTION_TYPES {
            assert_eq!(by_slug(kind.slug), Some(kind));
            assert_eq!(kind.slug.ends_with("OAuth"), kind.protocol == Protocol::OAuth);
            assert_eq!(kind.slug.ends_with("SAML"), kind.protocol == Protocol::Saml);
        }
        assert_eq!(by_slug("GithubOAuth").map(|kind| kind.slug), Some("GitHubOAuth"));
        assert_eq!(by_slug("okta"), None);
    }
}
