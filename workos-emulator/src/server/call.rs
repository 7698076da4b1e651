//! A request, as operations see it.

use std::{net::IpAddr, sync::Arc};

use actix_web::http::header::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{body, error::ApiError, pagination, registry::Registry};
use crate::{environment::Environment, store::Page};

/// The query string, decoded once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(query: &str) -> Self {
        Self(
            url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The first value of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the parameter was sent, be it empty.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// All values of an array parameter, in each form that clients use: `a=1&a=2`, `a[]=1`, `a[0]=1`, `a=1,2`.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(key, _)| {
                key == name
                    || key
                        .strip_prefix(name)
                        .is_some_and(|rest| rest.starts_with('[') && rest.ends_with(']'))
            })
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .collect()
    }
}

/// One request to one operation.
#[derive(Debug)]
pub(crate) struct Call {
    /// All environments of this emulator.
    pub(crate) registry: Arc<Registry>,
    /// The environment that the API key or the client id names.
    pub(crate) environment: Arc<Environment>,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) peer: Option<IpAddr>,
    pub(super) params: Vec<(String, String)>,
    pub(super) body: Value,
    pub(super) request_id: String,
}

impl Call {
    /// The path parameter of this name; empty where the route has none.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value)
    }

    /// The body as `T`; what does not fit is a 422 that names the member.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        body::read(&self.body)
    }

    /// The body as it came.
    pub(crate) fn raw_body(&self) -> &Value {
        &self.body
    }

    /// The page of a list that is asked for.
    pub(crate) fn page(&self) -> Result<Page, ApiError> {
        pagination::page(&self.query)
    }

    /// A header's value, where it is readable text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The cookie of this name.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.headers
            .get_all("cookie")
            .filter_map(|header| header.to_str().ok())
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// The value of `X-Request-ID` in the answer to this call.
    pub(crate) fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Where the client reaches the emulator, without a trailing slash: `--public-url`, else the request's own host.
    pub(crate) fn base_url(&self) -> String {
        self.registry.public_url().unwrap_or_else(|| {
            let host = self.header("host").unwrap_or("localhost");
            let scheme = self
                .header("x-forwarded-proto")
                .filter(|scheme| *scheme == "https")
                .unwrap_or("http");
            format!("{scheme}://{host}")
        })
    }
}

#[cfg(test)]
impl Call {
    /// A call to an operation of `environment`, without HTTP.
    pub(crate) fn for_tests(
        environment: &Arc<Environment>,
        params: &[(&str, &str)],
        query: &str,
        body: Value,
    ) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            registry: Arc::new(Registry::new(
                Arc::clone(environment),
                super::registry::Options::default(),
            )),
            environment: Arc::clone(environment),
            query: Query::parse(query),
            headers: HeaderMap::new(),
            peer: None,
            params: params.iter().map(owned).collect(),
            body,
            request_id: "req_test".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_arrays_in_each_form() {
        for query in [
            "events=a,b",
            "events[]=a&events[]=b",
            "events=a&events=b",
            "events[0]=a&events[1]=b",
        ] {
            assert_eq!(Query::parse(query).all("events"), ["a", "b"], "{query}");
        }
        assert!(Query::parse("eventsx[]=a").all("events").is_empty());
    }
}
