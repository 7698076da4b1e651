//! What an admin fills in.

use reqwest::Method;
use serde_json::{Value, json};
use workos::GenerateLinkIntent;

use super::{CERTIFICATE, EMAIL, OIDC, RENEWED, World, answer, metadata, typed, with_form};
use crate::{
    http,
    portal::title,
    sso_connections::{events, names},
};

#[actix_web::test]
async fn an_admin_sets_up_openid_connect_and_tests_it() {
    let world = World::new().await;
    let (first, path) = world.begin("OktaOIDC").await;
    assert_eq!(title(&first), "Create an application in Okta");
    assert!(first.text.contains("Sign-in redirect URIs"), "{}", first.text);
    let draft = world.connection().await;
    assert_eq!(
        (&draft["state"], &draft["connection_type"], &draft["name"]),
        (&json!("draft"), &json!("OktaOIDC"), &json!("Acme"))
    );
    // What is not configured cannot be tested.
    let too_early = world.post(&first, &format!("{path}/test"), &[]).await;
    assert!(
        too_early.text.contains("Go on with the setup"),
        "{}",
        too_early.text
    );

    let configured = world.post(&first, &format!("{path}/configuration"), &OIDC).await;
    assert_eq!(title(&configured), "Test the sign-in");
    assert_eq!(world.connection().await["state"], "validating");
    assert_eq!(events(&world.emulator, "connection.").await, []);

    let away = world.post(&configured, &format!("{path}/test"), &[]).await;
    let fields = [
        ("email", EMAIL),
        ("first_name", "<b>Ada"),
        ("groups", "Engineering"),
    ];
    let result = answer(&world.browser, &away, &fields).await;
    assert_eq!((result.status, title(&result)), (200, "The sign-in succeeded"));
    assert!(
        result.text.contains(EMAIL) && result.text.contains("Engineering") && !result.text.contains("<b>Ada"),
        "{}",
        result.text
    );
    assert_eq!(world.connection().await["state"], "active");
    let told = events(&world.emulator, "").await;
    let told: Vec<_> = told
        .iter()
        .filter(|(name, _)| name.starts_with("connection.") || name.starts_with("authentication."))
        .collect();
    let told_names: Vec<_> = told.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        told_names,
        [
            "authentication.sso_started",
            "connection.activated",
            "authentication.sso_succeeded"
        ]
    );
    assert!(told.iter().any(|(_, data)| data["sso"]["session_id"].is_string()));

    // It is an administrator's test: there is a profile, and nobody who would have signed in to the application.
    let (_, users) = http::call(
        &world.emulator,
        Method::GET,
        "/user_management/users",
        &Value::Null,
    )
    .await;
    assert_eq!(users["data"], json!([]));
    let (_, traces) = http::call(&world.emulator, Method::GET, "/_emulate/sso/traces", &Value::Null).await;
    let trace = &traces["data"][0];
    assert_eq!(
        (&trace["initiated_by"], &trace["status"], &trace["email"]),
        (&json!("admin_portal"), &json!("succeeded"), &json!(EMAIL))
    );

    // It is finished, and shows no secret.
    let page = world.go(&result, &path).await;
    assert!(
        page.text.contains(">Active</span>") && page.text.contains("acme-client"),
        "{}",
        page.text
    );
    let form = world.go(&result, &format!("{path}/configuration")).await;
    for page in [&page, &form] {
        assert!(!page.text.contains("s3cret-of-acme"), "{}", page.text);
    }
    let end = world
        .browser
        .submit_to("/portal/finish", &with_form(&result), &[])
        .await;
    assert!(
        end.location().path().ends_with("/portal/finished"),
        "{}",
        end.location()
    );
}

