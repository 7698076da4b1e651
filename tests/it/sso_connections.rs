//! Connections and their certificates, by the API, the control API, a seed and a Rust test.

use std::time::{Duration, SystemTime};

use reqwest::Method;
use serde_json::{Value, json};
use workos::{
    enums::{ConnectionState, ConnectionsConnectionType},
    models::{CreateConnectionOidcOptions, CreateConnectionSAMLOptions, CreateSAMLIdpSigningCertificate},
    sso::{
        CreateConnectionParams, CreateConnectionParamsBody, CreateConnectionSAMLIdpSigningCertParams,
        CreateProtocolOptions, ListConnectionsParams, UpdateConnectionParams, UpdateConnectionParamsBody,
    },
};
use workos_emulator::{Emulator, Organization, SsoProfile};

use crate::{
    http,
    sdk::{self, refusal},
};

/// Valid from 2026-11-25 to 2027-11-25.
const IDP_CERTIFICATE: &str = include_str!("certificates/idp.pem");

async fn acme() -> (Emulator, Organization) {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator
        .organization("Acme")
        .domain("acme.example")
        .create()
        .unwrap();
    (emulator, acme)
}

/// The names and the data of the events whose name begins so, in order.
pub(crate) async fn events(emulator: &Emulator, prefix: &str) -> Vec<(String, Value)> {
    let (_, list) = http::call(emulator, Method::GET, "/events?limit=100", &Value::Null).await;
    let data = list["data"].as_array().unwrap().iter();
    data.map(|event| (event["event"].as_str().unwrap().to_owned(), event["data"].clone()))
        .filter(|(name, _)| name.starts_with(prefix))
        .collect()
}

pub(crate) fn names(events: &[(String, Value)]) -> Vec<&str> {
    events.iter().map(|(name, _)| name.as_str()).collect()
}

fn saml(organization: &Organization) -> CreateConnectionParams {
    let mut options: CreateConnectionSAMLOptions = serde_json::from_value(json!({})).unwrap();
    options.idp_sso_url = Some("https://idp.example.com/sso".to_owned());
    options.idp_signing_certs = Some(vec![IDP_CERTIFICATE.to_owned()]);
    let body = CreateConnectionParamsBody::new(
        organization.id.clone(),
        CreateProtocolOptions::SAML {
            saml_options: options,
        },
    );
    CreateConnectionParams::new(body)
}

