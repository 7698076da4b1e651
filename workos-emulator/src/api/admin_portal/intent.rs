//! What the Admin Portal is opened for.

use serde::{Deserialize, Serialize};

/// An intent. Source: <https://workos.com/docs/reference/admin-portal/portal-link/generate>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Intent {
    DomainVerification,
    Sso,
    Dsync,
    CertificateRenewal,
    AuditLogs,
    LogStreams,
    BringYourOwnKey,
}

impl Intent {
    /// Every intent, in the order in which the portal shows them.
    pub(crate) const ALL: [Self; 7] = [
        Self::DomainVerification,
        Self::Sso,
        Self::Dsync,
        Self::CertificateRenewal,
        Self::AuditLogs,
        Self::LogStreams,
        Self::BringYourOwnKey,
    ];

    /// As the API writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::DomainVerification => "domain_verification",
            Self::Sso => "sso",
            Self::Dsync => "dsync",
            Self::CertificateRenewal => "certificate_renewal",
            Self::AuditLogs => "audit_logs",
            Self::LogStreams => "log_streams",
            Self::BringYourOwnKey => "bring_your_own_key",
        }
    }
}

/// What a link knows of the setup beforehand.
///
/// Assumption: the published description lacks them; these are the members that newer SDKs send. Others are passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct IntentOptions {
    pub(crate) sso: SsoOptions,
    pub(crate) domain_verification: DomainVerificationOptions,
}

/// Options of `sso`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SsoOptions {
    /// The bookmark of the application in the identity provider.
    pub(crate) bookmark_slug: Option<String>,
    /// The connection type to set up, so that nobody has to choose.
    pub(crate) provider_type: Option<String>,
}

/// Options of `domain_verification`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct DomainVerificationOptions {
    /// The domain to verify, so that nobody has to type it.
    pub(crate) domain_name: Option<String>,
}
