//! `apiKeys`: keys that open the API of the environment.

use jiff::Timestamp;
use serde_json::Value;

use super::super::document::Fields;
use crate::core::secret::Secret;

/// A key that may call the API, and that may belong to an organization or its user as well.
#[derive(Debug, Clone)]
pub(in super::super) struct SeedApiKey {
    pub(in super::super) path: String,
    pub(in super::super) name: String,
    pub(in super::super) value: Option<Secret>,
    pub(in super::super) expires_at: Option<Timestamp>,
    /// The name of the organization that the key is for.
    pub(in super::super) organization: Option<String>,
    pub(in super::super) user_id: Option<String>,
    pub(in super::super) permissions: Vec<String>,
}

/// Either `{sk_test_x: {environment: test}}`, which is no more than a list of keys, or a list of API keys.
pub(super) fn api_keys(fields: &mut Fields<'_>, text: &str) -> Vec<SeedApiKey> {
    if !fields.is_object("apiKeys") {
        return fields.list("apiKeys", api_key);
    }
    let Some(Value::Object(map)) = fields.raw("apiKeys") else {
        return Vec::new();
    };
    let mut keys: Vec<_> = map.into_iter().map(|(key, _)| key).collect();
    keys.sort_by_key(|key| text.find(key.as_str()));
    for key in &keys {
        if !key.starts_with("sk_") {
            fields.problem("apiKeys", "a key starts with sk_", None);
        }
    }
    keys.into_iter()
        .map(|key| SeedApiKey {
            path: "apiKeys".to_owned(),
            name: String::new(),
            value: Some(Secret::new(key)),
            expires_at: None,
            organization: None,
            user_id: None,
            permissions: Vec::new(),
        })
        .collect()
}

fn api_key(fields: &mut Fields<'_>) -> SeedApiKey {
    let _: Option<String> = fields.get("environment");
    let value: Option<String> = fields.get("value");
    if value.as_deref().is_some_and(|value| !value.starts_with("sk_")) {
        fields.problem("value", "must start with sk_", None);
    }
    let organization: Option<String> = fields.get("organization");
    let user_id: Option<String> = fields.get("user_id");
    let permissions: Vec<String> = fields.get("permissions").unwrap_or_default();
    if organization.is_none() && (user_id.is_some() || !permissions.is_empty()) {
        fields.problem(
            "organization",
            "is required for a key with an owner or permissions",
            None,
        );
    }
    SeedApiKey {
        path: fields.path().to_owned(),
        name: fields.required("name"),
        value: value.map(Secret::new),
        expires_at: fields.get("expires_at"),
        organization,
        user_id,
        permissions,
    }
}
