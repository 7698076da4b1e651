//! What the WorkOS dashboard configures for all directories of an environment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Whose rules the SCIM endpoint follows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ScimProfile {
    /// WorkOS's own, on top of the RFC.
    #[default]
    WorkOs,
    /// RFC 7644 alone.
    Rfc7644,
}

/// What becomes of a user who turns inactive. Source: <https://workos.com/docs/directory-sync/handle-inactive-users>.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum InactiveUsers {
    /// "Secure flow": the user is deleted.
    #[default]
    Delete,
    /// "Custom management flow": the user stays, as `inactive`.
    Keep,
}

/// An attribute that WorkOS maps by itself. Source: <https://workos.com/docs/directory-sync/attributes>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PredefinedAttribute {
    Addresses,
    CostCenterName,
    DepartmentName,
    DivisionName,
    Emails,
    EmployeeNumber,
    EmployeeType,
    EmploymentStartDate,
    JobTitle,
    ManagerEmail,
    Organization,
    Username,
}

/// Directory Sync as an environment has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DirectorySync {
    pub(crate) inactive_users: InactiveUsers,
    /// The predefined attributes that `custom_attributes` has. None, as in production, until turned on.
    pub(crate) predefined_attributes: Vec<PredefinedAttribute>,
    /// Further members of `custom_attributes`, and where in the provider's attributes they stand: `title`, `name.givenName`,
    /// `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department`.
    pub(crate) custom_attributes: BTreeMap<String, String>,
    /// Directory users become AuthKit users and members of their organization. Off, as in production. Source:
    /// <https://workos.com/docs/authkit/directory-provisioning>.
    pub(crate) provisioning: bool,
    /// Users are listed four times a second at most, for each directory, as in production. Off: under a clock that stands
    /// still there would be no fifth time. Source: <https://workos.com/docs/reference/rate-limits>.
    pub(crate) rate_limit: bool,
}
