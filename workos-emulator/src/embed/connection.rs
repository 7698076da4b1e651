//! SSO connections of a test's set-up.

use super::{EmulatedEnvironment, EmulatorError};
use crate::{
    api::sso::connections::{self, ConnectionState, GroupRole, NewConnection, NewOidc},
    control::connections::{NewProfile, add_profile, usual_type},
    core::secret::Secret,
    server::error::ApiError,
};

/// An SSO connection that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connection {
    /// `conn_…`
    pub id: String,
    /// The name.
    pub name: String,
}

/// Somebody whom the identity provider of a connection knows.
#[derive(Debug, Clone)]
#[must_use = "give it to ConnectionBuilder::profile()"]
pub struct SsoProfile(NewProfile);

impl SsoProfile {
    /// Somebody with this address.
    pub fn new(email: impl Into<String>) -> Self {
        Self(NewProfile {
            email: email.into(),
            ..NewProfile::default()
        })
    }

    /// What the identity provider knows them by. Default: it follows from the address.
    pub fn idp_id(mut self, id: impl Into<String>) -> Self {
        self.0.idp_id = Some(id.into());
        self
    }

    /// The first name.
    pub fn first_name(mut self, name: impl Into<String>) -> Self {
        self.0.first_name = Some(name.into());
        self
    }

    /// The last name.
    pub fn last_name(mut self, name: impl Into<String>) -> Self {
        self.0.last_name = Some(name.into());
        self
    }

    /// A group at the identity provider. Once for each.
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.0.groups.push(name.into());
        self
    }

    /// A further attribute that the identity provider sends.
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.raw_attributes.insert(name.into(), value.into().into());
        self
    }
}

/// An SSO connection to be created. It is active, unless [`validating`](Self::validating) or [`inactive`](Self::inactive) says
/// otherwise, and the emulator's own page stands in for the identity provider.
///
/// As in production, the people whose address is at a verified domain of the organization sign in through its first
/// connection and in no other way, unless the organization has a policy that says otherwise.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use workos_emulator::{Emulator, SsoProfile};
///
/// let emulator = Emulator::start().await?;
/// let acme = emulator.organization("Acme").domain("acme.example").create()?;
/// let connection = emulator
///     .connection(&acme)
///     .connection_type("OktaSAML")
///     .profile(SsoProfile::new("ada@acme.example").first_name("Ada").group("Engineering"))
///     .create()?;
/// assert!(connection.id.starts_with("conn_"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "call create() to create the connection"]
pub struct ConnectionBuilder {
    environment: EmulatedEnvironment,
    new: NewConnection,
    oidc: Option<NewOidc>,
    profiles: Vec<NewProfile>,
}

impl ConnectionBuilder {
    pub(super) fn new(environment: EmulatedEnvironment, organization_id: &str) -> Self {
        Self {
            environment,
            new: NewConnection::active(Some(organization_id.to_owned()), "GenericSAML"),
            oidc: None,
            profiles: Vec::new(),
        }
    }

    /// The id, where it has to be a known one.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.new.id = Some(id.into());
        self
    }

    /// The name. Default: the organization's.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.new.name = Some(name.into());
        self
    }

    /// `OktaSAML`, `GenericOIDC`, … Default: `GenericSAML`.
    pub fn connection_type(mut self, kind: impl Into<String>) -> Self {
        self.new.connection_type = kind.into();
        self
    }

    /// It waits for its first sign-in, which makes it active.
    pub fn validating(mut self) -> Self {
        self.new.state = ConnectionState::Validating;
        self
    }

    /// Nobody can sign in through it.
    pub fn inactive(mut self) -> Self {
        self.new.state = ConnectionState::Inactive;
        self
    }

    /// A domain of the organization, which becomes verified.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.new.domains.push(domain.into());
        self
    }

    /// Gives the members of a group at the identity provider a role, by its slug.
    pub fn group_role(mut self, group: impl Into<String>, role: impl Into<String>) -> Self {
        self.new.group_roles.push(GroupRole {
            group: group.into(),
            role: role.into(),
        });
        self
    }

    /// Refuses sign-ins that begin at the identity provider.
    pub fn without_idp_initiated_sso(mut self) -> Self {
        self.new.idp_initiated_sso = false;
        self
    }

    /// Lets a real OpenID provider answer, instead of the stand-in: by the address of its discovery document, which ends with
    /// `/.well-known/openid-configuration`, and what WorkOS is known by there.
    ///
    /// The provider has to know the redirect URI `<emulator>/sso/oidc/<external key>/callback`, for which
    /// [`external_key`](Self::external_key) is given. An address at a name for examples (RFC 2606, `idp.example.com`) is left
    /// to the stand-in.
    pub fn oidc(
        mut self,
        discovery_endpoint: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> Self {
        if self.new.connection_type == usual_type(false) {
            self.new.connection_type = usual_type(true);
        }
        let secret = Secret::new(client_secret);
        self.oidc = Some(NewOidc::with_secret(
            discovery_endpoint.into(),
            client_id.into(),
            secret,
        ));
        self
    }

    /// What stands in the connection's addresses: 8 to 64 letters and digits. It is made unless given.
    pub fn external_key(mut self, key: impl Into<String>) -> Self {
        self.new.external_key = Some(key.into());
        self
    }

    /// Somebody whom the identity provider knows.
    pub fn profile(mut self, profile: SsoProfile) -> Self {
        self.profiles.push(profile.0);
        self
    }

    /// Creates the connection and the profiles, all or nothing.
    ///
    /// # Errors
    /// When there is no such type or role, the type is not one of OpenID Connect and a provider is given, an address or a
    /// domain is none, or another organization has the domain.
    pub fn create(self) -> Result<Connection, EmulatorError> {
        let created = self.environment.inner.transact(|tx| {
            if let Some(id) = &self.new.id
                && tx.connections.get(id).is_some()
            {
                let message = format!("The id '{id}' is used already.");
                return Err(ApiError::conflict("id_taken", message));
            }
            let connection = connections::create(tx, self.new.with_oidc(self.oidc)?)?;
            for profile in self.profiles {
                add_profile(tx, &connection, profile)?;
            }
            Ok(connection)
        });
        let connection = created.map_err(EmulatorError::refused("creating a connection"))?;
        Ok(Connection {
            id: connection.id.clone(),
            name: connection.name.clone(),
        })
    }
}
