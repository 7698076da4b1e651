//! A proxy between an app and its WorkOS: it counts what passes, holds it up, or breaks the connection.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use actix_web::{
    App, HttpRequest, HttpResponse,
    body::{BodySize, MessageBody},
    http::{StatusCode, header},
    web,
};
use serde_json::Value;
use tokio::sync::{Semaphore, watch};

use crate::{http, server};

/// Requests to `POST /user_management/authenticate`, by grant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Grants {
    pub(crate) codes: usize,
    pub(crate) refreshes: usize,
}

#[derive(Clone)]
pub(crate) struct Proxy(Arc<Inner>);

struct Inner {
    url: String,
    target: String,
    http: reqwest::Client,
    grants: watch::Sender<Grants>,
    broken: AtomicBool,
    /// Refreshes pass one by one while this has permits.
    gate: Semaphore,
}

const OPEN: usize = 10_000;

impl Proxy {
    /// A proxy for the server at this URL.
    pub(crate) fn start(target: &str) -> Self {
        let (listener, url) = server::listen();
        let proxy = Self(Arc::new(Inner {
            url,
            target: target.to_owned(),
            http: http::client(),
            grants: watch::Sender::default(),
            broken: AtomicBool::new(false),
            gate: Semaphore::new(OPEN),
        }));
        let shared = proxy.clone();
        server::serve(listener, 1, move || {
            App::new()
                .app_data(web::Data::new(shared.clone()))
                .default_service(web::to(forward))
        });
        proxy
    }

    pub(crate) fn url(&self) -> &str {
        &self.0.url
    }

    pub(crate) fn grants(&self) -> Grants {
        *self.0.grants.borrow()
    }

    /// From now on connections break before an answer is through, or no longer.
    pub(crate) fn break_connections(&self, broken: bool) {
        self.0.broken.store(broken, Ordering::SeqCst);
    }

    /// Holds refreshes up until [`release`](Self::release).
    pub(crate) fn hold(&self) {
        self.0.gate.forget_permits(OPEN);
    }

    pub(crate) fn release(&self) {
        self.0.gate.add_permits(OPEN);
    }

    /// Waits until so many refreshes have come.
    pub(crate) async fn refreshes_reach(&self, number: usize) {
        let mut grants = self.0.grants.subscribe();
        grants
            .wait_for(|grants| grants.refreshes >= number)
            .await
            .unwrap();
    }
}

async fn forward(request: HttpRequest, body: web::Bytes, proxy: web::Data<Proxy>) -> HttpResponse {
    let proxy = &proxy.0;
    if request.path() == "/user_management/authenticate" {
        let body: Value = serde_json::from_slice(&body).unwrap();
        let is_refresh = body["grant_type"] == "refresh_token";
        proxy.grants.send_modify(|grants| match is_refresh {
            true => grants.refreshes += 1,
            false => grants.codes += 1,
        });
        if is_refresh {
            drop(proxy.gate.acquire().await.unwrap());
        }
    }
    if proxy.broken.load(Ordering::SeqCst) {
        return HttpResponse::Ok().body(Broken);
    }
    let method = request.method().as_str().parse().unwrap();
    let url = format!("{}{}", proxy.target, request.uri());
    let mut outgoing = proxy.http.request(method, url).body(body);
    for (name, value) in request.headers() {
        if *name != header::CONTENT_LENGTH {
            outgoing = outgoing.header(name.as_str(), value.as_bytes());
        }
    }
    let Ok(answer) = outgoing.send().await else {
        return HttpResponse::Ok().body(Broken);
    };
    let mut response = HttpResponse::build(StatusCode::from_u16(answer.status().as_u16()).unwrap());
    for (name, value) in answer.headers() {
        response.append_header((name.as_str(), value.as_bytes()));
    }
    response.body(answer.bytes().await.unwrap())
}

/// A body that never comes.
struct Broken;

impl MessageBody for Broken {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(100)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<web::Bytes, io::Error>>> {
        Poll::Ready(Some(Err(io::Error::other("the connection broke"))))
    }
}
