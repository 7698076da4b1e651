//! What may be a handler of events: an async function of the event, and of whatever else a request can be asked for.

use std::{future::Future, pin::Pin};

use actix_web::{Error, FromRequest, HttpRequest, dev::Payload};

use super::{Event, TypedEvent, Webhook, WebhookError};

/// Why a handler has failed. It is logged, and told to nobody.
pub(super) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a handler can take an event as: [`Webhook`], [`Event`], or a [`TypedEvent`] such as the SDK's
/// [`DsyncUserCreated`](workos::DsyncUserCreated).
pub trait FromWebhook: Sized {
    /// Reads the event.
    ///
    /// # Errors
    /// [`WebhookError::UnexpectedShape`].
    fn from_webhook(webhook: &Webhook) -> Result<Self, WebhookError>;
}

impl FromWebhook for Webhook {
    fn from_webhook(webhook: &Webhook) -> Result<Self, WebhookError> {
        Ok(webhook.clone())
    }
}

impl FromWebhook for Event {
    fn from_webhook(webhook: &Webhook) -> Result<Self, WebhookError> {
        webhook.typed()
    }
}

impl<E: TypedEvent> FromWebhook for E {
    fn from_webhook(webhook: &Webhook) -> Result<Self, WebhookError> {
        webhook.read()
    }
}

/// What a handler returns: nothing, or a `Result` whose error makes WorkOS deliver the event again.
pub trait HandlerOutcome {
    /// Whether the event was handled.
    ///
    /// # Errors
    /// Those of the handler.
    fn into_result(self) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;
}

impl HandlerOutcome for () {
    fn into_result(self) -> Result<(), Failure> {
        Ok(())
    }
}

impl<E: Into<Failure>> HandlerOutcome for Result<(), E> {
    fn into_result(self) -> Result<(), Failure> {
        self.map_err(Into::into)
    }
}

/// An async function of an event and up to six extractors, for [`WebhookHandlers`](crate::WebhookHandlers).
///
/// The extractors are Actix's, as in any handler: `web::Data<T>`, `HttpRequest`, extractors of your own. The body is read;
/// those that want it fail.
pub trait EventHandler<Args>: Send + Sync + 'static {
    /// What the event is taken as.
    type Event: FromWebhook;

    /// Reads the event, extracts the rest, and calls the function.
    fn handle(
        &self,
        webhook: &Webhook,
        request: &HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<(), Failure>>>>;
}

macro_rules! event_handler {
    ($($extractor:ident $value:ident)*) => {
        impl<F, E, O, $($extractor,)*> EventHandler<(E, $($extractor,)*)> for F
        where
            F: Fn(E, $($extractor,)*) -> O + Clone + Send + Sync + 'static,
            E: FromWebhook + 'static,
            O: Future<Output: HandlerOutcome> + 'static,
            $($extractor: FromRequest + 'static,)*
        {
            type Event = E;

            fn handle(
                &self,
                webhook: &Webhook,
                request: &HttpRequest,
            ) -> Pin<Box<dyn Future<Output = Result<(), Failure>>>> {
                let event = E::from_webhook(webhook);
                let rest = <($($extractor,)*)>::from_request(request, &mut Payload::None);
                let function = self.clone();
                Box::pin(async move {
                    let event = event?;
                    // The error of an extractor is bound to its thread; what it says is not.
                    let ($($value,)*) = rest.await.map_err(|error| Error::from(error).to_string())?;
                    function(event, $($value,)*).await.into_result()
                })
            }
        }
    };
}

event_handler!();
event_handler!(A a);
event_handler!(A a B b);
event_handler!(A a B b C c);
event_handler!(A a B b C c D d);
event_handler!(A a B b C c D d G g);
event_handler!(A a B b C c D d G g H h);
