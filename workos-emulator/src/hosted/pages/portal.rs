//! The pages of the Admin Portal.

pub(crate) mod certificates;
pub(crate) mod sso;

use askama::Template;

use super::{Chrome, Form, PATH, TextField};

/// What frames every page of the portal.
pub(crate) struct Frame<'a> {
    pub(crate) organization: &'a str,
    /// Where the logo leads.
    pub(crate) return_url: Option<&'a str>,
    /// The page above this one, and its name.
    pub(crate) back: Option<(String, &'static str)>,
    /// Something is set up, so that the admin can finish.
    pub(crate) finish: bool,
    pub(crate) finish_action: &'a str,
    pub(crate) hidden: [(&'a str, &'a str); 2],
}

impl Frame<'_> {
    pub(crate) fn back_to(mut self, url: String, name: &'static str) -> Self {
        self.back = Some((url, name));
        self
    }
}

/// The steps of a setup.
#[derive(Template)]
#[template(path = "hosted/portal/overview.html")]
pub(crate) struct OverviewPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) frame: Frame<'a>,
    pub(crate) steps: &'a [StepRow],
}

/// A step of a setup.
pub(crate) struct StepRow {
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
    /// How far it has come, in a few words.
    pub(crate) progress: String,
    pub(crate) done: bool,
    pub(crate) url: String,
}

/// The end of a setup that leads nowhere else.
#[derive(Template)]
#[template(path = "hosted/portal/finished.html")]
pub(crate) struct FinishedPage<'a> {
    pub(crate) chrome: Chrome<'a>,
}

/// A step that the emulator does not serve.
#[derive(Template)]
#[template(path = "hosted/portal/not_served.html")]
pub(crate) struct NotServedPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) frame: Frame<'a>,
    pub(crate) title: &'a str,
    pub(crate) text: &'a str,
}

/// The domains of the organization. Posts `domain` and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/portal/domains.html")]
pub(crate) struct DomainsPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) frame: Frame<'a>,
    pub(crate) form: Form<'a>,
    pub(crate) domains: &'a [DomainRow<'a>],
    pub(crate) field: TextField<'a>,
}

/// A domain in a list.
pub(crate) struct DomainRow<'a> {
    pub(crate) domain: &'a str,
    pub(crate) state: &'static str,
    pub(crate) url: String,
}

/// A domain. Posts `decision` (`check`, `restart` or `remove`) and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/portal/domain.html")]
pub(crate) struct DomainPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) frame: Frame<'a>,
    pub(crate) form: Form<'a>,
    pub(crate) domain: &'a str,
    pub(crate) state: &'static str,
    pub(crate) txt_value: &'a str,
    /// Until it fails.
    pub(crate) days_left: i64,
    /// The record was just looked for, and not found.
    pub(crate) not_found: bool,
    /// Another organization has verified it.
    pub(crate) taken: bool,
    /// Publishes the record in the emulator.
    pub(crate) command: &'a str,
}

/// The directories of the organization. Without one, posts `provider` and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/portal/directories.html")]
pub(crate) struct DirectoriesPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) frame: Frame<'a>,
    pub(crate) form: Form<'a>,
    pub(crate) directories: &'a [DirectoryRow<'a>],
    pub(crate) providers: &'a [ProviderChoice<'a>],
    /// No provider was chosen.
    pub(crate) refused: bool,
}

/// A directory in a list.
pub(crate) struct DirectoryRow<'a> {
    pub(crate) name: &'a str,
    pub(crate) provider: &'a str,
    pub(crate) state: &'static str,
    pub(crate) linked: bool,
    pub(crate) url: String,
}

/// A provider to choose.
pub(crate) struct ProviderChoice<'a> {
    pub(crate) value: &'a str,
    pub(crate) name: &'a str,
}

/// A directory. Posts `decision` (`rotate` or `reset`) and the hidden fields.
#[derive(Template)]
#[template(path = "hosted/portal/directory.html")]
pub(crate) struct DirectoryPage<'a> {
    pub(crate) chrome: Chrome<'a>,
    pub(crate) frame: Frame<'a>,
    pub(crate) form: Form<'a>,
    pub(crate) name: &'a str,
    pub(crate) provider: &'a str,
    pub(crate) state: &'static str,
    pub(crate) linked: bool,
    /// Where the provider pushes, if it does.
    pub(crate) endpoint: Option<&'a str>,
    /// What it pushes with: shown this once.
    pub(crate) token: Option<&'a str>,
    pub(crate) token_suffix: &'a str,
    pub(crate) user_count: u64,
    /// The first of them.
    pub(crate) users: &'a [Synced],
    pub(crate) group_count: u64,
    pub(crate) groups: &'a [Synced],
}

/// A user or a group that has come from the provider.
pub(crate) struct Synced {
    pub(crate) name: String,
    pub(crate) detail: String,
}
