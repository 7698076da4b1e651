//! Setting up an emulator and starting it.

use std::{
    io,
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

use actix_web::{App, HttpServer, rt, web};
use rand::SeedableRng;
use serde_json::{Map, Value};

use super::{EmulatedEnvironment, Emulator, EmulatorError, Running};
use crate::{
    control::environments::{self, Start},
    core::{
        ids,
        keys::{KeyError, SigningKey},
        secret::Secret,
    },
    seed::{Seed, Seeded},
    server::{
        dispatch::{Server, dispatch},
        registry::{Options, Registry, Source},
        routes::Routes,
    },
    timers, webhooks,
};

/// Sets up an [`Emulator`].
///
/// What it says about keys, the issuer and hosted pages is about the default environment.
#[derive(Debug, Clone)]
#[must_use = "call start() to run it"]
pub struct EmulatorBuilder {
    host: String,
    port: u16,
    /// Has passwords and API keys.
    seed: Option<Secret>,
    settings: Map<String, Value>,
    signing_key: Option<Secret>,
    key_id: Option<String>,
    public_url: Option<String>,
    control_key: Option<Secret>,
}

impl Default for EmulatorBuilder {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 0,
            seed: None,
            settings: Map::new(),
            signing_key: None,
            key_id: None,
            public_url: None,
            control_key: None,
        }
    }
}

impl EmulatorBuilder {
    /// Listens on this port; 0, the default, takes a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Listens on this address. Default: `127.0.0.1`; `localhost` is that and, where there is one, `::1`.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// Starts with what this seed names: the text of a seed file, YAML or JSON, in the format of `@workos/emulate`.
    /// [`EmulatedEnvironment::reset`] comes back to it.
    pub fn seed(mut self, text: impl Into<String>) -> Self {
        self.seed = Some(Secret::new(text));
        self
    }

    /// Signs access tokens with this RSA private key (PEM). Default: a development key that is the same in every
    /// emulator, so that tokens survive a restart. It is public: such tokens are for development only.
    pub fn signing_key(mut self, pem: impl Into<String>) -> Self {
        self.signing_key = Some(Secret::new(pem));
        self
    }

    /// The `kid` of the [`signing_key`](Self::signing_key), or of the development key. Default: made from the key.
    pub fn key_id(mut self, key_id: impl Into<String>) -> Self {
        self.key_id = Some(key_id.into());
        self
    }

    /// The `iss` of access tokens. Default: `<base URL>/user_management/<client id>`.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.settings.insert("issuer".to_owned(), issuer.into().into());
        self
    }

    /// Shows the hosted sign-in page for every authorization request, not to browsers only.
    pub fn interactive(mut self, always: bool) -> Self {
        let interactive = if always { "always" } else { "auto" };
        self.settings.insert("interactive".to_owned(), interactive.into());
        self
    }

    /// Where clients reach the emulator, when it is not the host that they name: behind a proxy, in a container.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into().trim_end_matches('/').to_owned());
        self
    }

    /// Only who sends this key as `X-Emulate-Key` may use `/_emulate`. Default: whoever reaches the port.
    pub fn control_key(mut self, key: impl Into<String>) -> Self {
        self.control_key = Some(Secret::new(key));
        self
    }

    /// Starts the emulator. When it returns, seeding is done and requests are answered.
    ///
    /// # Errors
    /// When the port is taken, the seed or an option is wrong, or the server's threads cannot be started.
    pub async fn start(self) -> Result<Emulator, EmulatorError> {
        let seed = self.seed.as_ref().map(|text| Seed::read(text.expose()));
        let seed = seed.transpose()?;
        let public_url = self.checked_public_url()?;
        // Bound here, before the server's own thread runs: the address is known, and requests wait until it is seeded.
        let listeners = self.listeners()?;
        let Some(address) = listeners.first().map(TcpListener::local_addr).transpose()? else {
            return Err(io::Error::other("no address to listen on").into());
        };
        let (registry, seeded) = self.registry(seed.as_ref(), public_url.clone())?;
        let url =
            public_url.unwrap_or_else(|| format!("http://{}:{}", shown_host(&self.host), address.port()));
        let running = serve(listeners, Arc::clone(&registry)).await?;
        let environment = EmulatedEnvironment {
            inner: Arc::clone(registry.default_environment()),
            registry,
            url,
            runtime: running.runtime.clone(),
        };
        Ok(Emulator {
            environment,
            address,
            running,
            seeded,
        })
    }

    fn checked_public_url(&self) -> Result<Option<String>, EmulatorError> {
        let Some(url) = &self.public_url else {
            return Ok(None);
        };
        let is_http = url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if is_http {
            Ok(Some(url.clone()))
        } else {
            Err(EmulatorError::Option {
                option: "public_url",
                reason: format!("'{url}' is not a URL, like http://workos.internal:4100"),
            })
        }
    }

    fn checked_signing_key(&self) -> Result<Option<SigningKey>, EmulatorError> {
        let wrong = |error: KeyError| EmulatorError::Option {
            option: "signing_key",
            reason: error.to_string(),
        };
        let development = || SigningKey::development().to_pem().map(Secret::new);
        let pem = match (&self.signing_key, &self.key_id) {
            (Some(pem), _) => pem.clone(),
            (None, Some(_)) => development().map_err(wrong)?,
            (None, None) => return Ok(None),
        };
        let key = SigningKey::from_pem(pem.expose(), self.key_id.clone()).map_err(wrong)?;
        Ok(Some(key))
    }

    fn listeners(&self) -> Result<Vec<TcpListener>, EmulatorError> {
        let bind = |host: &str, port| {
            TcpListener::bind((host, port)).map_err(|source| EmulatorError::Listen {
                address: format!("{}:{port}", in_url(host)),
                source,
            })
        };
        if self.host != "localhost" {
            return Ok(vec![bind(&self.host, self.port)?]);
        }
        let first = bind("127.0.0.1", self.port)?;
        // Browsers and some clients try ::1 first; machines without IPv6 have no need for it.
        let second = bind("::1", first.local_addr()?.port());
        Ok([Some(first), second.ok()].into_iter().flatten().collect())
    }

    /// The default environment with its keys, settings and seed.
    fn registry(
        &self,
        seed: Option<&Seed>,
        public_url: Option<String>,
    ) -> Result<(Arc<Registry>, Seeded), EmulatorError> {
        let options = Options {
            source: Source::default(),
            public_url,
            control_key: self.control_key.clone(),
        };
        let environment = options
            .source
            .environment("default", Some("client_emulate".to_owned()));
        let settings = Value::Object(self.settings.clone());
        let start = Start {
            api_key: Some("sk_test_default"),
            signing_key: self.checked_signing_key()?,
            seed,
            settings: Some(&settings),
        };
        let seeded = environments::fill(&environment, start)?;
        let registry = Registry::new(Arc::new(environment), options);
        Ok((Arc::new(registry), seeded.summary()))
    }
}