#[actix_web::test]
async fn are_created_read_changed_listed_and_deleted() {
    let (emulator, acme) = acme().await;
    let client = sdk::client(&emulator);
    let mut params = saml(&acme);
    params.body.connection_type = Some("OktaSAML".to_owned());
    params.body.external_id = Some("okta-1".to_owned());
    let created = client.sso().create_connection(params.clone()).await.unwrap();
    assert!(created.id.starts_with("conn_"));
    assert_eq!(
        (created.name.as_str(), created.object.as_str()),
        ("Acme", "connection")
    );
    assert_eq!(created.connection_type.as_str(), "OktaSAML");
    assert_eq!(created.state, ConnectionState::Validating);
    assert_eq!(created.organization_id, Some(acme.id.clone()));
    assert_eq!(created.domains[0].domain, "acme.example");
    assert_eq!(created.domains[0].object, "connection_domain");
    // It waits for its first sign-in, so that nobody is told yet.
    assert_eq!(events(&emulator, "connection.").await, []);
    params.body.name = Some("Second".to_owned());
    assert_eq!(
        refusal(client.sso().create_connection(params.clone()).await).0,
        400,
        "the external id is taken"
    );
    params.body.external_id = None;
    params.body.connection_type = None;
    let second = client.sso().create_connection(params).await.unwrap();
    assert_eq!(second.connection_type.as_str(), "GenericSAML");

    let mut change = UpdateConnectionParamsBody::new();
    change.name = Some("Okta of Acme".to_owned());
    let changed = client
        .sso()
        .update_connection(&created.id, UpdateConnectionParams::new(change))
        .await
        .unwrap();
    assert_eq!(changed.name, "Okta of Acme");
    assert_eq!(
        client.sso().get_connection(&created.id).await.unwrap().name,
        "Okta of Acme"
    );

    let listed = async |change: &dyn Fn(&mut ListConnectionsParams)| {
        let mut params = ListConnectionsParams::default();
        change(&mut params);
        let list = client.sso().list_connections(params).await.unwrap();
        list.data
            .into_iter()
            .map(|connection| connection.id)
            .collect::<Vec<_>>()
    };
    let (first, second) = (created.id.clone(), second.id);
    assert_eq!(listed(&|_| {}).await, [second.clone(), first.clone()]);
    let organization_id = acme.id.clone();
    assert_eq!(
        listed(&|params| params.organization_id = Some(organization_id.clone()))
            .await
            .len(),
        2
    );
    assert_eq!(
        listed(&|params| params.search = Some("OKTA".to_owned())).await,
        [first.as_str()]
    );
    assert_eq!(
        listed(&|params| params.connection_type = Some(ConnectionsConnectionType::GenericSAML)).await,
        [second.as_str()]
    );
    assert_eq!(
        listed(&|params| params.domain = Some("ACME.example".to_owned()))
            .await
            .len(),
        2
    );
    assert_eq!(
        listed(&|params| params.domain = Some("other.example".to_owned())).await,
        [""; 0]
    );

    client.sso().delete_connection(&first).await.unwrap();
    assert_eq!(refusal(client.sso().get_connection(&first).await).0, 404);
    assert_eq!(refusal(client.sso().delete_connection(&first).await).0, 404);
    let told = events(&emulator, "connection.").await;
    assert_eq!(names(&told), ["connection.deleted"]);
    assert_eq!(told[0].1["state"], "validating");
    assert!(told[0].1.get("status").is_none() && told[0].1.get("domains").is_none());
    // The others go with their organization, each with its event, before it.
    client
        .organizations()
        .delete_organization(&acme.id)
        .await
        .unwrap();
    let all = events(&emulator, "").await;
    let at = |name: &str| all.iter().rposition(|(event, _)| event == name).unwrap();
    assert!(at("connection.deleted") < at("organization.deleted"));
    assert_eq!(all[at("connection.deleted")].1["id"], json!(second));
}

