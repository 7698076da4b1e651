//! A WorkOS API key of a test.

use serde_json::{Value, json};

use super::{in_memory, random};

/// A WorkOS API key of a test, one that an organization or a user in it has made for a program.
///
/// ```
/// use actix_web::{App, test, web};
/// use workos_actix::{ApiKey, testing::{self, TestApiKey, TestRequestExt}};
///
/// # actix_web::rt::System::new().block_on(async {
/// let app = App::new()
///     .wrap(testing::authkit().middleware())
///     .route("/import", web::post().to(|key: ApiKey| async move { key.organization_id().to_owned() }));
/// let app = test::init_service(app).await;
/// let key = TestApiKey::new("org_1").permissions(["posts:write"]);
/// let request = test::TestRequest::post().uri("/import").with_api_key(&key).to_request();
/// assert_eq!(test::call_and_read_body(&app, request).await, "org_1");
/// # });
/// ```
#[derive(Clone)]
#[must_use = "a request has this key by `with_api_key`"]
pub struct TestApiKey {
    value: String,
    id: String,
    name: String,
    organization_id: String,
    user_id: Option<String>,
    permissions: Vec<String>,
}

impl std::fmt::Debug for TestApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestApiKey")
            .field("id", &self.id)
            .field("organization_id", &self.organization_id)
            .finish_non_exhaustive()
    }
}

impl TestApiKey {
    /// A key of an organization, `org_…`.
    pub fn new(organization_id: impl Into<String>) -> Self {
        let value = random();
        Self {
            id: format!("api_key_{}", value.get(..8).unwrap_or_default()),
            value: format!("sk_{value}"),
            name: "Test".to_owned(),
            organization_id: organization_id.into(),
            user_id: None,
            permissions: Vec::new(),
        }
    }

    /// Another id, `api_key_…`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// The name that its owner gave it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// It belongs to a user, `user_…`, of the organization.
    pub fn owned_by(mut self, user_id: impl Into<String>) -> Self {
        self.user_id = Some(user_id.into());
        self
    }

    /// What it may do.
    pub fn permissions<I: Into<String>>(mut self, permissions: impl IntoIterator<Item = I>) -> Self {
        self.permissions = permissions.into_iter().map(Into::into).collect();
        self
    }

    /// The value, known to the WorkOS of the tests from now on.
    pub(super) fn issued(&self) -> &str {
        in_memory::remember_api_key(&self.value, self.object());
        &self.value
    }

    fn object(&self) -> Value {
        let owner = match &self.user_id {
            None => json!({ "type": "organization", "id": self.organization_id }),
            Some(id) => json!({ "type": "user", "id": id, "organization_id": self.organization_id }),
        };
        json!({
            "object": "api_key", "id": self.id, "owner": owner, "name": self.name, "obfuscated_value": "sk_…test",
            "last_used_at": null, "expires_at": null, "permissions": self.permissions,
            "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
        })
    }
}
