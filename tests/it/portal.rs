//! The Admin Portal, in the browser of an IT admin and in those of others.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use workos::{
    GenerateLink, GenerateLinkIntent, RevokeLink,
    admin_portal::{GenerateLinkParams, RevokeLinkParams},
};
use workos_emulator::Emulator;

use crate::{
    browser::{Browser, Page},
    http,
    sdk::{self, refusal},
};

pub(crate) fn wanted(organization: &str, intent: Option<GenerateLinkIntent>) -> GenerateLink {
    GenerateLink {
        return_url: None,
        success_url: None,
        organization: organization.to_owned(),
        external_user_id: None,
        intent,
        it_contact_emails: None,
    }
}

pub(crate) async fn generate(emulator: &Emulator, wanted: GenerateLink) -> Result<String, workos::Error> {
    let link = sdk::client(emulator)
        .admin_portal()
        .generate_link(GenerateLinkParams::new(wanted))
        .await?;
    Ok(link.link.expose().to_owned())
}

pub(crate) fn title(page: &Page) -> &str {
    let (_, rest) = page
        .text
        .split_once("<h1>")
        .unwrap_or_else(|| panic!("{}", page.text));
    rest.split_once("</h1>").unwrap().0
}

/// An emulator with an organization, and a browser that has opened the portal to verify its domains.
async fn opened() -> (Emulator, String, Browser, Page) {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator.organization("Acme").create().unwrap().id;
    let link = generate(
        &emulator,
        wanted(&acme, Some(GenerateLinkIntent::DomainVerification)),
    )
    .await
    .unwrap();
    let browser = Browser::new();
    let page = browser.visit(link).await;
    assert_eq!((page.status, title(&page)), (200, "Domain verification"));
    (emulator, acme, browser, page)
}

#[actix_web::test]
async fn every_intent_has_a_page() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator.organization("Acme").create().unwrap().id;
    for (intent, heading) in [
        (GenerateLinkIntent::DomainVerification, "Domain verification"),
        (GenerateLinkIntent::SSO, "Single Sign-On"),
        (GenerateLinkIntent::Dsync, "Directory Sync"),
        (GenerateLinkIntent::CertificateRenewal, "Certificate renewal"),
        (GenerateLinkIntent::AuditLogs, "Audit logs"),
        (GenerateLinkIntent::LogStreams, "Log streams"),
        (GenerateLinkIntent::BringYourOwnKey, "Bring your own key"),
    ] {
        let link = generate(&emulator, wanted(&acme, Some(intent))).await.unwrap();
        let page = Browser::new().visit(&link).await;
        assert_eq!((page.status, title(&page)), (200, heading));
        assert!(!page.url.as_str().contains("token"), "{}", page.url);
    }
    let link = generate(&emulator, wanted(&acme, None)).await.unwrap();
    let page = Browser::new().visit(&link).await;
    assert_eq!(title(&page), "Set up Acme");
    assert!(page.text.contains("Log streams") && page.text.contains("Directory Sync"));
}

#[actix_web::test]
async fn refuses_links_that_cannot_be() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator.organization("Acme").create().unwrap().id;
    assert_eq!(
        refusal(generate(&emulator, wanted("org_x", None)).await),
        (404, "entity_not_found".to_owned())
    );
    let unsafe_return = GenerateLink {
        return_url: Some("http://app.example.com".to_owned()),
        ..wanted(&acme, None)
    };
    assert_eq!(
        refusal(generate(&emulator, unsafe_return).await),
        (400, "invalid_return_url".to_owned())
    );
    let unknown_intent = wanted(&acme, Some(GenerateLinkIntent::Unknown("nonsense".to_owned())));
    assert_eq!(refusal(generate(&emulator, unknown_intent).await).0, 422);
    let setting = json!({"admin_portal": {"intents": ["dsync"]}});
    let (status, _) = http::call(&emulator, Method::PATCH, "/_emulate/settings", &setting).await;
    assert_eq!(status, 200);
    let switched_off = wanted(&acme, Some(GenerateLinkIntent::SSO));
    assert_eq!(
        refusal(generate(&emulator, switched_off).await),
        (403, "intent_not_enabled".to_owned())
    );
    for wrong in [
        json!({"admin_portal": {"intents": ["nonsense"]}}),
        json!({"admin_portal": {"return_url": "http://app.example.com"}}),
    ] {
        let (status, _) = http::call(&emulator, Method::PATCH, "/_emulate/settings", &wrong).await;
        assert_eq!(status, 422);
    }
}

