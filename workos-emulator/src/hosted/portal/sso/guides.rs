//! What an administrator does at each identity provider, in the words that stand on its pages.
//!
//! Source: the guides of <https://workos.com/docs/integrations>. A provider without one of its own here has the guide of its
//! protocol.

use crate::api::sso::connection_type::{ConnectionType, Protocol};

/// How an application is set up at an identity provider.
#[derive(Debug)]
pub(super) struct Guide {
    /// How to come to where the addresses are asked for.
    pub(super) create: &'static [&'static str],
    /// What it calls the ACS URL, or the redirect URI.
    pub(super) reply_url: &'static str,
    /// What it calls the entity id of the service provider. Empty for OpenID Connect.
    pub(super) audience: &'static str,
    /// Who may sign in.
    pub(super) assign: &'static str,
    /// What it fills a field of the profile with.
    pub(super) sources: &'static [(&'static str, &'static str)],
    /// Where it shows what the last step asks for.
    pub(super) metadata: &'static str,
}

const ASSIGN: &str = "Assign the people or groups who are to sign in.";

const SAML: Guide = Guide {
    create: &["Create an application that signs people in by SAML 2.0."],
    reply_url: "ACS URL, or Reply URL",
    audience: "Audience, or SP entity ID",
    assign: ASSIGN,
    sources: &[],
    metadata: "Your identity provider shows its metadata where the application is set up: as an address, as a file to \
               download, or as separate values.",
};

const OIDC: Guide = Guide {
    create: &[
        "Create an application that signs people in by OpenID Connect: a web application, with the authorization code \
         grant.",
    ],
    reply_url: "Login redirect URI",
    audience: "",
    assign: ASSIGN,
    sources: &[],
    metadata: "Your identity provider shows client ID and client secret where the application is set up. The discovery \
               endpoint ends with /.well-known/openid-configuration.",
};

/// The guide for a kind of connection.
pub(super) fn guide(kind: &ConnectionType) -> &'static Guide {
    let own = GUIDES.iter().find(|(slug, _)| *slug == kind.slug);
    match own {
        Some((_, guide)) => guide,
        None if kind.protocol == Protocol::Oidc => &OIDC,
        None => &SAML,
    }
}

/// Whether a provider gives its metadata as a file alone.
pub(super) fn gives_files(kind: &ConnectionType) -> bool {
    matches!(kind.slug, "GoogleSAML" | "PingFederateSAML")
}