#[actix_web::test]
async fn a_form_that_is_sent_twice_begins_one_connection() {
    let world = World::new().await;
    let choice = world.open_sso().await;
    for provider in ["OktaSAML", "OktaSAML", "GoogleOIDC"] {
        let page = world
            .post(&choice, "/portal/sso", &[("provider", provider)])
            .await;
        assert_eq!(title(&page), "Create an application in Okta");
    }
    assert_eq!(world.connection().await["connection_type"], "OktaSAML");
    for wrong in ["GitHubOAuth", "TestIdp", "Pending", "nonsense", ""] {
        let world = World::new().await;
        let choice = world.open_sso().await;
        let refused = world.post(&choice, "/portal/sso", &[("provider", wrong)]).await;
        assert_eq!(refused.status, 400, "{wrong}");
        assert!(refused.text.contains("Choose one of the identity providers"));
    }
}

#[actix_web::test]
async fn what_is_incomplete_or_wrong_is_told_beside_its_field() {
    let world = World::new().await;
    let (first, path) = world.begin("GenericOIDC").await;
    let configuration = format!("{path}/configuration");
    let refused = async |fields: &[(&str, &str)]| {
        let refused = world.post(&first, &configuration, fields).await;
        assert_eq!(
            (refused.status, world.connection().await["state"].as_str()),
            (400, Some("draft"))
        );
        refused.text
    };
    let text = refused(&[]).await;
    for problem in [
        "Enter the discovery endpoint",
        "Enter the client ID",
        "Enter the client secret",
    ] {
        assert!(text.contains(problem), "{problem}: {text}");
    }
    for endpoint in ["javascript:alert(1)", "idp.acme.example", "file:///etc/passwd"] {
        let fields = [("discovery_endpoint", endpoint), OIDC[1], OIDC[2]];
        let text = refused(&fields).await;
        assert!(
            text.contains("Enter the whole address") && text.contains(OIDC[1].1),
            "{text}"
        );
        assert!(!text.contains(OIDC[2].1), "a secret is not shown again");
    }

    // Later the secret stays, unless there is a new one.
    world.post(&first, &configuration, &OIDC).await;
    let kept = world.post(
        &first,
        &configuration,
        &[OIDC[0], ("idp_client_id", "other"), ("idp_client_secret", "")],
    );
    assert_eq!(title(&kept.await), "Test the sign-in");
    let form = world.go(&first, &configuration).await;
    assert!(
        form.text.contains("value=\"other\"") && form.text.contains("Left empty"),
        "{}",
        form.text
    );

    let (first, path) = {
        world.post(&first, &path, &[("decision", "reset")]).await;
        world.begin("OktaSAML").await
    };
    let configuration = format!("{path}/configuration");
    for (fields, problem) in [
        (vec![("way", "manual")], "Paste the certificate"),
        (typed("nonsense").to_vec(), "The certificate cannot be used"),
        (vec![("way", "url")], "Enter the metadata URL"),
        (
            vec![("way", "url"), ("metadata_url", "idp")],
            "Enter the whole address",
        ),
        (vec![("way", "file")], "Choose the metadata file"),
        (
            vec![("way", "file"), ("metadata_xml", "<a/>")],
            "This cannot be used",
        ),
        // The fields of another protocol are none of this one.
        (OIDC.to_vec(), "Choose the metadata file"),
    ] {
        let refused = world.post(&first, &configuration, &fields).await;
        assert_eq!(refused.status, 400, "{problem}");
        assert!(refused.text.contains(problem), "{problem}: {}", refused.text);
    }
    assert_eq!(world.connection().await["state"], "draft");
    assert!(world.certificates().await.is_empty());
}