#[actix_web::test]
async fn a_domain_is_verified_by_its_record() {
    let (emulator, acme, browser, list) = opened().await;
    let setting = json!({"domain_verification": "manual"});
    http::call(&emulator, Method::PATCH, "/_emulate/settings", &setting).await;
    for (typed, problem) in [
        ("gmail.com", "consumer domain"),
        ("not a domain", "is not a domain"),
        ("", "is not a domain"),
    ] {
        let refused = browser.submit(&list, &[("domain", typed)]).await;
        assert_eq!(refused.status, 400, "{typed}");
        assert!(refused.text.contains(problem), "{}", refused.text);
    }
    let page = browser.submit(&list, &[("domain", "Acme.Example")]).await;
    assert_eq!(title(&page), "acme.example");
    let organization = sdk::client(&emulator)
        .organizations()
        .get_organization(&acme)
        .await
        .unwrap();
    let domain = &organization.domains[0];
    let record = format!(
        "{}={}",
        domain.verification_prefix.as_deref().unwrap(),
        domain.verification_token.as_ref().unwrap().expose()
    );
    assert!(
        page.text.contains(&record) && page.text.contains("30 days"),
        "{}",
        page.text
    );
    let again = browser.submit(&list, &[("domain", "acme.example")]).await;
    assert!(again.text.contains("in the list already"), "{}", again.text);

    let missing = browser.submit(&page, &[("decision", "check")]).await;
    assert!(missing.text.contains("was not found yet"), "{}", missing.text);
    let dns = format!("/_emulate/organization_domains/{}/dns", domain.id);
    assert!(missing.text.contains(&dns));
    http::call(&emulator, Method::POST, &dns, &json!({"txt": []})).await;
    let setting = json!({"domain_verification": "auto"});
    http::call(&emulator, Method::PATCH, "/_emulate/settings", &setting).await;
    let missing = browser.submit(&page, &[("decision", "check")]).await;
    assert!(missing.text.contains("was not found yet"), "{}", missing.text);
    http::call(&emulator, Method::POST, &dns, &Value::Null).await;
    let verified = browser.visit(page.url.clone()).await;
    assert!(verified.text.contains(">Verified</span>"), "{}", verified.text);

    // A verified domain stays, whatever is sent.
    let kept = browser
        .submit_to(page.url.path(), &verified, &[("decision", "remove")])
        .await;
    assert_eq!(kept.status, 303);
    assert_eq!(browser.visit(page.url).await.status, 200);
}

#[actix_web::test]
async fn a_failed_domain_is_tried_again_or_removed() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator
        .organization("Acme")
        .pending_domain("acme.example")
        .create()
        .unwrap()
        .id;
    let link = generate(
        &emulator,
        wanted(&acme, Some(GenerateLinkIntent::DomainVerification)),
    )
    .await
    .unwrap();
    let browser = Browser::new();
    let list = browser.visit(link).await;
    let organizations = sdk::client(&emulator);
    let domains = async || {
        organizations
            .organizations()
            .get_organization(&acme)
            .await
            .unwrap()
            .domains
    };
    let path = format!("/_emulate/organization_domains/{}", domains().await[0].id);
    http::call(&emulator, Method::PATCH, &path, &json!({"state": "failed"})).await;
    let id = &domains().await[0].id;
    let domain = list
        .url
        .join(&format!("/portal/domains/{id}?{}", list.url.query().unwrap()));
    let failed = browser.visit(domain.unwrap()).await;
    assert!(
        failed.text.contains("not found within 30 days"),
        "{}",
        failed.text
    );
    let waiting = browser.submit(&failed, &[("decision", "restart")]).await;
    assert!(waiting.text.contains(">Pending</span>"), "{}", waiting.text);
    let list = browser.submit(&waiting, &[("decision", "remove")]).await;
    assert_eq!(title(&list), "Domain verification");
    assert!(domains().await.is_empty());
}

#[actix_web::test]
async fn the_end_leads_back_to_the_application() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator
        .organization("Acme")
        .domain("acme.example")
        .create()
        .unwrap()
        .id;
    let link = GenerateLink {
        return_url: Some("https://app.example.com/settings".to_owned()),
        success_url: Some("https://app.example.com/done".to_owned()),
        ..wanted(&acme, Some(GenerateLinkIntent::DomainVerification))
    };
    let link = generate(&emulator, link).await.unwrap();
    let browser = Browser::new();
    let page = browser.visit(link).await;
    assert!(
        page.text.contains(r#"href="https://app.example.com/settings""#),
        "{}",
        page.text
    );
    let end = browser.submit_to("/portal/finish", &page, &[]).await;
    assert_eq!(
        (end.status, end.location().as_str()),
        (303, "https://app.example.com/done")
    );
    // The session is over.
    assert_eq!(browser.visit(page.url).await.status, 400);
}

