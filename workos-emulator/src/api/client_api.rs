//! Tokens for the Client API, the GraphQL API behind the widgets. Source: <https://workos.com/docs/reference/client>.

use jiff::SignedDuration;
use serde::Deserialize;

use super::{
    organizations,
    user_management::users,
    widgets::{self, WidgetClaims},
};
use crate::{
    server::{call::Call, error::ApiError, reply::Reply},
    store::Transaction,
};

/// `POST /client/token`
#[derive(Debug, Deserialize)]
struct ClientApiToken {
    organization_id: String,
    user_id: String,
}

/// The claims of a token with which a user acts in an organization.
///
/// Assumptions: the user must be an active member, and the token permits what the user's roles do; it lives as long as an
/// access token. Which session the token is bound to is not documented, and nothing that the emulator serves asks.
fn claims(
    tx: &mut Transaction<'_>,
    issuer: String,
    wanted: ClientApiToken,
) -> Result<WidgetClaims, ApiError> {
    let ClientApiToken {
        organization_id,
        user_id,
    } = wanted;
    organizations::find(tx, &organization_id)?;
    users::find(tx, &user_id)?;
    let permissions = widgets::permissions(tx, &user_id, &organization_id)?;
    let lifetime = SignedDuration::from_secs(tx.settings().access_token_lifetime.into());
    let of = (Some(user_id), Some(organization_id));
    Ok(widgets::issue(tx, issuer, of, permissions, lifetime))
}

/// `POST /client/token`
pub(crate) fn create_token(call: &Call) -> Result<Reply, ApiError> {
    let (wanted, issuer) = (call.body()?, widgets::issuer_of(call));
    let claims = call.environment.transact(|tx| claims(tx, issuer, wanted))?;
    widgets::reply(call, &claims)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::user_management::authenticate::fixture::Fixture;

    #[test]
    fn a_token_is_for_one_member_of_one_organization() {
        let fixture = Fixture::new();
        let acme = fixture.add_own_organization("Acme");
        let globex = fixture.add_organization("Globex");
        let user_id = &fixture.user_id;
        let body = json!({"user_id": user_id, "organization_id": acme});
        let reply = create_token(&fixture.call("", body)).unwrap();
        assert_eq!(reply.status, 201);
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        let state = fixture.environment.state();
        let token = body["token"].as_str().unwrap();
        let claims: WidgetClaims = state
            .keys()
            .verify(token, fixture.environment.clock.now())
            .unwrap();
        assert_eq!(
            (claims.sub.as_ref(), claims.org_id.as_ref()),
            (Some(user_id), Some(&acme))
        );
        assert_eq!(
            claims.exp - claims.iat,
            i64::from(state.settings().access_token_lifetime)
        );
        for (body, status) in [
            (json!({"user_id": user_id}), 422),
            (json!({"organization_id": acme}), 422),
            (json!({"user_id": user_id, "organization_id": "org_1"}), 404),
            (json!({"user_id": "user_1", "organization_id": acme}), 404),
            (json!({"user_id": user_id, "organization_id": globex}), 400),
        ] {
            let refused = create_token(&fixture.call("", body.clone())).unwrap_err();
            assert_eq!(refused.status, status, "{body}");
        }
    }
}