#[actix_web::test]
async fn metadata_come_as_a_file_at_an_address_or_typed() {
    let world = World::new().await;
    let (first, path) = world.begin("OktaSAML").await;
    let key = first.text.split_once("/sso/saml/acs/").unwrap().1;
    assert!(
        first.text.contains("SP Entity ID") && key.len() > 20,
        "{}",
        first.text
    );
    let configuration = format!("{path}/configuration");
    let form = with_form(&first);
    let upload = async |file: &[u8]| {
        let fields = [("way", "file"), ("metadata_xml", "")];
        world
            .browser
            .upload_to(&configuration, &form, &fields, ("metadata_file", file))
            .await
    };
    assert_eq!(upload(&vec![b' '; 1024 * 1024 + 1]).await.status, 413);
    let binary = upload(b"\xff\xfe<\0a\0").await;
    assert_eq!(binary.status, 400);
    let uploaded = upload(metadata(&[CERTIFICATE, RENEWED]).as_bytes()).await;
    assert_eq!(uploaded.status, 303, "{}", uploaded.text);
    assert_eq!(world.connection().await["state"], "validating");
    // Those that it begins with renew nothing.
    assert_eq!(world.certificates().await.len(), 2);
    assert_eq!(events(&world.emulator, "connection.").await, []);
    let present = world.go(&first, &configuration).await.text;
    assert!(
        present.contains("urn:acme:metadata") && present.contains("/metadata-sso"),
        "{present}"
    );

    // An identity provider that is typed takes the place of the other, with its certificates.
    world.post(&first, &configuration, &typed(RENEWED)).await;
    let kept = world.certificates().await;
    assert_eq!(
        (kept.len(), kept[0]["value"].as_str().unwrap().trim()),
        (1, RENEWED.trim())
    );
    let present = world.go(&first, &configuration).await.text;
    assert!(
        present.contains("value=\"urn:acme\"") && !present.contains("urn:acme:metadata"),
        "{present}"
    );
    world.post(&first, &configuration, &typed(CERTIFICATE)).await;
    let told = events(&world.emulator, "connection.").await;
    assert_eq!(names(&told), ["connection.saml_certificate_renewed"]);

    let at_url = [
        ("way", "url"),
        ("metadata_url", "https://idp.acme.example/metadata"),
    ];
    world.post(&first, &configuration, &at_url).await;
    assert!(world.certificates().await.is_empty());
    let present = world.go(&first, &configuration).await.text;
    assert!(
        present.contains("https://idp.acme.example/metadata") && !present.contains("urn:acme"),
        "{present}"
    );
}

#[actix_web::test]
async fn attributes_have_the_names_that_the_provider_gives_them() {
    let world = World::new().await;
    let (first, path) = world.begin("KeycloakSAML").await;
    let attributes = format!("{path}/attributes");
    let page = world.go(&first, &attributes).await;
    assert!(page.text.contains("<code>firstName</code>") && page.text.contains("<code>groups</code>"));
    let long = "x".repeat(256);
    let refused = world.post(&first, &attributes, &[("email", &long)]).await;
    assert_eq!(refused.status, 400);
    let saved = world
        .post(
            &first,
            &attributes,
            &[("email", " mail "), ("first_name", "firstName"), ("groups", "")],
        )
        .await;
    assert!(saved.text.contains("<code>mail</code>"), "{}", saved.text);
    world
        .post(&first, &format!("{path}/configuration"), &typed(CERTIFICATE))
        .await;
    let away = world.post(&first, &format!("{path}/test"), &[]).await;
    let result = answer(
        &world.browser,
        &away,
        &[("email", EMAIL), ("attributes", "badge: 17")],
    )
    .await;
    assert_eq!(title(&result), "The sign-in succeeded");
    assert!(
        result.text.contains("&#34;mail&#34;") && result.text.contains("badge"),
        "{}",
        result.text
    );
}

