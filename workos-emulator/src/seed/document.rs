//! Reading a seed file so that everything that is wrong with it is told at once.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// One thing that is wrong with a seed, and where.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    /// `users[0].email`
    pub(crate) path: String,
    pub(crate) message: String,
    /// What stands there.
    pub(crate) got: Option<Value>,
}

impl Problem {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
            got: None,
        }
    }

    pub(crate) fn got(mut self, value: impl Into<Value>) -> Self {
        self.got = Some(value.into());
        self
    }
}

/// `path: message (got: …)`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)?;
        match &self.got {
            Some(got) => write!(f, " (got: {got})"),
            None => Ok(()),
        }
    }
}

/// What was noticed while reading.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) problems: Vec<Problem>,
    /// `path: message`, of keys that are passed over.
    pub(super) warnings: Vec<String>,
}

/// The members of one object. What was not asked for when it is dropped is an unknown key.
pub(super) struct Fields<'a> {
    path: String,
    members: Map<String, Value>,
    report: &'a mut Report,
}

impl<'a> Fields<'a> {
    /// Reads `value`, which stands at `path`, as an object.
    pub(super) fn of<T>(
        value: Value,
        path: String,
        report: &'a mut Report,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> Option<T> {
        let Value::Object(members) = value else {
            let problem = Problem::new(or_document(&path), "must be an object").got(value);
            report.problems.push(problem);
            return None;
        };
        Some(read(&mut Fields {
            path,
            members,
            report,
        }))
    }

    /// The path of a member.
    fn at(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        self.members.remove(key).filter(|value| !value.is_null())
    }

    /// The path of the object itself.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn is_object(&self, key: &str) -> bool {
        self.members.get(key).is_some_and(Value::is_object)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.members.contains_key(key)
    }

    pub(super) fn problem(&mut self, key: &str, message: &str, got: Option<Value>) {
        let mut problem = Problem::new(self.at(key), message);
        problem.got = got;
        self.report.problems.push(problem);
    }

    /// A member that may be left out or null.
    pub(super) fn get<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let value = self.take(key)?;
        match serde_path_to_error::deserialize::<_, T>(&value) {
            Ok(read) => Some(read),
            Err(error) => {
                let inner = error.path().to_string();
                let path = match inner.as_str() {
                    "." => self.at(key),
                    inner if inner.starts_with('[') => format!("{}{inner}", self.at(key)),
                    inner => format!("{}.{inner}", self.at(key)),
                };
                let problem = Problem::new(path, error.into_inner().to_string());
                // Of a secret, its type is enough.
                let is_secret = [
                    "password",
                    "secret",
                    "client_secret",
                    "oidc_options",
                    "totp_secret",
                    "bearer_token",
                    "value",
                ]
                .contains(&key);
                self.report
                    .problems
                    .push(if is_secret { problem } else { problem.got(value) });
                None
            }
        }
    }

    /// A member that must be there.
    pub(super) fn expect<T: DeserializeOwned + Default>(&mut self, key: &str) -> T {
        if self.members.get(key).is_none_or(Value::is_null) {
            self.problem(key, "is required", None);
        }
        self.get(key).unwrap_or_default()
    }

    /// Text that must be there and not be blank.
    pub(super) fn required(&mut self, key: &str) -> String {
        let text: Option<String> = self
            .members
            .get(key)
            .and_then(|text| text.as_str())
            .map(str::to_owned);
        if text.is_some_and(|text| text.trim().is_empty()) {
            self.problem(key, "must not be empty", None);
        }
        self.expect::<String>(key).trim().to_owned()
    }

    /// An id that the seed pins: letters, digits, `_` and `-`.
    pub(super) fn id(&mut self, key: &str) -> Option<String> {
        let id: String = self.get(key)?;
        let fits = !id.is_empty()
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if !fits {
            self.problem(key, "must consist of letters, digits, _ and -", Some(id.into()));
            return None;
        }
        Some(id)
    }

    /// An e-mail address, trimmed: one @, neither first nor last, no whitespace.
    pub(super) fn email(&mut self, key: &str) -> String {
        let email = self.required(key);
        let shaped = email
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
        if !email.is_empty() && (!shaped || email.contains(char::is_whitespace)) {
            self.problem(key, "must be an e-mail address", Some(email.clone().into()));
        }
        email
    }

    /// A list of objects; each that is one is read.
    pub(super) fn list<T>(&mut self, key: &str, mut read: impl FnMut(&mut Fields<'_>) -> T) -> Vec<T> {
        let path = self.at(key);
        match self.take(key) {
            None => Vec::new(),
            Some(Value::Array(items)) => items
                .into_iter()
                .enumerate()
                .filter_map(|(at, item)| Fields::of(item, format!("{path}[{at}]"), self.report, &mut read))
                .collect(),
            Some(other) => {
                self.problem(key, "must be a list", Some(other));
                Vec::new()
            }
        }
    }

    /// An object that may be left out.
    pub(super) fn object<T>(&mut self, key: &str, read: impl FnOnce(&mut Fields<'_>) -> T) -> Option<T> {
        let path = self.at(key);
        let value = self.take(key)?;
        Fields::of(value, path, self.report, read)
    }

    /// The member as it stands, to be read by whoever knows it.
    pub(super) fn raw(&mut self, key: &str) -> Option<Value> {
        self.take(key)
    }

    /// Keys that the format has, of features that are not built yet.
    pub(super) fn not_served_yet(&mut self, keys: &[&str]) {
        for key in keys {
            if self.take(key).is_some() {
                let path = self.at(key);
                self.report.warnings.push(format!("{path}: not served yet"));
            }
        }
    }
}

impl Drop for Fields<'_> {
    fn drop(&mut self) {
        for (key, _) in std::mem::take(&mut self.members) {
            let path = self.at(&key);
            self.report
                .warnings
                .push(format!("{path}: unknown key, passed over"));
        }
    }
}

fn or_document(path: &str) -> &str {
    if path.is_empty() { "(document)" } else { path }
}