#[actix_web::test]
async fn what_cannot_be_set_up_names_the_field() {
    let (emulator, acme) = acme().await;
    let with = |more: Value| {
        let mut body = json!({"organization_id": acme.id});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    let sso = json!("https://idp.example.com/sso");
    let oidc = |more: Value| {
        let mut options = json!({"discovery_endpoint": "https://idp.example.com/.well-known/openid-configuration", "client_id": "x"});
        options
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        with(json!({"oidc_options": options}))
    };
    for (body, field) in [
        (with(json!({})), "saml_options"),
        (with(json!({"saml_options": {}})), "saml_options.idp_sso_url"),
        (
            with(json!({"saml_options": {"idp_sso_url": sso}})),
            "saml_options.idp_signing_certs",
        ),
        (
            with(json!({"saml_options": {"idp_sso_url": "idp", "idp_signing_certs": [IDP_CERTIFICATE]}})),
            "saml_options.idp_sso_url",
        ),
        (
            with(json!({"saml_options": {"idp_sso_url": sso, "idp_signing_certs": ["no certificate"]}})),
            "saml_options.idp_signing_certs",
        ),
        (
            with(json!({"saml_options": {"idp_metadata_url": sso, "idp_sso_url": sso}})),
            "saml_options.idp_metadata_url",
        ),
        (oidc(json!({})), "oidc_options.client_secret"),
        (
            oidc(json!({"token_authentication_method": "private_key_jwt", "client_secret": "s"})),
            "oidc_options.client_secret",
        ),
        (
            with(json!({"connection_type": "GoogleOAuth", "saml_options": {}})),
            "connection_type",
        ),
        (
            with(json!({"connection_type": "GenericOIDC", "saml_options": {"idp_metadata_url": sso}})),
            "connection_type",
        ),
    ] {
        let (status, answer) = http::call(&emulator, Method::POST, "/connections", &body).await;
        assert_eq!(
            (status, &answer["errors"][0]["field"]),
            (422, &json!(field)),
            "{body}: {answer}"
        );
    }
    let unknown = json!({"organization_id": "org_none", "saml_options": {"idp_metadata_url": sso}});
    assert_eq!(
        http::call(&emulator, Method::POST, "/connections", &unknown)
            .await
            .0,
        404
    );
    let (_, list) = http::call(&emulator, Method::GET, "/connections", &Value::Null).await;
    assert_eq!(list["data"], json!([]));
    let filter = "/connections?connection_type=okta";
    assert_eq!(
        http::call(&emulator, Method::GET, filter, &Value::Null).await.0,
        422
    );
}

#[actix_web::test]
async fn an_oidc_connection_keeps_its_secret() {
    let (emulator, acme) = acme().await;
    let client = sdk::client(&emulator);
    let mut options: CreateConnectionOidcOptions = serde_json::from_value(json!({
        "discovery_endpoint": "https://idp.example.com/.well-known/openid-configuration", "client_id": "acme",
    }))
    .unwrap();
    options.client_secret = Some("hush-hush".into());
    let body = CreateConnectionParamsBody::new(
        acme.id.clone(),
        CreateProtocolOptions::Oidc {
            oidc_options: options,
        },
    );
    let created = client
        .sso()
        .create_connection(CreateConnectionParams::new(body))
        .await
        .unwrap();
    assert_eq!(created.connection_type.as_str(), "GenericOIDC");
    let path = format!("/connections/{}", created.id);
    let (_, body) = http::call(&emulator, Method::GET, &path, &Value::Null).await;
    assert!(!body.to_string().contains("hush"), "{body}");
    let refused = client
        .sso()
        .create_connection_saml_sp_signing_cert(&created.id)
        .await;
    assert_eq!(refusal(refused), (400, "connection_not_saml".to_owned()));
}

#[actix_web::test]
async fn certificates_come_go_and_are_told_of_on_the_clock() {
    let (emulator, acme) = acme().await;
    let clock = emulator.clock();
    clock.freeze();
    // 2027-09-01
    clock.set(SystemTime::UNIX_EPOCH + Duration::from_secs(1_819_756_800));
    let client = sdk::client(&emulator);
    let connection = client.sso().create_connection(saml(&acme)).await.unwrap();
    let sso = client.sso();
    let idp = sso
        .list_connection_saml_idp_signing_certs(&connection.id)
        .await
        .unwrap()
        .data;
    assert_eq!(idp.len(), 1);
    assert_eq!(idp[0].value.trim(), IDP_CERTIFICATE.trim());
    assert!(idp[0].not_after.as_deref().unwrap().starts_with("2027-11-25T"));
    // What the request did not bring was made, with a key that stays.
    let signing = sso
        .list_connection_saml_sp_signing_cert(&connection.id)
        .await
        .unwrap();
    assert!(signing.value.starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(signing.not_before.as_deref().unwrap().starts_with("2027-09-01T"));
    let encryption = sso
        .list_connection_saml_sp_encryption_certs(&connection.id)
        .await
        .unwrap()
        .data;
    assert_eq!(encryption.len(), 1);
    assert_ne!(encryption[0].value, signing.value);

    let again = CreateConnectionSAMLIdpSigningCertParams::new(
        serde_json::from_value::<CreateSAMLIdpSigningCertificate>(json!({"value": IDP_CERTIFICATE})).unwrap(),
    );
    let refused = sso
        .create_connection_saml_idp_signing_cert(&connection.id, again)
        .await;
    assert_eq!(refusal(refused), (409, "certificate_already_exists".to_owned()));
    let refused = sso.create_connection_saml_sp_signing_cert(&connection.id).await;
    assert_eq!(refusal(refused), (409, "certificate_already_exists".to_owned()));
    // A certificate of one kind is none of another.
    let refused = sso
        .delete_connection_saml_sp_encryption_cert(&connection.id, &signing.id)
        .await;
    assert_eq!(refusal(refused).0, 404);

    // 85 days before its end nothing is said; then several times, and every seven days after it.
    assert_eq!(events(&emulator, "connection.saml").await, []);
    let day = |days: u64| Duration::from_secs(days * 24 * 3600);
    clock.advance(day(30));
    clock.advance(day(0));
    let told = events(&emulator, "connection.saml").await;
    assert_eq!(names(&told), ["connection.saml_certificate_renewal_required"]);
    assert_eq!(
        told[0].1["connection"],
        json!({"id": connection.id, "organization_id": acme.id})
    );
    assert_eq!(told[0].1["certificate"]["certificate_type"], "ResponseSigning");
    assert_eq!(told[0].1["certificate"]["is_expired"], false);
    assert_eq!(told[0].1["days_until_expiry"], 55);
    for _ in 0..5 {
        clock.advance(day(14));
    }
    let told = events(&emulator, "connection.saml").await;
    let last = &told.last().unwrap().1;
    assert_eq!(last["certificate"]["is_expired"], true);
    assert!(last["days_until_expiry"].as_i64().unwrap() < 0, "{last}");
    let before = told.len();
    clock.advance(day(7));
    assert_eq!(events(&emulator, "connection.saml").await.len(), before + 1);

    // A new one of a kind renews it.
    sso.delete_connection_saml_sp_signing_cert(&connection.id, &signing.id)
        .await
        .unwrap();
    assert_eq!(
        refusal(sso.list_connection_saml_sp_signing_cert(&connection.id).await).0,
        404
    );
    let renewed = sso
        .create_connection_saml_sp_signing_cert(&connection.id)
        .await
        .unwrap();
    assert_ne!(renewed.id, signing.id);
    let told = events(&emulator, "connection.saml_certificate_renewed").await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].1["certificate"]["certificate_type"], "RequestSigning");
    sso.create_connection_saml_sp_encryption_cert(&connection.id)
        .await
        .unwrap();
    assert_eq!(
        events(&emulator, "connection.saml_certificate_renewed")
            .await
            .len(),
        2
    );
}

