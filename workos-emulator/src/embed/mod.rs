//! The emulator inside a test or an example.

mod builder;
mod clock;
mod connect;
mod connection;
mod create;
mod directory;
mod environment;
mod error;
mod invitation;
mod mailbox;
mod sign_in;
mod totp;
mod webhooks;

use std::{fmt, net::SocketAddr, ops::Deref, thread};

use actix_web::dev::ServerHandle;

pub use self::{
    builder::EmulatorBuilder,
    clock::EmulatedClock,
    connect::{ConnectApplication, ConnectApplicationBuilder},
    connection::{Connection, ConnectionBuilder, SsoProfile},
    create::{Organization, OrganizationBuilder, Role, RoleBuilder, User, UserBuilder},
    directory::{Directory, DirectoryBuilder, DirectoryPerson},
    environment::EmulatedEnvironment,
    error::EmulatorError,
    invitation::{Invitation, InvitationBuilder},
    mailbox::{ExpectedMail, Mail, Mailbox},
    sign_in::SignedIn,
    webhooks::{EmittedEvent, Events, Webhooks},
};
use crate::seed::Seeded;

/// A running emulator. It stops when it is dropped.
///
/// It is also its default environment: [`user`](EmulatedEnvironment::user), [`clock`](EmulatedEnvironment::clock) and
/// all that an environment has can be called on it. Any number of emulators run in one process and know nothing of
/// each other; within one, [`environment`](EmulatedEnvironment::environment) makes isolated ones in less than a
/// millisecond.
///
/// ```
/// # async fn sign_in() -> Result<(), workos_emulator::EmulatorError> {
/// use std::time::Duration;
/// use workos_emulator::Emulator;
///
/// let emulator = Emulator::start().await?;
/// let acme = emulator.organization("Acme").domain("acme.example").create()?;
/// emulator.role("editor").permissions(["posts:write"]).create()?;
/// let alice = emulator
///     .user("alice@acme.example")
///     .password("correct horse battery staple")
///     .member_of(&acme, "editor")
///     .create()?;
/// let tokens = emulator.sign_in(&alice).await?;
/// assert_eq!(tokens.organization_id.as_ref(), Some(&acme.id));
/// emulator.clock().advance(Duration::from_secs(600));
/// // Point the app at it: emulator.url(), emulator.api_key(), emulator.client_id().
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(sign_in()).unwrap();
/// ```
#[derive(Debug)]
pub struct Emulator {
    environment: EmulatedEnvironment,
    address: SocketAddr,
    running: Running,
    seeded: Seeded,
}

/// The server's thread and how to stop it.
struct Running {
    handle: ServerHandle,
    runtime: tokio::runtime::Handle,
    thread: Option<thread::JoinHandle<()>>,
}

impl Emulator {
    /// Starts an emulator on a free port of the loopback address, with one empty environment.
    ///
    /// # Errors
    /// When no port is free or the server's threads cannot be started.
    pub async fn start() -> Result<Self, EmulatorError> {
        Self::builder().start().await
    }

    /// Sets up an emulator.
    ///
    /// ```
    /// # async fn seeded() -> Result<(), workos_emulator::EmulatorError> {
    /// let emulator = workos_emulator::Emulator::builder()
    ///     .seed("users: [{email: ann@acme.example, password: secret, email_verified: true}]")
    ///     .start()
    ///     .await?;
    /// assert_eq!(emulator.seeded()["users"], 1);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(seeded()).unwrap();
    /// ```
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::default()
    }

    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many of each thing the seed created, by the seed file's names: `users`, `organizations`, …
    #[must_use]
    pub fn seeded(&self) -> &std::collections::BTreeMap<&'static str, usize> {
        self.seeded.created()
    }

    /// What the seed names that was passed over, as `path: message`.
    #[must_use]
    pub fn seed_warnings(&self) -> &[String] {
        self.seeded.warnings()
    }

    /// Stops the emulator when the requests under way are answered, or after a second.
    pub async fn stop(self) {
        self.running.handle.stop(true).await;
    }
}

/// The default environment.
impl Deref for Emulator {
    type Target = EmulatedEnvironment;

    fn deref(&self) -> &EmulatedEnvironment {
        &self.environment
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Sending the command is enough: the future only waits for its outcome. The thread needs nothing of the caller's
        // runtime, so that waiting for it cannot hang; afterwards the port is free.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Running")
    }
}
