//! What holds with every WorkOS: an emulator, or the real one.
//!
//! By default an emulator. With `ANY_WORKOS=env` it is the one that the `WORKOS_…` variables of [`AuthKit::from_env`] name,
//! `WORKOS_API_KEY` and `WORKOS_CLIENT_ID` at least: a staging environment in which people may sign in with a password and
//! need not verify their address. What the test makes there, a user and two organizations, it deletes.
//!
//! ```sh
//! ANY_WORKOS=env WORKOS_API_KEY=sk_test_… WORKOS_CLIENT_ID=client_… cargo nextest run -E 'test(any_workos)'
//! ```

use actix_web::{App, HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use uuid::Uuid;
use workos::{
    organization_membership::{CreateOrganizationMembershipParams, CreateOrganizationMembershipParamsBody},
    organizations::CreateOrganizationParams,
    user_management::{CreateUserParams, CreateUserParamsBody, Password, RevokeSessionParams},
};
use workos_actix::{AuthError, AuthKit, AuthKitBuilder, AuthUser};
use workos_emulator::Emulator;

use crate::{
    app::PASSWORD,
    browser::Browser,
    credentials_in_actix::{ask, who},
    flows::{log_in, me},
    server,
};

/// Who is there for the test, and gone after it.
#[derive(Clone)]
struct Tenants {
    user: String,
    email: String,
    organizations: [String; 2],
}

#[actix_web::test]
async fn a_session_of_a_password_form_is_used_renewed_moved_and_revoked() {
    let emulator = Emulator::start().await.unwrap();
    let authkit = workos(&emulator)
        .cookie_password("0123456789abcdef0123456789abcdef")
        .redirect_uri("http://localhost/auth/callback")
        .bearer_tokens()
        .build()
        .unwrap();
    let tenants = move_in(&authkit).await;
    // Whatever happens in it, they are deleted.
    let use_it = actix_web::rt::spawn(use_a_session(authkit.clone(), tenants.clone()));
    let outcome = use_it.await;
    move_out(&authkit, &tenants).await;
    outcome.unwrap();
}

fn workos(emulator: &Emulator) -> AuthKitBuilder {
    #[expect(clippy::disallowed_methods, reason = "a choice of whoever runs the test")]
    let choice = std::env::var("ANY_WORKOS");
    match choice.as_deref() {
        Ok("env") => AuthKit::builder().env(),
        _ => AuthKit::builder()
            .api_key(emulator.api_key())
            .client_id(emulator.client_id())
            .api_base_url(emulator.url()),
    }
}

async fn move_in(authkit: &AuthKit) -> Tenants {
    let workos = authkit.client();
    #[expect(clippy::disallowed_methods, reason = "two runs may be in one environment")]
    let name = format!("workos-actix-{}", Uuid::new_v4());
    let email = format!("{name}@example.com");
    let user = CreateUserParamsBody {
        email_verified: Some(true),
        password: Some(Password::Plaintext {
            password: PASSWORD.to_owned(),
        }),
        ..CreateUserParamsBody::new(&email)
    };
    let users = workos.user_management();
    let user = users.create_user(CreateUserParams::new(user)).await.unwrap().id;
    let mut organizations = [const { String::new() }; 2];
    for (number, id) in organizations.iter_mut().enumerate() {
        let named = serde_json::from_value(json!({ "name": format!("{name}-{number}") })).unwrap();
        let params = CreateOrganizationParams::new(named);
        *id = workos
            .organizations()
            .create_organization(params)
            .await
            .unwrap()
            .id;
    }
    Tenants {
        user,
        email,
        organizations,
    }
}

async fn move_out(authkit: &AuthKit, tenants: &Tenants) {
    let workos = authkit.client();
    workos.user_management().delete_user(&tenants.user).await.unwrap();
    for id in &tenants.organizations {
        workos.organizations().delete_organization(id).await.unwrap();
    }
}

async fn join(authkit: &AuthKit, tenants: &Tenants, number: usize) {
    let member = CreateOrganizationMembershipParamsBody::new(&tenants.user, &tenants.organizations[number]);
    let memberships = authkit.client().organization_membership();
    memberships
        .create_organization_membership(CreateOrganizationMembershipParams::new(member))
        .await
        .unwrap();
}

async fn use_a_session(authkit: AuthKit, tenants: Tenants) {
    let app = serve(&authkit);
    let path = |path: &str| format!("{app}{path}");
    join(&authkit, &tenants, 0).await;
    let browser = Browser::new();
    assert_eq!(browser.fetch(path("/me")).await.status, 401);
    let wrong = [("email", tenants.email.as_str()), ("password", "wrong")];
    assert_eq!(browser.post_form(path("/log-in"), &wrong).await.status, 401);
    let right = [("email", tenants.email.as_str()), ("password", PASSWORD)];
    let page = browser.post_form(path("/log-in"), &right).await;
    assert_eq!(page.status, 200, "{}", page.text);

    let me = browser.fetch(path("/me")).await.json();
    let at = |organization: usize, session: &Value| {
        json!({ "id": tenants.user, "organization": tenants.organizations[organization], "role": "member",
            "session": session })
    };
    let session = me["session"].clone();
    assert!(session.as_str().unwrap().starts_with("session_"), "{session}");
    assert_eq!(me, at(0, &session));

    let renewed = browser.post(path("/renew")).await;
    assert_eq!((renewed.status, renewed.json()), (200, at(0, &session)));
    join(&authkit, &tenants, 1).await;
    let moved = browser.post(path(&format!("/move/{}", tenants.organizations[1])));
    assert_eq!(moved.await.json(), at(1, &session));
    assert_eq!(browser.fetch(path("/me")).await.json(), at(1, &session));
    let refused = browser.post(path("/move/org_01EHZNVPK3SFK441A1RGBFSHRT")).await;
    assert_eq!(refused.status, 403, "{}", refused.text);

    // The same token as a single-page app would send it.
    let token = browser.fetch(path("/token")).await.text;
    let (status, who) = ask(&app, "/who", &token).await;
    assert_eq!((status, &who["subject"]), (200, &json!(tenants.user)));

    let revoke = serde_json::from_value(json!({ "session_id": session })).unwrap();
    let sessions = authkit.client().user_management();
    sessions
        .revoke_session(RevokeSessionParams::new(revoke))
        .await
        .unwrap();
    // WorkOS tells so when it is asked; a browser is then led to the sign-in, which this app does not have.
    assert_eq!(browser.post(path("/renew")).await.url.path(), "/auth/sign-in");
    assert_eq!(browser.fetch(path("/me")).await.status, 401);
}

fn serve(authkit: &AuthKit) -> String {
    let (listener, url) = server::listen();
    let authkit = authkit.clone();
    server::serve(listener, 1, move || {
        App::new()
            .app_data(web::Data::new(authkit.clone()))
            .wrap(authkit.middleware())
            .route("/log-in", web::post().to(log_in))
            .route("/me", web::get().to(me))
            .route("/renew", web::post().to(renew))
            .route("/move/{organization}", web::post().to(move_to))
            .route(
                "/token",
                web::get().to(|user: AuthUser| async move { user.access_token().expose().to_owned() }),
            )
            .route("/who", web::get().to(who))
    });
    url
}

async fn renew(request: HttpRequest, authkit: web::Data<AuthKit>) -> Result<HttpResponse, AuthError> {
    Ok(me(authkit.refresh_session(&request).await?).await)
}

async fn move_to(
    request: HttpRequest,
    organization: web::Path<String>,
    authkit: web::Data<AuthKit>,
) -> Result<HttpResponse, AuthError> {
    Ok(me(authkit.switch_organization(&request, &organization).await?).await)
}