#[actix_web::test]
async fn a_connection_of_another_organization_is_out_of_reach() {
    let world = World::new().await;
    let (first, own) = world.begin("OktaSAML").await;
    world
        .post(&first, &format!("{own}/configuration"), &typed(CERTIFICATE))
        .await;
    let other = world
        .emulator
        .organization("Other")
        .domain("other.example")
        .create()
        .unwrap();
    let foreign = world
        .emulator
        .connection(&other)
        .connection_type("OktaSAML")
        .create()
        .unwrap();
    let foreign_path = format!("/portal/sso/{}", foreign.id);
    let certificates = world.open(GenerateLinkIntent::CertificateRenewal).await;
    let of_other = format!("/portal/certificates/{}", foreign.id);
    for path in [
        "",
        "/application",
        "/attributes",
        "/configuration",
        "/test",
        "/sessions/x",
    ] {
        let seen = world.go(&first, &format!("{foreign_path}{path}")).await;
        assert_eq!(
            (seen.status, title(&seen)),
            (400, "This page is not open to you"),
            "{path}"
        );
    }
    assert_eq!(world.go(&certificates, &of_other).await.status, 400);
    for (page, path, fields) in [
        (&first, foreign_path.clone(), vec![("decision", "reset")]),
        (
            &first,
            format!("{foreign_path}/attributes"),
            vec![("email", "evil")],
        ),
        (
            &first,
            format!("{foreign_path}/configuration"),
            typed(CERTIFICATE).to_vec(),
        ),
        (&first, format!("{foreign_path}/test"), vec![]),
        (&certificates, of_other, vec![("certificate", RENEWED)]),
        // Nor is one session good for the intent of another.
        (
            &first,
            own.replace("/portal/sso", "/portal/certificates"),
            vec![("certificate", RENEWED)],
        ),
        (&certificates, own.clone(), vec![("decision", "reset")]),
    ] {
        let sent = world.post(page, &path, &fields).await;
        assert_eq!(sent.status, 400, "{path}");
    }
    // A sign-in through the other connection is none of this one.
    let away = world.post(&first, &format!("{own}/test"), &[]).await;
    let result = answer(&world.browser, &away, &[("email", EMAIL)]).await;
    let session_id = result.url.path().rsplit('/').next().unwrap().to_owned();
    let seen = world
        .go(&first, &format!("{foreign_path}/sessions/{session_id}"))
        .await;
    assert_eq!(seen.status, 400);
    assert_eq!(
        world
            .go(&first, &format!("{own}/sessions/{session_id}"))
            .await
            .status,
        200
    );
    assert_eq!(world.certificates().await.len(), 1);

    // Another site can send none of the forms, in the very browser of the admin.
    let pairs: Vec<_> = first.url.query_pairs().into_owned().collect();
    for path in [own.clone(), format!("{own}/test"), "/portal/sso".to_owned()] {
        let request = http::client()
            .post(format!("{}{path}", world.emulator.url()))
            .header("sec-fetch-site", "cross-site")
            .header("origin", "https://evil.example")
            .form(&pairs);
        assert_eq!(request.send().await.unwrap().status(), 403, "{path}");
    }
}

#[actix_web::test]
async fn a_connection_without_a_type_gets_one_and_a_reset_begins_again() {
    let world = World::new().await;
    let pending = json!({"organization_id": world.acme.id, "connection_type": "Pending"});
    let (_, pending) = http::call(&world.emulator, Method::POST, "/_emulate/connections", &pending).await;
    assert_eq!(pending["state"], "requires_type");
    let (first, path) = world.begin("PingOneSAML").await;
    let connection = world.connection().await;
    assert_eq!(
        (
            &connection["id"],
            &connection["state"],
            &connection["connection_type"]
        ),
        (&pending["id"], &json!("draft"), &json!("PingOneSAML"))
    );
    let ignored = world.post(&first, &path, &[("decision", "anything")]).await;
    assert_eq!(title(&ignored), "PingOne");
    let reset = world.post(&first, &path, &[("decision", "reset")]).await;
    assert_eq!(title(&reset), "Single Sign-On");
    assert_eq!(
        names(&events(&world.emulator, "connection.").await),
        ["connection.deleted"]
    );
    assert_eq!(world.go(&first, &path).await.status, 400);
}
