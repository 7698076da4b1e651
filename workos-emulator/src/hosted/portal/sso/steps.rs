//! The steps of the setup, in their order, and how far a connection has come.

use super::{Visit, path};
use crate::{
    api::sso::connections::{Connection, ConnectionState},
    hosted::pages::portal::sso::WizardStep,
};

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// The application is made at the identity provider.
    Application,
    /// It sends what makes a profile.
    Attributes,
    /// WorkOS is told where the identity provider is.
    Configuration,
    /// Somebody signs in.
    Test,
}

impl Step {
    pub(super) const ALL: [Self; 4] = [
        Self::Application,
        Self::Attributes,
        Self::Configuration,
        Self::Test,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Application => "Application",
            Self::Attributes => "Attributes",
            Self::Configuration => "Configuration",
            Self::Test => "Test",
        }
    }

    pub(super) fn path(self, connection: &Connection) -> String {
        let step = match self {
            Self::Application => "application",
            Self::Attributes => "attributes",
            Self::Configuration => "configuration",
            Self::Test => "test",
        };
        format!("{}/{step}", path(connection))
    }
}

/// Where somebody goes on who comes back to a connection: none, if all is done.
///
/// Nobody is told what was done at the identity provider, so that a draft begins with the first step.
pub(super) fn next(connection: &Connection) -> Option<Step> {
    match connection.state {
        ConnectionState::RequiresType | ConnectionState::Draft => Some(Step::Application),
        ConnectionState::Validating => Some(Step::Test),
        ConnectionState::Active | ConnectionState::Inactive | ConnectionState::Deleting => None,
    }
}

/// Whether a sign-in can be tried.
pub(super) fn is_configured(connection: &Connection) -> bool {
    connection.state.is_linked()
}

/// The way, as seen from one of its steps.
pub(super) fn way(visit: &Visit<'_>, connection: &Connection, current: Step) -> Vec<WizardStep> {
    let step = |step: Step| {
        let done = match connection.state {
            ConnectionState::Active => true,
            ConnectionState::Validating => step < Step::Test,
            _ => step < current,
        };
        let open = step != Step::Test || is_configured(connection);
        WizardStep {
            name: step.name(),
            current: step == current,
            done: done && step != current,
            url: (open && step != current).then(|| visit.url(&step.path(connection))),
        }
    };
    Step::ALL.map(step).into()
}