static GUIDES: [(&str, Guide); 13] = [
    (
        "ADFSSAML",
        Guide {
            create: &[
                "Open AD FS Management, and choose Relying Party Trusts, then Add Relying Party Trust.",
                "Choose Claims aware, and enter the data by hand.",
                "Turn on support for the SAML 2.0 WebSSO protocol.",
            ],
            reply_url: "Relying party SAML 2.0 SSO service URL",
            audience: "Relying party trust identifier",
            assign: "Choose an access control policy that permits the people who are to sign in.",
            sources: &[
                ("idp_id", "User-Principal-Name"),
                ("email", "E-Mail-Addresses"),
                ("first_name", "Given-Name"),
                ("last_name", "Surname"),
            ],
            metadata: "The metadata URL is https://your-server/FederationMetadata/2007-06/FederationMetadata.xml.",
        },
    ),
    (
        "Auth0SAML",
        Guide {
            create: &[
                "In the Auth0 dashboard, create a Regular Web Application.",
                "On its Addons tab, switch on SAML2 Web App.",
            ],
            reply_url: "Application Callback URL",
            audience: "audience, in the settings of the addon",
            assign: ASSIGN,
            sources: &[],
            metadata: "The Usage tab of the addon has the link Identity Provider Metadata.",
        },
    ),
    (
        "AzureSAML",
        Guide {
            create: &[
                "In the Entra admin center, open Enterprise applications and choose New application.",
                "Choose Create your own application, and integrate one that is not in the gallery.",
                "Under Manage, open Single sign-on and choose SAML. Edit the Basic SAML Configuration.",
            ],
            reply_url: "Reply URL (Assertion Consumer Service URL)",
            audience: "Identifier (Entity ID)",
            assign: "Under Users and groups, assign the people or groups who are to sign in.",
            sources: &[
                ("idp_id", "user.userprincipalname"),
                ("email", "user.mail"),
                ("first_name", "user.givenname"),
                ("last_name", "user.surname"),
            ],
            metadata: "Section 3 of Single sign-on, SAML Certificates, has the App Federation Metadata Url.",
        },
    ),
    (
        "EntraIdOIDC",
        Guide {
            create: &[
                "In the Entra admin center, open App registrations and choose New registration.",
                "Under Redirect URI, choose the platform Web.",
            ],
            reply_url: "Redirect URI",
            audience: "",
            assign: "In the enterprise application of the same name, assign the people or groups who are to sign in.",
            sources: &[],
            metadata: "Overview has the Application (client) ID; Certificates & secrets makes a client secret, whose value \
                       is shown once; Endpoints lists the OpenID Connect metadata document, which is the discovery \
                       endpoint.",
        },
    ),
    (
        "GoogleOIDC",
        Guide {
            create: &[
                "In the Google Cloud console, open APIs & Services, then Credentials.",
                "Create credentials of the kind OAuth client ID, for a Web application.",
            ],
            reply_url: "Authorized redirect URIs",
            audience: "",
            assign: "On the OAuth consent screen, make the application internal to your organization.",
            sources: &[],
            metadata: "Google shows client ID and client secret when the client is made. The discovery endpoint is \
                       https://accounts.google.com/.well-known/openid-configuration.",
        },
    ),
    (
        "GoogleSAML",
        Guide {
            create: &[
                "In the Google Admin console, open Apps, then Web and mobile apps.",
                "Choose Add app, then Add custom SAML app, and give it a name.",
                "Download the metadata on the next page: the last step here asks for the file.",
            ],
            reply_url: "ACS URL",
            audience: "Entity ID",
            assign: "Under User access, switch the app on for the people who are to sign in.",
            sources: &[
                ("email", "Primary email"),
                ("first_name", "First name"),
                ("last_name", "Last name"),
            ],
            metadata: "Google gives the metadata as a file: Download metadata, on the page of the app.",
        },
    ),
    (
        "JumpCloudSAML",
        Guide {
            create: &[
                "In the JumpCloud Admin Portal, open SSO Applications and add a Custom Application.",
                "Choose Manage Single Sign-On, with Configure SSO with SAML.",
            ],
            reply_url: "ACS URLs",
            audience: "SP Entity ID",
            assign: "On the User Groups tab, choose the groups who are to sign in.",
            sources: &[
                ("idp_id", "email"),
                ("email", "email"),
                ("first_name", "firstname"),
                ("last_name", "lastname"),
            ],
            metadata: "The SSO tab has the button Copy Metadata URL, and exports the metadata as a file.",
        },
    ),
    (
        "KeycloakSAML",
        Guide {
            create: &[
                "In the Keycloak admin console, open Clients and choose Create client.",
                "Choose the client type SAML.",
                "On the Keys tab, switch Client signature required off.",
            ],
            reply_url: "Valid redirect URIs, and Master SAML Processing URL",
            audience: "Client ID",
            assign: "Add a mapper for each of the attributes of the next step.",
            sources: &[],
            metadata: "Realm settings has the link SAML 2.0 Identity Provider Metadata: its address is the metadata URL.",
        },
    ),
    (
        "OktaOIDC",
        Guide {
            create: &[
                "In the Okta Admin Console, open Applications and choose Create App Integration.",
                "Choose OIDC – OpenID Connect, and Web Application.",
                "Leave the grant type Authorization Code on.",
            ],
            reply_url: "Sign-in redirect URIs",
            audience: "",
            assign: "On the Assignments tab, assign the people or groups who are to sign in.",
            sources: &[],
            metadata: "The General tab has client ID and client secret. The discovery endpoint is \
                       https://your-okta-domain/.well-known/openid-configuration.",
        },
    ),
    (
        "OktaSAML",
        Guide {
            create: &[
                "In the Okta Admin Console, open Applications and choose Create App Integration.",
                "Choose SAML 2.0, and give the application a name.",
            ],
            reply_url: "Single sign-on URL",
            audience: "Audience URI (SP Entity ID)",
            assign: "On the Assignments tab, assign the people or groups who are to sign in.",
            sources: &[
                ("idp_id", "user.id"),
                ("email", "user.email"),
                ("first_name", "user.firstName"),
                ("last_name", "user.lastName"),
            ],
            metadata: "The Sign On tab has the Metadata URL.",
        },
    ),
    (
        "OneLoginSAML",
        Guide {
            create: &[
                "In the OneLogin administration, open Applications and choose Add App.",
                "Search for SAML Custom Connector (Advanced), and save it.",
                "Open Configuration. The ACS (Consumer) URL Validator takes the same address.",
            ],
            reply_url: "ACS (Consumer) URL",
            audience: "Audience (EntityID)",
            assign: "Under Users, assign the application to the people who are to sign in.",
            sources: &[
                ("idp_id", "UUID"),
                ("email", "Email"),
                ("first_name", "First Name"),
                ("last_name", "Last Name"),
            ],
            metadata: "The SSO tab has the Issuer URL, which is the metadata URL. More Actions downloads the file.",
        },
    ),
    (
        "PingFederateSAML",
        Guide {
            create: &[
                "In PingFederate, open SP Connections and create a connection with the Browser SSO profile.",
                "Choose IdP-initiated and SP-initiated SSO.",
            ],
            reply_url: "Endpoint URL of the Assertion Consumer Service",
            audience: "Partner's Entity ID",
            assign: "Map an authentication source, and switch the connection on.",
            sources: &[],
            metadata: "SP Connections exports the metadata as a file: Export Metadata, in the list of actions.",
        },
    ),
    (
        "PingOneSAML",
        Guide {
            create: &[
                "In PingOne, open Applications and add one of the type SAML Application.",
                "Choose Manually Enter.",
            ],
            reply_url: "ACS URLs",
            audience: "Entity ID",
            assign: "On the Access tab, choose the groups who are to sign in, and switch the application on.",
            sources: &[
                ("idp_id", "User ID"),
                ("email", "Email Address"),
                ("first_name", "Given Name"),
                ("last_name", "Family Name"),
            ],
            metadata: "The Overview tab of the application has the IdP Metadata URL.",
        },
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::sso::connection_type::{CONNECTION_TYPES, by_slug};

    #[test]
    fn guides_are_of_federated_kinds_and_fit_their_protocols() {
        for (slug, _) in &GUIDES {
            assert!(by_slug(slug).is_some_and(ConnectionType::is_federated), "{slug}");
        }
        for kind in CONNECTION_TYPES.iter().filter(|kind| kind.is_federated()) {
            let is_saml = kind.protocol == Protocol::Saml;
            assert_eq!(guide(kind).audience.is_empty(), !is_saml, "{}", kind.slug);
        }
    }
}
