//! The fields of a form or of JSON, read within bounds: whoever sends slowly, or much, holds nothing up.

use std::time::Duration;

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    http::{StatusCode, header::CONNECTION},
    web::{Bytes, Payload, Query},
};
use serde::de::DeserializeOwned;

use super::refuse;

const MAX_BYTES: usize = 16 * 1024;
const TIMEOUT: Duration = Duration::from_secs(10);

/// What was sent, and whether by a form.
#[derive(Debug)]
pub(super) struct Fields<T> {
    pub(super) fields: T,
    pub(super) is_form: bool,
}

/// `None` for an empty body. A body that is too long, too slow, or no such fields is refused with 413, 408 or 400.
pub(super) async fn read<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: Payload,
) -> Result<Option<Fields<T>>, HttpResponse> {
    let body = collect(payload, TIMEOUT).await.map_err(|status| {
        let message = "The fields of the form did not arrive, or are too many.";
        let mut response = refuse(request, status, "invalid_request", message, ("/", "Back"));
        // The rest of it may be on its way still.
        response.headers_mut().insert(
            CONNECTION,
            actix_web::http::header::HeaderValue::from_static("close"),
        );
        response
    })?;
    if body.is_empty() {
        return Ok(None);
    }
    let is_form = request.content_type() == "application/x-www-form-urlencoded";
    let fields = if is_form {
        std::str::from_utf8(&body)
            .ok()
            .and_then(|text| Query::<T>::from_query(text).ok())
            .map(Query::into_inner)
    } else if request.content_type() == "application/json" {
        serde_json::from_slice(&body).ok()
    } else {
        None
    };
    let fields = fields.ok_or_else(|| {
        let message = "The fields are not understood: send them as a form or as JSON.";
        refuse(
            request,
            StatusCode::BAD_REQUEST,
            "invalid_request",
            message,
            ("/", "Back"),
        )
    })?;
    Ok(Some(Fields { fields, is_form }))
}

async fn collect(payload: Payload, timeout: Duration) -> Result<Bytes, StatusCode> {
    match tokio::time::timeout(timeout, payload.to_bytes_limited(MAX_BYTES)).await {
        Ok(Ok(Ok(body))) => Ok(body),
        Ok(Ok(Err(_))) => Err(StatusCode::BAD_REQUEST),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{FromRequest, dev, test::TestRequest};
    use futures_util::stream;

    use super::*;

    async fn payload(payload: dev::Payload) -> Payload {
        let request = TestRequest::post().to_http_request();
        let mut payload = payload;
        Payload::from_request(&request, &mut payload).await.unwrap()
    }

    #[actix_web::test]
    async fn a_body_that_never_ends_is_given_up() {
        let never = payload(dev::Payload::Stream {
            payload: Box::pin(stream::pending()),
        })
        .await;
        let given_up = collect(never, Duration::from_millis(1)).await;
        assert_eq!(given_up.unwrap_err(), StatusCode::REQUEST_TIMEOUT);
    }

    #[actix_web::test]
    async fn a_body_without_end_is_given_up_at_its_limit() {
        let chunk = || Ok(Bytes::from_static(&[b'a'; 1024]));
        let endless = payload(dev::Payload::Stream {
            payload: Box::pin(stream::repeat_with(chunk)),
        })
        .await;
        let given_up = collect(endless, TIMEOUT).await;
        assert_eq!(given_up.unwrap_err(), StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[actix_web::test]
    async fn a_body_that_breaks_off_is_a_bad_request() {
        let broken = payload(dev::Payload::Stream {
            payload: Box::pin(stream::iter([Err(actix_web::error::PayloadError::Incomplete(
                None,
            ))])),
        })
        .await;
        assert_eq!(
            collect(broken, TIMEOUT).await.unwrap_err(),
            StatusCode::BAD_REQUEST
        );
    }
}