#[actix_web::test]
async fn a_key_pair_of_ones_own_has_to_fit() {
    let (emulator, acme) = acme().await;
    let options = json!({
        "idp_sso_url": "https://idp.example.com/sso", "idp_signing_certs": [IDP_CERTIFICATE],
        "sp_signing_key_pair": {"cert": IDP_CERTIFICATE, "key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"},
    });
    let body = json!({"organization_id": acme.id, "saml_options": options});
    let (status, answer) = http::call(&emulator, Method::POST, "/connections", &body).await;
    let field = &answer["errors"][0]["field"];
    assert_eq!(
        (status, field),
        (422, &json!("saml_options.sp_signing_key_pair.key")),
        "{answer}"
    );
}

#[actix_web::test]
async fn the_control_api_makes_them_with_the_people_they_know() {
    let (emulator, acme) = acme().await;
    let body = json!({
        "organization_id": acme.id, "name": "Okta", "connection_type": "OktaSAML", "domains": ["acme.test"],
        "profiles": [{"email": "Ada@acme.example", "first_name": "Ada", "groups": ["Engineering"], "raw_attributes": {"team": "x"}}],
    });
    let (status, created) = http::call(&emulator, Method::POST, "/_emulate/connections", &body).await;
    assert_eq!(status, 201, "{created}");
    assert_eq!(
        (&created["state"], &created["status"]),
        (&json!("active"), &json!("linked"))
    );
    assert_eq!(created["domains"].as_array().unwrap().len(), 2);
    assert_eq!(created["profiles"][0]["email"], "ada@acme.example");
    assert_eq!(created["profiles"][0]["raw_attributes"]["team"], "x");
    let id = created["id"].as_str().unwrap();
    let told = events(&emulator, "connection.").await;
    assert_eq!(names(&told), ["connection.activated"]);
    assert_eq!(told[0].1["domains"].as_array().unwrap().len(), 2);
    assert!(told[0].1["external_key"].as_str().unwrap().len() > 10);

    let path = format!("/_emulate/connections/{id}");
    let profiles = format!("{path}/profiles");
    let bob = json!({"email": "bob@acme.example"});
    let (status, profile) = http::call(&emulator, Method::POST, &profiles, &bob).await;
    assert_eq!((status, &profile["object"]), (201, &json!("profile")));
    assert_eq!(http::call(&emulator, Method::POST, &profiles, &bob).await.0, 409);
    let change = json!({"state": "inactive", "idp_initiated_sso": false});
    let (status, changed) = http::call(&emulator, Method::PATCH, &path, &change).await;
    assert_eq!((status, &changed["status"]), (200, &json!("unlinked")));
    let told = events(&emulator, "connection.").await;
    assert_eq!(names(&told), ["connection.activated", "connection.deactivated"]);
    for (path, body, status) in [
        (
            "/_emulate/connections",
            json!({"organization_id": acme.id, "connection_type": "Okta"}),
            422,
        ),
        (
            "/_emulate/connections",
            json!({"connection_type": "OktaSAML"}),
            422,
        ),
        (
            "/_emulate/connections",
            json!({"organization_id": acme.id, "group_roles": [{"group": "g", "role": "none"}]}),
            422,
        ),
        (
            "/_emulate/connections",
            json!({"organization_id": acme.id, "profiles": [{"email": "x"}]}),
            422,
        ),
        (
            "/_emulate/connections/conn_none/profiles",
            json!({"email": "a@b.example"}),
            404,
        ),
    ] {
        assert_eq!(
            http::call(&emulator, Method::POST, path, &body).await.0,
            status,
            "{path} {body}"
        );
    }
}

