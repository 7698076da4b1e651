//! The emulator inside a test or an example.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    thread,
};

use actix_web::{App, HttpServer, dev::ServerHandle, rt, web};

use crate::{
    api::authorization::roles,
    core::{clock, ids},
    environment::Environment,
    server::{
        api_key::SecretKey,
        dispatch::{Server, dispatch},
        registry::{Options, Registry},
        routes::Routes,
    },
    webhooks,
};

/// A running emulator. It stops when it is dropped.
#[derive(Debug)]
pub struct Emulator {
    address: SocketAddr,
    handle: ServerHandle,
    thread: Option<thread::JoinHandle<()>>,
    registry: Arc<Registry>,
}

/// Why an emulator did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened on: another program may have the port.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// What was to be listened on.
        address: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The server could not be set up.
    #[error("cannot start the server: {0}")]
    Server(#[from] io::Error),
}

/// Sets up an [`Emulator`].
#[derive(Debug, Clone)]
#[must_use = "call start() to run it"]
pub struct EmulatorBuilder {
    host: String,
    port: u16,
    workers: usize,
}

impl Default for EmulatorBuilder {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 0,
            workers: 1,
        }
    }
}

impl EmulatorBuilder {
    /// Listens on this port; 0, the default, takes a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Starts the emulator.
    ///
    /// # Errors
    /// When the port is taken or the server's threads cannot be started.
    pub async fn start(self) -> Result<Emulator, StartError> {
        let at = (self.host.as_str(), self.port);
        let listen = |source| StartError::Listen {
            address: format!("{}:{}", self.host, self.port),
            source,
        };
        // Bound here, before the server's own thread runs: the address is known, and requests wait instead of failing.
        let listener = TcpListener::bind(at).map_err(listen)?;
        let address = listener.local_addr()?;
        let environment = Environment::new(
            "default",
            Some("client_emulate".to_owned()),
            clock::system_time(),
            ids::system_randomness(),
        );
        environment
            .transact(|tx| {
                tx.put(SecretKey::new("sk_test_default"))?;
                roles::seed_defaults(tx)
            })
            .map_err(io::Error::other)?;
        let registry = Arc::new(Registry::new(Arc::new(environment), Options::default()));
        let server = web::Data::new(Server {
            registry: Arc::clone(&registry),
            routes: Routes::new(),
            request_ids: Mutex::new(ids::system_randomness()),
        });
        let deliveries = webhooks::deliver_all(Arc::clone(&registry));
        let (ready, started) = tokio::sync::oneshot::channel();
        let workers = self.workers;
        // A thread of its own, so that it works under any runtime of the caller, and outlives none of it.
        let thread = thread::Builder::new()
            .name("workos-emulator".to_owned())
            .spawn(move || {
                rt::System::new().block_on(async move {
                    let running = HttpServer::new(move || {
                        App::new()
                            .app_data(server.clone())
                            .default_service(web::to(dispatch))
                    })
                    .workers(workers)
                    .disable_signals()
                    .shutdown_timeout(1)
                    .listen(listener)
                    .map(HttpServer::run);
                    match running {
                        Ok(running) => {
                            let _ = ready.send(Ok(running.handle()));
                            // Deliveries end with the server; those under way are made again by the next start.
                            tokio::select! {
                                _ = running => {}
                                () = deliveries => {}
                            }
                        }
                        Err(error) => drop(ready.send(Err(error))),
                    }
                });
            })?;
        let handle = started.await.map_err(io::Error::other)??;
        Ok(Emulator {
            address,
            handle,
            thread: Some(thread),
            registry,
        })
    }
}

impl Emulator {
    /// Starts an emulator on a free port of the loopback address, with one empty environment.
    ///
    /// # Errors
    /// When no port is free or the server's threads cannot be started.
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// Sets up an emulator.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::default()
    }

    /// The base URL, without a trailing slash: `http://127.0.0.1:49152`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // Sending the command is enough: the future only waits for its outcome.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
