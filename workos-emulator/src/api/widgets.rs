//! Tokens for WorkOS's widgets, the components that an application puts into its own pages. Source:
//! <https://workos.com/docs/widgets/tokens>.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    authorization::roles,
    organizations,
    user_management::{authenticate::client::issuer, memberships, signing_keys},
};
use crate::{
    core::clock,
    server::{call::Call, error::ApiError, reply::Reply},
    store::{State, Transaction},
};

const LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// The claims of a token for widgets, or for the API behind them.
///
/// Assumption: widgets take an AuthKit access token as well, so what they need has the names that it has there. There is
/// no `sid`: it is no session of the user, and no application should take the one for the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct WidgetClaims {
    pub(super) iss: String,
    /// The user's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sub: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) org_id: Option<String>,
    pub(super) permissions: Vec<String>,
    pub(super) jti: String,
    pub(super) iat: i64,
    pub(super) exp: i64,
}

/// What widgets let their user do; each is a permission of the same name.
const SCOPES: [&str; 7] = [
    "widgets:users-table:manage",
    "widgets:domain-verification:manage",
    "widgets:sso:manage",
    "widgets:api-keys:manage",
    "widgets:dsync:manage",
    "widgets:audit-log-streaming:manage",
    "widgets:pipes:manage",
];

/// `POST /widgets/token`
#[derive(Debug, Clone, Default, Deserialize)]
struct WidgetSessionToken {
    organization_id: Option<String>,
    user_id: Option<String>,
    scopes: Option<Vec<String>>,
}

/// The claims of the token that is asked for.
///
/// Assumptions: a token for nobody in no organization is refused; without a user the scopes are the application's to
/// give; a scope that the user's roles do not permit is 400, for which there is a bare message.
fn claims(
    tx: &mut Transaction<'_>,
    issuer: String,
    wanted: WidgetSessionToken,
) -> Result<WidgetClaims, ApiError> {
    let WidgetSessionToken {
        organization_id,
        user_id,
        scopes,
    } = wanted;
    let scopes = scopes.unwrap_or_default();
    if let Some(unknown) = scopes.iter().find(|scope| !SCOPES.contains(&scope.as_str())) {
        let message = format!("There is no scope '{unknown}'.");
        return Err(ApiError::invalid_field("scopes", "invalid_enum_value", message));
    }
    if organization_id.is_none() && (user_id.is_none() || !scopes.is_empty()) {
        return Err(missing("organization_id must be a string"));
    }
    if let Some(id) = &user_id
        && tx.users.get(id).is_none()
    {
        let message = format!("User not found '{id}'");
        return Err(ApiError::new(404, "entity_not_found", message).with("entity_id", id.as_str()));
    }
    if let Some(id) = &organization_id {
        organizations::find(tx, id)?;
    }
    if let (Some(user_id), Some(organization_id)) = (&user_id, &organization_id) {
        let permitted = permissions(tx, user_id, organization_id)?;
        if let Some(scope) = scopes.iter().find(|scope| !permitted.contains(scope)) {
            let message = format!("The user's roles do not permit '{scope}'.");
            return Err(ApiError::message(400, message));
        }
    }
    Ok(issue(tx, issuer, (user_id, organization_id), scopes, LIFETIME))
}

/// The claims of a token from now on.
pub(super) fn issue(
    tx: &mut Transaction<'_>,
    iss: String,
    (sub, org_id): (Option<String>, Option<String>),
    permissions: Vec<String>,
    lifetime: SignedDuration,
) -> WidgetClaims {
    WidgetClaims {
        iss,
        sub,
        org_id,
        permissions,
        jti: tx.ulid(),
        iat: tx.now().as_second(),
        exp: clock::saturating_add(tx.now(), lifetime).as_second(),
    }
}

/// What an active member's roles permit in the organization.
///
/// Assumption: who is no active member is refused with 400, for which there is a bare message.
pub(super) fn permissions(
    state: &State,
    user_id: &str,
    organization_id: &str,
) -> Result<Vec<String>, ApiError> {
    let Some(membership) = memberships::active(state, user_id, organization_id) else {
        let message =
            format!("User '{user_id}' is not an active member of organization '{organization_id}'.");
        return Err(ApiError::message(400, message));
    };
    Ok(roles::permissions_of(state, organization_id, &membership.roles))
}

/// 400 in the form that this operation has for itself.
fn missing(message: &str) -> ApiError {
    let mut refusal = ApiError::message(400, "");
    refusal.body.insert("message".to_owned(), json!([message]));
    refusal.with("error", "Bad Request")
}

/// The answer that shows the signed token.
pub(super) fn reply(call: &Call, claims: &WidgetClaims) -> Result<Reply, ApiError> {
    let token = signing_keys::sign(&call.environment.state(), claims)?;
    Ok(Reply::created(&json!({ "token": token }))?.header("Cache-Control", "no-store"))
}

