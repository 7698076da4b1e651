//! What can go wrong with an embedded emulator.

use std::{fmt, io, time::Duration};

use crate::{seed::InvalidSeed, server::error::ApiError};

/// Why an emulator did not start, or did not do what it was asked. The messages say what to do about it; `Debug` prints
/// them too, as that is what a test shows that unwraps.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum EmulatorError {
    /// The address cannot be listened on: another program may have the port.
    #[error(
        "cannot listen on {address}: {source}. Is another program using the port? Port 0 takes a free one"
    )]
    Listen {
        /// What was to be listened on.
        address: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The server's thread could not be started or ended too early.
    #[error("cannot start the server: {0}")]
    Server(#[from] io::Error),
    /// The seed cannot be used. Nothing was started or changed.
    #[error(transparent)]
    Seed(#[from] InvalidSeed),
    /// An option of the builder is wrong.
    #[error("{option}: {reason}")]
    Option {
        /// The option's name, as the builder has it.
        option: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A rule of WorkOS refused it, as its API would have. Nothing was changed.
    #[error("{what} was refused: {message}{}", code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default())]
    Refused {
        /// What was asked for: `creating the user ann@acme.example`.
        what: String,
        /// The API's error code.
        code: Option<String>,
        /// The API's message, with the fields that are wrong.
        message: String,
    },
    /// What was waited for did not happen.
    #[error("no {what} within {waited:?}; {instead}")]
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long.
        waited: Duration,
        /// What happened instead.
        instead: String,
    },
}

impl fmt::Debug for EmulatorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl EmulatorError {
    pub(super) fn refused(what: impl Into<String>) -> impl FnOnce(ApiError) -> Self {
        let what = what.into();
        move |error| Self::Refused {
            what,
            code: error.code().map(str::to_owned),
            message: error.explanation(),
        }
    }
}
