//! A request, as operations see it.

use std::{fmt, net::IpAddr, sync::Arc};

use actix_web::http::header::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{body, error::ApiError, origin, pagination, registry::Registry};
use crate::{
    environment::Environment,
    store::{Page, Transaction},
};

/// All but the characters that are never encoded (RFC 3986 section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The query string, decoded once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    raw: String,
}

impl Query {
    pub(crate) fn parse(query: &str) -> Self {
        Self {
            pairs: url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            raw: query.to_owned(),
        }
    }

    /// The first value of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Names and values, in the order in which they were sent.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// All values of a parameter that may be repeated, as they are.
    pub(crate) fn every(&self, name: &str) -> Vec<&str> {
        let sent = self.pairs.iter().filter(|(key, _)| key == name);
        sent.map(|(_, value)| value.as_str()).collect()
    }

    /// Whether the parameter was sent, be it empty.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(key, _)| key == name)
    }

    /// The first value of this name, percent-encoded for another URL: the same bytes, whether they are UTF-8 or not.
    pub(crate) fn encoded(&self, name: &str) -> Option<String> {
        let pairs = self
            .raw
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let (_, value) = pairs.into_iter().find(|(key, _)| {
            url::form_urlencoded::parse(key.as_bytes())
                .next()
                .is_some_and(|(key, _)| key == name)
        })?;
        let value = value.replace('+', " ");
        let bytes: Vec<u8> = percent_decode_str(&value).collect();
        Some(percent_encode(&bytes, RESERVED).to_string())
    }

    /// The members of an object parameter: `a[name]=value`, in the order in which they were sent.
    pub(crate) fn object(&self, name: &str) -> Vec<(String, String)> {
        self.pairs
            .iter()
            .filter_map(|(key, value)| {
                let member = key.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']')?;
                Some((member.to_owned(), value.clone()))
            })
            .collect()
    }

    /// All values of an array parameter, in each form that clients use: `a=1&a=2`, `a[]=1`, `a[0]=1`, `a=1,2`.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.pairs
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

/// Shows no headers, query and body: API keys, codes and passwords stand in them.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("environment", &self.environment.id)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
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
        origin::base_url(&self.headers, &self.registry)
    }

    /// Runs a rule as [`Environment::transact`] does. The links in e-mails that it sends lead to where the client reaches the
    /// emulator.
    pub(crate) fn transact<T, E>(
        &self,
        rule: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.environment.transact_at(Some(&self.base_url()), rule)
    }

    /// Whether one of our own pages sent this, or no page at all.
    pub(crate) fn is_same_origin(&self) -> bool {
        origin::is_same_origin(&self.headers, &self.base_url())
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
    fn hands_on_the_very_bytes_of_a_value() {
        for (query, encoded) in [
            ("state=a%20b+c%2Bd", Some("a%20b%20c%2Bd")),
            ("x=1&st%61te=%ff%00%0d%0a&state=2", Some("%FF%00%0D%0A")),
            ("state=a=b=&x", Some("a%3Db%3D")),
            ("state", Some("")),
            ("xstate=1", None),
        ] {
            assert_eq!(
                Query::parse(query).encoded("state").as_deref(),
                encoded,
                "{query}"
            );
        }
    }

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

    #[test]
    fn reads_objects() {
        let query = Query::parse("p%5Bhd%5D=a.example&p[prompt]=select+account&px[a]=1&p=2&p[x&[y]=3");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            query.object("p"),
            [pair("hd", "a.example"), pair("prompt", "select account")]
        );
    }
}