/// `iss` of the environment's tokens.
pub(super) fn issuer_of(call: &Call) -> String {
    issuer(
        &call.environment.state(),
        &call.base_url(),
        &call.environment.client_id,
    )
}

/// `POST /widgets/token`
pub(crate) fn create_token(call: &Call) -> Result<Reply, ApiError> {
    let (wanted, issuer) = (call.body()?, issuer_of(call));
    let claims = call.environment.transact(|tx| claims(tx, issuer, wanted))?;
    reply(call, &claims)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::api::{
        authorization::{
            permissions::{self, NewPermission},
            roles::NewRole,
        },
        user_management::authenticate::fixture::Fixture,
    };

    /// Ada manages the users of Acme.
    fn acme() -> (Fixture, String) {
        let fixture = Fixture::new();
        let organization_id = fixture.add_organization("Acme");
        fixture
            .environment
            .transact(|tx| {
                for slug in ["widgets:users-table:manage", "posts:read"] {
                    let new = NewPermission {
                        slug: slug.to_owned(),
                        name: slug.to_owned(),
                        ..NewPermission::default()
                    };
                    permissions::create(tx, new)?;
                }
                let role = NewRole {
                    permissions: vec!["widgets:users-table:manage".to_owned(), "posts:read".to_owned()],
                    ..NewRole::named("admin", "Admin")
                };
                roles::create(tx, role)
            })
            .unwrap();
        fixture.add_membership(&organization_id, json!({"role_slug": "admin"}));
        (fixture, organization_id)
    }

    fn token(fixture: &Fixture, body: Value) -> Result<WidgetClaims, ApiError> {
        let call = fixture.call("", body);
        let reply = create_token(&call)?;
        assert_eq!(reply.status, 201);
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        let state = fixture.environment.state();
        let now = fixture.environment.clock.now();
        Ok(state.keys().verify(body["token"].as_str().unwrap(), now).unwrap())
    }

    #[test]
    fn a_token_is_signed_and_good_for_an_hour() {
        let (fixture, organization_id) = acme();
        let user_id = &fixture.user_id;
        let body = json!({
            "user_id": user_id, "organization_id": organization_id, "scopes": ["widgets:users-table:manage"],
        });
        let claims = token(&fixture, body).unwrap();
        let client_id = &fixture.environment.client_id;
        assert_eq!(
            claims.iss,
            format!("http://auth.test/user_management/{client_id}")
        );
        assert_eq!(claims.sub.as_ref(), Some(user_id));
        assert_eq!(claims.org_id.as_ref(), Some(&organization_id));
        assert_eq!(
            claims.permissions,
            ["widgets:users-table:manage"],
            "no more than asked for"
        );
        assert_eq!(claims.exp - claims.iat, 3600);
        assert_eq!(claims.iat, fixture.environment.clock.now().as_second());
        let own = token(&fixture, json!({"user_id": user_id})).unwrap();
        assert_eq!((own.org_id, own.permissions.len()), (None, 0));
        let of_acme = json!({"organization_id": organization_id, "scopes": ["widgets:sso:manage"]});
        let of_acme = token(&fixture, of_acme).unwrap();
        assert_eq!(
            (of_acme.sub, of_acme.permissions),
            (None, vec!["widgets:sso:manage".to_owned()])
        );
    }

    #[test]
    fn refuses_what_the_user_may_not_and_what_is_not_there() {
        let (fixture, organization_id) = acme();
        let user_id = &fixture.user_id;
        let globex = fixture.add_organization("Globex");
        for (body, status) in [
            (json!({}), 400),
            (
                json!({"user_id": user_id, "scopes": ["widgets:users-table:manage"]}),
                400,
            ),
            (json!({"user_id": user_id, "organization_id": globex}), 400),
            (
                json!({"user_id": user_id, "organization_id": organization_id, "scopes": ["widgets:sso:manage"]}),
                400,
            ),
            (json!({"user_id": user_id, "organization_id": "org_1"}), 404),
            (
                json!({"organization_id": organization_id, "scopes": ["posts:read"]}),
                422,
            ),
            (json!({"organization_id": 1}), 422),
        ] {
            let refused = token(&fixture, body.clone()).unwrap_err();
            assert_eq!(refused.status, status, "{body}: {refused}");
        }
        let refused = token(&fixture, json!({"user_id": "user_123"})).unwrap_err();
        assert_eq!(
            (refused.status, Value::Object(refused.body)),
            (
                404,
                json!({"message": "User not found 'user_123'", "code": "entity_not_found", "entity_id": "user_123"})
            )
        );
        let refused = token(&fixture, json!({})).unwrap_err();
        assert_eq!(
            Value::Object(refused.body),
            json!({"message": ["organization_id must be a string"], "error": "Bad Request"})
        );
    }
}