#[actix_web::test]
async fn a_link_opens_once_and_soon() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator.organization("Acme").create().unwrap().id;
    let link = async || generate(&emulator, wanted(&acme, None)).await.unwrap();
    let used = link().await;
    // Programs that read mail or chat look whether a link is good; it still is afterwards.
    for _ in 0..2 {
        let looked = http::client().head(&used).send().await.unwrap();
        assert_eq!(looked.status(), 200);
        assert!(!looked.headers().contains_key("set-cookie"));
    }
    assert_eq!(Browser::new().visit(&used).await.status, 200);
    let late = link().await;
    emulator.clock().advance(Duration::from_secs(300));
    let never = format!("{}/portal?token=eyJhbGciOiJub25lIn0.e30.", emulator.url());
    for over in [used, late, never, format!("{}/portal", emulator.url())] {
        let page = Browser::new().visit(&over).await;
        assert_eq!((page.status, title(&page)), (400, "This link is over"), "{over}");
    }
}

#[actix_web::test]
async fn only_the_browser_that_opened_the_link_gets_in() {
    let (emulator, _, browser, page) = opened().await;
    let stranger = Browser::new();
    let seen = stranger.visit(page.url.clone()).await;
    assert_eq!((seen.status, title(&seen)), (400, "This page is not open to you"));
    let sent = stranger.submit(&page, &[("domain", "evil.example")]).await;
    assert_eq!(sent.status, 400);
    assert!(
        !browser
            .visit(page.url.clone())
            .await
            .text
            .contains("evil.example")
    );

    // A session lasts for hours, not for ever.
    emulator.clock().advance(Duration::from_secs(8 * 3600));
    assert_eq!(browser.visit(page.url).await.status, 400);
}

#[actix_web::test]
async fn no_browser_brings_its_own_session() {
    let (emulator, acme, attacker, page) = opened().await;
    // The victim's browser was given the attacker's cookie; the link still begins a session that the attacker has no part in.
    let victim = attacker.copy(page.url.as_str());
    let link = generate(&emulator, wanted(&acme, None)).await.unwrap();
    let opened = victim.visit(link).await;
    assert_eq!(opened.status, 200);
    assert_ne!(opened.url.query(), page.url.query());
    assert_eq!(attacker.visit(opened.url).await.status, 400);
}

#[actix_web::test]
async fn another_site_sends_no_forms() {
    let (emulator, acme, browser, page) = opened().await;
    let query: Vec<_> = page.url.query_pairs().into_owned().collect();
    let session = query
        .iter()
        .find(|(name, _)| name == "portal_session_id")
        .unwrap();
    let forged = http::client()
        .post(format!("{}/portal/domains", emulator.url()))
        .header("sec-fetch-site", "cross-site")
        .header("origin", "https://evil.example")
        .form(&[
            (session.0.as_str(), session.1.as_str()),
            ("domain", "evil.example"),
        ]);
    assert_eq!(forged.send().await.unwrap().status(), 403);
    let organization = sdk::client(&emulator)
        .organizations()
        .get_organization(&acme)
        .await
        .unwrap();
    assert!(organization.domains.is_empty());
    // And no other site can frame the page or read where it came from.
    let csp = page.headers["content-security-policy"].to_str().unwrap();
    assert!(csp.contains("frame-ancestors 'none'"), "{csp}");
    assert_eq!(browser.visit(page.url).await.status, 200);
}

#[actix_web::test]
async fn a_session_is_for_its_organization_and_its_intent() {
    let (emulator, _, browser, page) = opened().await;
    let other = emulator
        .organization("Other")
        .domain("other.example")
        .create()
        .unwrap();
    let organization = sdk::client(&emulator)
        .organizations()
        .get_organization(&other.id)
        .await
        .unwrap();
    let foreign = format!("/portal/domains/{}", organization.domains[0].id);
    let seen = browser
        .visit(
            page.url
                .join(&format!("{foreign}?{}", page.url.query().unwrap()))
                .unwrap(),
        )
        .await;
    assert_eq!((seen.status, title(&seen)), (400, "This page is not open to you"));
    let sent = browser
        .submit_to(&foreign, &page, &[("decision", "remove")])
        .await;
    assert_eq!(sent.status, 400);
    let organization = sdk::client(&emulator)
        .organizations()
        .get_organization(&other.id)
        .await
        .unwrap();
    assert_eq!(organization.domains.len(), 1);

    let sso = page
        .url
        .join(&format!("/portal/sso?{}", page.url.query().unwrap()))
        .unwrap();
    assert_eq!(browser.visit(sso).await.status, 400);
}