#[actix_web::test]
async fn a_seed_and_a_rust_test_make_them_too() {
    let seed = "
organizations: [{name: Acme}]
connections:
  - name: Acme Okta
    organization: Acme
    connection_type: OktaSAML
    domains: [acme.example]
    profiles: [{email: ada@acme.example, first_name: Ada, last_name: Lovelace, idp_id: '00u1', groups: [Engineering]}]
";
    let emulator = Emulator::builder().seed(seed).start().await.unwrap();
    let client = sdk::client(&emulator);
    let list = client
        .sso()
        .list_connections(ListConnectionsParams::default())
        .await
        .unwrap();
    assert_eq!(list.data[0].name, "Acme Okta");
    assert_eq!(list.data[0].state, ConnectionState::Active);
    assert_eq!(list.data[0].domains[0].domain, "acme.example");
    let globex = emulator.organization("Globex").create().unwrap();
    let connection = emulator
        .connection(&globex)
        .connection_type("GenericOIDC")
        .domain("globex.example")
        .validating()
        .profile(SsoProfile::new("eve@globex.example"))
        .create()
        .unwrap();
    let shown = client.sso().get_connection(&connection.id).await.unwrap();
    assert_eq!(
        (shown.name.as_str(), shown.state),
        ("Globex", ConnectionState::Validating)
    );
    let taken = emulator
        .connection(&globex)
        .domain("acme.example")
        .create()
        .unwrap_err();
    assert!(taken.to_string().contains("acme.example"), "{taken}");
    let wrong = "connections: [{name: A, organization: Nobody}]";
    let refused = Emulator::builder().seed(wrong).start().await.unwrap_err();
    assert!(
        refused.to_string().contains("no organization has this name"),
        "{refused}"
    );
}
