//! A session as WorkOS's JavaScript kits write it into their sealed cookie: JSON with camelCase names.
//!
//! Source: `Session` in [`authkit-nextjs`](https://github.com/workos/authkit-nextjs/blob/main/src/interfaces.ts) and
//! [`authkit-session`](https://github.com/workos/authkit-session/blob/main/src/core/session/types.ts), and
//! `deserializeUser` in [`@workos-inc/node`](https://github.com/workos/workos-node).

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Error as JsonError, Map, Value};
use workos::User;

use super::session::Session;
use crate::Impersonator;

/// The parts of a session that the kits keep. What else somebody may have put there (the kits' `saveSession` takes whole
/// answers of WorkOS) is let go at the next refresh, as the kits do.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KitSession {
    access_token: String,
    refresh_token: String,
    user: KitUser,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    impersonator: Option<KitImpersonator>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    authentication_method: Option<String>,
}

/// Without a reason it says `null`, where ours says nothing.
#[derive(Serialize, Deserialize)]
struct KitImpersonator {
    email: String,
    #[serde(default)]
    reason: Option<String>,
}

/// The kits' user has all members; those that WorkOS does not know are `null`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KitUser {
    #[serde(default = "user")]
    object: String,
    id: String,
    email: String,
    #[serde(default)]
    email_verified: bool,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    first_name: Option<String>,
    #[serde(default)]
    profile_picture_url: Option<String>,
    #[serde(default)]
    last_name: Option<String>,
    #[serde(default)]
    last_sign_in_at: Option<String>,
    #[serde(default)]
    locale: Option<String>,
    #[serde(default)]
    created_at: String,
    #[serde(default)]
    updated_at: String,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    metadata: Option<HashMap<String, String>>,
    /// What a newer kit knows of users.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

fn user() -> String {
    "user".to_owned()
}

pub(super) fn to_json(session: &Session) -> Result<String, JsonError> {
    let user = User::clone(&session.user);
    let user = KitUser {
        object: user.object,
        id: user.id,
        email: user.email,
        email_verified: user.email_verified,
        name: user.name,
        first_name: user.first_name,
        profile_picture_url: user.profile_picture_url,
        last_name: user.last_name,
        last_sign_in_at: user.last_sign_in_at,
        locale: user.locale,
        created_at: user.created_at,
        updated_at: user.updated_at,
        external_id: user.external_id,
        metadata: Some(user.metadata.unwrap_or_default()),
        unknown: session
            .unknown_user_members
            .as_deref()
            .cloned()
            .unwrap_or_default(),
    };
    let impersonator = session.impersonator.clone();
    serde_json::to_string(&KitSession {
        access_token: session.access_token.expose().to_owned(),
        refresh_token: session.refresh_token.expose().to_owned(),
        user,
        impersonator: impersonator.map(|Impersonator { email, reason }| KitImpersonator { email, reason }),
        authentication_method: session.authentication_method.as_ref().map(ToString::to_string),
    })
}

