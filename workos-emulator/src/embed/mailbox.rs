//! The e-mails of an environment.

use std::{pin::Pin, sync::Arc, time::Duration};

use super::{EmulatedEnvironment, EmulatorError};
use crate::{
    control::mailbox::{Wanted, described, instead, messages, next},
    mail::Message,
};

/// How long an e-mail is waited for unless it is said, in real time.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Every e-mail that WorkOS would have sent.
#[derive(Debug, Clone)]
pub struct Mailbox(pub(super) EmulatedEnvironment);

/// An e-mail. `Debug` shows neither its code nor its token.
#[derive(Debug, Clone)]
pub struct Mail(Arc<Message>);

/// An e-mail that is waited for: say which one, then `.await` it.
#[derive(Debug, Clone)]
#[must_use = "it waits only when it is awaited"]
pub struct ExpectedMail {
    environment: EmulatedEnvironment,
    to: String,
    kind: Option<String>,
    after: Option<String>,
    timeout: Duration,
}

impl Mailbox {
    /// All e-mails, newest first.
    #[must_use]
    pub fn all(&self) -> Vec<Mail> {
        self.wanted(Wanted::default())
    }

    /// E-mails to this address, newest first.
    #[must_use]
    pub fn to(&self, address: &str) -> Vec<Mail> {
        self.wanted(Wanted {
            to: Some(address),
            ..Wanted::default()
        })
    }

    /// The newest e-mail to this address.
    #[must_use]
    pub fn last_to(&self, address: &str) -> Option<Mail> {
        self.to(address).into_iter().next()
    }

    /// Waits for an e-mail to this address, which may be there already: then it is the newest. It is waited for five seconds
    /// of real time, unless [`timeout`](ExpectedMail::timeout) says otherwise.
    ///
    /// ```
    /// # async fn forgotten() -> Result<(), Box<dyn std::error::Error>> {
    /// let emulator = workos_emulator::Emulator::start().await?;
    /// emulator.user("ann@acme.example").create()?;
    /// // What an app does when somebody has forgotten their password:
    /// let request = reqwest::Client::builder().no_proxy().build()?
    ///     .post(format!("{}/user_management/password_reset", emulator.url()))
    ///     .bearer_auth(emulator.api_key())
    ///     .json(&serde_json::json!({"email": "ann@acme.example"}));
    /// request.send().await?;
    ///
    /// let mail = emulator.mailbox().wait_for("ann@acme.example").kind("password_reset").await?;
    /// assert!(mail.url().is_some_and(|url| url.starts_with(emulator.url())));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(forgotten()).unwrap();
    /// ```
    pub fn wait_for(&self, address: impl Into<String>) -> ExpectedMail {
        ExpectedMail {
            environment: self.0.clone(),
            to: address.into(),
            kind: None,
            after: None,
            timeout: TIMEOUT,
        }
    }

    fn wanted(&self, wanted: Wanted<'_>) -> Vec<Mail> {
        let found = messages(&self.0.inner.state(), wanted).unwrap_or_default();
        found.into_iter().map(Mail).collect()
    }
}

impl ExpectedMail {
    /// Only an e-mail of this kind: `magic_auth`, `email_verification`, `password_reset`, `invitation`, …
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// Only an e-mail that was sent after this one: the first of them.
    pub fn after(mut self, mail: &Mail) -> Self {
        self.after = Some(mail.id().to_owned());
        self
    }

    /// How long it is waited for, in real time.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            to: Some(&self.to),
            kind: self.kind.as_deref(),
            after: self.after.as_deref(),
        }
    }
}

/// Fails when no such e-mail is sent in time.
impl IntoFuture for ExpectedMail {
    type Output = Result<Mail, EmulatorError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (environment, expected) = (Arc::clone(&self.environment.inner), self.clone());
            let waiting = async move {
                let found = |state: &_| next(state, expected.wanted());
                environment.wait_for(expected.timeout, found).await
            };
            match self.environment.run(waiting).await? {
                Some(message) => Ok(Mail(message)),
                None => Err(EmulatorError::TimedOut {
                    what: described(self.wanted()),
                    waited: self.timeout,
                    instead: instead(&self.environment.inner.state()),
                }),
            }
        })
    }
}

impl Mail {
    /// `message_…`
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// What it is about: `magic_auth`, `email_verification`, `password_reset`, `invitation`, …
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.0.kind
    }

    /// The address that it was sent to.
    #[must_use]
    pub fn to(&self) -> &str {
        &self.0.to
    }

    /// Its subject.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// The code to type, where it has one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The token that its link carries, where it has one.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.0.token.as_deref()
    }

    /// The link to follow, where it has one.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The same as HTML.
    #[must_use]
    pub fn html(&self) -> &str {
        &self.0.html
    }
}