#[actix_web::test]
async fn revoking_ends_the_links_and_sessions_of_one_user() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator.organization("Acme").create().unwrap().id;
    let link = async |user: &str| {
        let link = GenerateLink {
            external_user_id: Some(user.to_owned()),
            ..wanted(&acme, None)
        };
        generate(&emulator, link).await.unwrap()
    };
    let (open, of_bob) = (Browser::new(), Browser::new());
    let page = open.visit(link("ada").await).await;
    let unopened = link("ada").await;
    let bobs = of_bob.visit(link("bob").await).await;
    let sdk = sdk::client(&emulator);
    let revoke = async |organization: &str, user: &str| {
        let body = RevokeLink {
            organization: organization.to_owned(),
            external_user_id: user.to_owned(),
        };
        sdk.admin_portal().revoke_link(RevokeLinkParams::new(body)).await
    };
    revoke(&acme, "ada").await.unwrap();
    assert_eq!(open.visit(page.url).await.status, 400);
    assert_eq!(Browser::new().visit(unopened).await.status, 400);
    assert_eq!(of_bob.visit(bobs.url).await.status, 200);
    revoke(&acme, "nobody").await.unwrap();
    assert_eq!(refusal(revoke("org_x", "ada").await).0, 404);
}

#[actix_web::test]
async fn a_directory_is_linked_and_shows_its_token_once() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator.organization("Acme").create().unwrap();
    let link = generate(&emulator, wanted(&acme.id, Some(GenerateLinkIntent::Dsync)))
        .await
        .unwrap();
    let browser = Browser::new();
    let list = browser.visit(link).await;
    let refused = browser.submit(&list, &[("provider", "carrier pigeon")]).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.text.contains("Choose one of the providers"),
        "{}",
        refused.text
    );
    let mut events = emulator.events();
    let linked = browser.submit(&list, &[("provider", "okta scim v2.0")]).await;
    assert_eq!((linked.status, title(&linked)), (200, "Okta"));
    let (_, token) = linked.text.split_once("<code>se_").unwrap();
    let token = format!("se_{}", token.split_once('<').unwrap().0);
    let activated = events.expect("dsync.activated").await.unwrap();
    assert_eq!(activated.data["organization_id"], acme.id);

    // The list leads to it, without the token; and the same form sent again links nothing more.
    let again = browser.submit(&list, &[("provider", "okta scim v2.0")]).await;
    let directory = again.text.split_once("/portal/directory-sync/").unwrap().1;
    let path = format!("/portal/directory-sync/{}", directory.split_once('?').unwrap().0);
    assert_eq!(again.text.matches("/portal/directory-sync/directory_").count(), 1);
    let at = |path: &str| {
        list.url
            .join(&format!("{path}?{}", list.url.query().unwrap()))
            .unwrap()
    };
    let page = browser.visit(at(&path)).await;
    assert!(page.text.contains("/scim/v2.0/") && page.text.contains("Nobody has come"));
    assert!(!page.text.contains(&token) && page.text.contains(&token[token.len() - 4..]));

    // Somebody comes over it.
    let user = json!({"email": "ada@acme.example", "first_name": "<b>Ada", "groups": ["Engineering"]});
    let users = path.replace("/portal/directory-sync", "/_emulate/directories") + "/users";
    let (status, body) = http::call(&emulator, Method::POST, &users, &user).await;
    assert_eq!(status, 201, "{body}");
    let page = browser.visit(at(&path)).await;
    assert!(
        page.text.contains("Users (1)") && page.text.contains("ada@acme.example"),
        "{}",
        page.text
    );
    assert!(
        page.text.contains("Groups (1)") && page.text.contains("Engineering") && !page.text.contains("<b>")
    );

    let rotated = browser.submit_to(&path, &page, &[("decision", "rotate")]).await;
    assert!(rotated.text.contains("Copy the token now") && !rotated.text.contains(&token));
    let reset = browser.submit_to(&path, &page, &[("decision", "reset")]).await;
    assert_eq!(reset.status, 303);
    events.expect("dsync.deleted").await.unwrap();
    assert_eq!(browser.visit(at(&path)).await.status, 400);
}

#[actix_web::test]
async fn a_directory_of_another_organization_is_out_of_reach() {
    let emulator = Emulator::start().await.unwrap();
    let [acme, other] = ["Acme", "Other"].map(|name| emulator.organization(name).create().unwrap());
    let foreign = emulator.directory(&other).create().unwrap();
    let link = generate(&emulator, wanted(&acme.id, Some(GenerateLinkIntent::Dsync)))
        .await
        .unwrap();
    let browser = Browser::new();
    let list = browser.visit(link).await;
    let path = format!("/portal/directory-sync/{}", foreign.id);
    let url = list
        .url
        .join(&format!("{path}?{}", list.url.query().unwrap()))
        .unwrap();
    assert_eq!(browser.visit(url).await.status, 400);
    for decision in ["rotate", "reset"] {
        let sent = browser.submit_to(&path, &list, &[("decision", decision)]).await;
        assert_eq!(sent.status, 400, "{decision}");
    }
    let (_, found) = http::call(
        &emulator,
        Method::GET,
        &format!("/directories/{}", foreign.id),
        &Value::Null,
    )
    .await;
    assert_eq!(found["state"], "linked");
}