/// `None` when it is no session: the kits seal other things with the same password, such as the state of a sign-in.
pub(super) fn from_json(json: &str) -> Option<Session> {
    let session: KitSession = serde_json::from_str(json).ok()?;
    let user = session.user;
    Some(Session {
        access_token: session.access_token.into(),
        refresh_token: session.refresh_token.into(),
        unknown_user_members: (!user.unknown.is_empty()).then(|| Arc::new(user.unknown)),
        user: Arc::new(User {
            object: user.object,
            id: user.id,
            email: user.email,
            email_verified: user.email_verified,
            name: user.name,
            first_name: user.first_name,
            profile_picture_url: user.profile_picture_url,
            last_name: user.last_name,
            last_sign_in_at: user.last_sign_in_at,
            locale: user.locale,
            created_at: user.created_at,
            updated_at: user.updated_at,
            external_id: user.external_id,
            metadata: user.metadata,
        }),
        impersonator: session
            .impersonator
            .map(|KitImpersonator { email, reason }| Impersonator { email, reason }),
        authentication_method: session.authentication_method.map(Into::into),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As `@workos-inc/node` 10.13.0 makes it of an answer of WorkOS, and of one more member.
    fn kit() -> Value {
        json!({
            "accessToken": "a.b.c",
            "refreshToken": "refresh_1",
            "user": {
                "object": "user", "id": "user_1", "email": "alice@acme.example", "emailVerified": true,
                "name": "Alice Doe", "firstName": "Alice", "profilePictureUrl": null, "lastName": "Doe",
                "lastSignInAt": "2026-01-02T00:00:00.000Z", "locale": null,
                "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z",
                "externalId": null, "metadata": { "snake_case": "kept", "camelCase": "kept" },
                "favouriteColour": { "first_choice": ["blue"] },
            },
            "impersonator": { "email": "support@acme.example", "reason": null },
            "authenticationMethod": "SomethingNew",
        })
    }

    #[test]
    fn both_ways_without_loss() {
        let session = from_json(&kit().to_string()).unwrap();
        assert_eq!(session.access_token.expose(), "a.b.c");
        assert_eq!(session.user.first_name.as_deref(), Some("Alice"));
        assert_eq!(session.user.locale, None);
        assert_eq!(session.user.metadata.as_ref().unwrap()["snake_case"], "kept");
        assert_eq!(session.impersonator.as_ref().unwrap().reason, None);
        let json: Value = serde_json::from_str(&to_json(&session).unwrap()).unwrap();
        assert_eq!(json, kit());
    }

    #[test]
    fn numbers_of_others_are_not_rounded() {
        let json = r#"{"accessToken":"a","refreshToken":"r","user":{"id":"u","email":"e","x":211111111111811111111}}"#;
        let session = from_json(json).unwrap();
        let again = from_json(&to_json(&session).unwrap()).unwrap();
        assert_eq!(session.unknown_user_members, again.unknown_user_members);
    }

    #[test]
    fn members_are_written_as_the_kits_write_them() {
        let mut kit = kit();
        let members = kit.as_object_mut().unwrap();
        members.remove("impersonator");
        members.remove("authenticationMethod");
        members["user"].as_object_mut().unwrap().remove("metadata");
        let session = from_json(&kit.to_string()).unwrap();
        let json: Value = serde_json::from_str(&to_json(&session).unwrap()).unwrap();
        assert_eq!(json["user"]["metadata"], json!({}));
        assert_eq!(json["user"]["externalId"], Value::Null);
        assert!(json.get("impersonator").is_none() && json.get("authenticationMethod").is_none());
    }

    #[test]
    fn as_little_as_somebody_may_have_saved() {
        let json = json!({
            "accessToken": "a", "refreshToken": "r", "user": { "id": "user_1", "email": "a@b.example" },
            "oauthTokens": { "accessToken": "theirs" }, "organizationId": "org_1", "impersonator": null,
        });
        let session = from_json(&json.to_string()).unwrap();
        assert_eq!(session.user.object, "user");
        assert!(!to_json(&session).unwrap().contains("theirs"));
    }

    #[test]
    fn nothing_else_is_a_session() {
        let state = json!({ "nonce": "n", "codeVerifier": "v", "returnPathname": "/" });
        let mut without_user = kit();
        without_user["user"] = Value::Null;
        let mut numeric = kit();
        numeric["refreshToken"] = json!(1);
        for json in [state, without_user, numeric, json!([]), json!("a.b.c"), json!({})] {
            assert!(from_json(&json.to_string()).is_none(), "{json}");
        }
        let whole = kit().to_string();
        for cut in (0..whole.len()).filter(|cut| whole.is_char_boundary(*cut)) {
            assert!(from_json(&whole[..cut]).is_none(), "{cut}");
        }
    }
}
