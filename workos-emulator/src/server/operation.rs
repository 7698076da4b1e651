//! An operation: method, path, name (the official SDK's), function, and who may call it.

use std::{fmt, pin::Pin};

use super::{call::Call, error::ApiError, reply::Reply};

/// How an operation finds its environment, and who may call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// `Authorization: Bearer sk_…`
    ApiKey,
    /// Anybody; a client id says which environment is meant.
    Client,
    /// `/scim`: an identity provider, with a bearer token of the directory that the path names.
    Directory,
    /// `/_emulate`: anybody, or who has the control key.
    Control,
    /// A page that shows what the control API has, to the same people; `?environment=` says which environment is meant.
    Page,
}

/// An answer that comes later.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Result<Reply, ApiError>>>>;

/// The function of an operation.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    /// Runs at once.
    Quick(fn(&Call) -> Result<Reply, ApiError>),
    /// Takes milliseconds, and runs aside.
    Slow(fn(&Call) -> Result<Reply, ApiError>),
    /// Answers when something has happened, and holds up nothing until then.
    Waiting(fn(Call) -> Answer),
    /// Answers 501.
    NotBuilt,
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quick(_) => "Quick",
            Self::Slow(_) => "Slow",
            Self::Waiting(_) => "Waiting",
            Self::NotBuilt => "NotBuilt",
        })
    }
}

/// One operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) name: &'static str,
    pub(crate) access: Access,
    /// Pages of the environment's CORS origins may call it: [`cors`](super::cors).
    pub(crate) cross_origin: bool,
    /// It takes a form with files as well.
    pub(crate) uploads: bool,
    /// What it is asked for is gone then, so that `HEAD` does not run it.
    pub(crate) single_use: bool,
    pub(crate) handler: Handler,
}

type Function = fn(&Call) -> Result<Reply, ApiError>;

const fn operation(
    method: &'static str,
    path: &'static str,
    name: &'static str,
    handler: Handler,
) -> Operation {
    Operation {
        method,
        path,
        name,
        access: Access::ApiKey,
        cross_origin: false,
        uploads: false,
        single_use: false,
        handler,
    }
}

pub(crate) const fn get(path: &'static str, name: &'static str, function: Function) -> Operation {
    operation("GET", path, name, Handler::Quick(function))
}

pub(crate) const fn post(path: &'static str, name: &'static str, function: Function) -> Operation {
    operation("POST", path, name, Handler::Quick(function))
}

pub(crate) const fn put(path: &'static str, name: &'static str, function: Function) -> Operation {
    operation("PUT", path, name, Handler::Quick(function))
}

pub(crate) const fn patch(path: &'static str, name: &'static str, function: Function) -> Operation {
    operation("PATCH", path, name, Handler::Quick(function))
}

pub(crate) const fn delete(path: &'static str, name: &'static str, function: Function) -> Operation {
    operation("DELETE", path, name, Handler::Quick(function))
}

/// Answers when something has happened.
pub(crate) const fn waiting(
    path: &'static str,
    name: &'static str,
    function: fn(Call) -> Answer,
) -> Operation {
    operation("GET", path, name, Handler::Waiting(function))
}

/// The same for a form that makes the emulator ask somebody else.
pub(crate) const fn post_waiting(
    path: &'static str,
    name: &'static str,
    function: fn(Call) -> Answer,
) -> Operation {
    operation("POST", path, name, Handler::Waiting(function))
}

/// Answers 501 by name.
pub(crate) const fn not_built(method: &'static str, path: &'static str, name: &'static str) -> Operation {
    operation(method, path, name, Handler::NotBuilt)
}

impl Operation {
    /// Needs no API key: the client id says which environment is meant.
    pub(crate) const fn client(mut self) -> Self {
        self.access = Access::Client;
        self
    }

    /// Called from the pages of other sites, by SDKs for browsers.
    pub(crate) const fn cross_origin(mut self) -> Self {
        self.cross_origin = true;
        self
    }

    /// Takes a form with files: a page of our own sends it.
    pub(crate) const fn uploads(mut self) -> Self {
        self.uploads = true;
        self
    }

    /// Uses up what its address holds. Whoever only looks whether a link is good, as programs do that read mail, leaves it
    /// good.
    pub(crate) const fn single_use(mut self) -> Self {
        self.single_use = true;
        self
    }

    /// Part of SCIM.
    pub(crate) const fn directory(mut self) -> Self {
        self.access = Access::Directory;
        self
    }

    /// Part of the control API.
    pub(crate) const fn control(mut self) -> Self {
        self.access = Access::Control;
        self
    }

    /// A page for those who may call the control API.
    pub(crate) const fn page(mut self) -> Self {
        self.access = Access::Page;
        self
    }

    /// Hashes a password, or takes long for another reason.
    pub(crate) const fn slow(mut self) -> Self {
        if let Handler::Quick(function) = self.handler {
            self.handler = Handler::Slow(function);
        }
        self
    }
}