/// Runs the server in a thread of its own, so that it works under any runtime of the caller, and outlives none of it.
async fn serve(listeners: Vec<TcpListener>, registry: Arc<Registry>) -> Result<Running, EmulatorError> {
    let server = web::Data::new(Server {
        registry: Arc::clone(&registry),
        routes: Routes::new(),
        request_ids: Mutex::new(rand::rngs::StdRng::from_rng(&mut ids::system_randomness())),
    });
    let deliveries = webhooks::deliver_all(Arc::clone(&registry));
    let timers = timers::watch_all(Arc::clone(&registry));
    let (ready, started) = tokio::sync::oneshot::channel();
    let thread = thread::Builder::new()
        .name("workos-emulator".to_owned())
        .spawn(move || {
            rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new()
                        .app_data(server.clone())
                        .default_service(web::to(dispatch))
                })
                .workers(1)
                .disable_signals()
                .shutdown_timeout(1);
                let listening = listeners.into_iter().try_fold(server, HttpServer::listen);
                match listening.map(HttpServer::run) {
                    Ok(server) => {
                        let _ = ready.send(Ok((server.handle(), tokio::runtime::Handle::current())));
                        // Deliveries end with the server; those under way are made again by the next start.
                        tokio::select! {
                            _ = server => {}
                            () = deliveries => {}
                            () = timers => {}
                        }
                    }
                    Err(error) => drop(ready.send(Err(error))),
                }
            });
        })?;
    let (handle, runtime) = started.await.map_err(io::Error::other)??;
    Ok(Running {
        handle,
        runtime,
        thread: Some(thread),
    })
}

/// The host as a URL has it: one that can be called, not the one that means "all of them".
fn shown_host(host: &str) -> String {
    match host {
        "0.0.0.0" | "::" => "localhost".to_owned(),
        host => in_url(host),
    }
}

fn in_url(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

impl From<environments::FillError> for EmulatorError {
    fn from(error: environments::FillError) -> Self {
        match error {
            environments::FillError::Seed(invalid) => Self::Seed(invalid),
            environments::FillError::Rule(error) => Self::refused("setting up an environment")(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Emulator;

    #[test]
    fn shows_no_secrets() {
        let builder = Emulator::builder()
            .seed("users: [{email: ann@acme.example, password: hush-hush}]")
            .signing_key("hush-hush")
            .control_key("hush-hush");
        assert!(!format!("{builder:?}").contains("hush-hush"));
    }
}
