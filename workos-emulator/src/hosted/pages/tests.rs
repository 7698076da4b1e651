use super::{code::CodePage, *};

/// Breaks out of every context that a template could put it in, unless it is escaped.
const HOSTILE: &str = r#""><script>alert('x')</script><img src=x onerror=alert(1)>&lt;"#;
const CHROME: Chrome<'static> = Chrome {
    lang: "en",
    environment: Cow::Borrowed("Acme"),
    logo: None,
    brand_style: None,
};
const FORM: Form<'static> = Form {
    action: "/authkit/sign-in",
    hidden: &[("authorization_session_id", "01KA")],
};

fn sign_in() -> SignInPage<'static> {
    SignInPage {
        chrome: CHROME,
        form: FORM,
        email: "",
        invitation: None,
        error: None,
        sign_up: Some(("/authkit/sign-up", "Sign up")),
        passkey: None,
        providers: ProviderButtons::default(),
        by_email: true,
    }
}

fn password() -> PasswordPage<'static> {
    PasswordPage {
        chrome: CHROME,
        form: FORM,
        email: "alice@acme.com",
        error: None,
        forgot_password_url: "/authkit/forgot-password",
        passkey: None,
        sign_in_url: "/authkit/sign-in",
        code_form: None,
    }
}

fn sign_up() -> SignUpPage<'static> {
    SignUpPage {
        chrome: CHROME,
        form: FORM,
        invitation: None,
        invited_email: None,
        error: None,
        first_name: TextField::default(),
        last_name: TextField::default(),
        email: TextField::default(),
        with_password: true,
        with_code: false,
        password_problems: &[],
        password_hint: "At least 10 characters.",
        sign_in_url: "/authkit/sign-in",
        providers: ProviderButtons::default(),
    }
}

fn every_page(text: &str) -> Vec<String> {
    let chrome = Chrome {
        lang: text,
        environment: text.into(),
        logo: Some(text.to_owned()),
        brand_style: Some(text.to_owned()),
    };
    let hidden = [(text, text)];
    let form = Form {
        action: text,
        hidden: &hidden,
    };
    let problems = [text.to_owned()];
    let field = TextField {
        value: text,
        problems: &problems,
    };
    let organizations = [OrganizationChoice { id: text, name: text }];
    [
        SignInPage {
            chrome: chrome.clone(),
            form,
            email: text,
            error: Some(text),
            invitation: Some(text),
            sign_up: Some((text, text)),
            passkey: None,
            providers: ProviderButtons::default(),
            by_email: true,
        }
        .render(),
        PasswordPage {
            chrome: chrome.clone(),
            form,
            email: text,
            error: Some(text),
            forgot_password_url: text,
            passkey: None,
            sign_in_url: text,
            code_form: None,
        }
        .render(),
        CodePage {
            chrome: chrome.clone(),
            form,
            title: text,
            email: text,
            submit: text,
            error: Some(text),
            sent_again: true,
            sign_in_url: text,
            password_url: Some(text),
        }
        .render(),
        SignUpPage {
            chrome: chrome.clone(),
            form,
            invitation: Some(text),
            invited_email: Some((text, true)),
            error: Some(text),
            first_name: field,
            last_name: field,
            email: field,
            with_password: true,
            with_code: true,
            password_problems: &problems,
            password_hint: text,
            sign_in_url: text,
            providers: ProviderButtons::default(),
        }
        .render(),
        OrganizationPage {
            chrome: chrome.clone(),
            form,
            email: text,
            organizations: &organizations,
            sign_in_url: text,
        }
        .render(),
        SignedOutPage {
            chrome: chrome.clone(),
            return_to: Some(text),
            leads_nowhere: true,
        }
        .render(),
        ErrorPage {
            chrome: chrome.clone(),
            title: text,
            what_happened: text,
            why: text,
            what_to_do: text,
            example: Some(text),
            request_id: text,
        }
        .render(),
    ]
    .map(Result::unwrap)
    .into()
}

/// The whole tags of `html` that begin with `start`.
fn tags<'a>(html: &'a str, start: &str) -> Vec<&'a str> {
    html.match_indices(start)
        .map(|(at, _)| &html[at..=at + html[at..].find('>').unwrap()])
        .collect()
}

fn input<'a>(html: &'a str, name: &str) -> &'a str {
    let named = format!(r#"name="{name}""#);
    let found: Vec<_> = tags(html, "<input")
        .into_iter()
        .filter(|tag| tag.contains(&named))
        .collect();
    assert_eq!(found.len(), 1, "one input named {name} in {html}");
    found[0]
}

#[test]
fn every_text_is_escaped_on_every_page() {
    for (hostile, harmless) in every_page(HOSTILE).iter().zip(every_page("plain")) {
        assert!(
            hostile.contains("&#60;script&#62;alert(&#39;x&#39;)"),
            "{hostile}"
        );
        for tag in ["<script", "<img", "<"] {
            assert_eq!(
                hostile.matches(tag).count(),
                harmless.matches(tag).count(),
                "{tag} in {hostile}"
            );
        }
        assert_eq!(
            hostile.matches('"').count(),
            harmless.matches('"').count(),
            "{hostile}"
        );
    }
}

#[test]
fn every_page_stands_on_the_same_frame() {
    for html in every_page("plain") {
        for once in [
            "<main",
            "<h1>",
            "<title>",
            "<html lang=\"plain\">",
            "</html>",
            r#"<meta name="robots" content="noindex, nofollow">"#,
            r#"<meta name="viewport" content="width=device-width, initial-scale=1">"#,
        ] {
            assert_eq!(html.matches(once).count(), 1, "{once} in {html}");
        }
        assert!(
            html.contains(&format!(r#"<link rel="stylesheet" href="{}">"#, *PATH)),
            "{html}"
        );
        for forbidden in ["<script", "<style", " style=", " onclick=", "javascript:"] {
            assert!(!html.contains(forbidden), "{forbidden} in {html}");
        }
        assert!(html.matches(" autofocus").count() <= 1, "{html}");
    }
}

#[test]
fn every_control_has_a_label_and_every_description_exists() {
    for html in every_page("plain") {
        for tag in tags(&html, "<input")
            .into_iter()
            .filter(|tag| !tag.contains(r#"type="hidden""#))
        {
            let id = tag.split(r#"id=""#).nth(1).unwrap().split('"').next().unwrap();
            assert!(html.contains(&format!(r#"<label for="{id}">"#)), "{tag}");
            let descriptions = tag
                .split(r#"aria-describedby=""#)
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap();
            for id in descriptions.split_whitespace() {
                assert_eq!(
                    html.matches(&format!(r#" id="{id}""#)).count(),
                    1,
                    "{id} in {html}"
                );
            }
        }
    }
}

#[test]
fn sign_in_asks_for_the_email_and_then_the_password() {
    let html = sign_in().render().unwrap();
    assert!(html.contains("<title>Sign in · Acme</title>"));
    assert!(html.contains(r#"<form method="post" action="/authkit/sign-in">"#));
    assert_eq!(
        input(&html, "authorization_session_id"),
        r#"<input type="hidden" name="authorization_session_id" value="01KA">"#
    );
    let email = input(&html, "email");
    for attribute in [
        r#"type="email""#,
        r#"autocomplete="username""#,
        r#"value="""#,
        " required",
        " autofocus",
    ] {
        assert!(email.contains(attribute), "{attribute} in {email}");
    }
    assert!(!html.contains("role=\"alert\"") && !html.contains("aria-invalid"));
    assert!(html.contains(r#"<a href="/authkit/sign-up">Sign up</a>"#));
}

#[test]
fn a_password_is_asked_for_and_not_shown() {
    let html = password().render().unwrap();
    let password = input(&html, "password");
    for attribute in [
        r#"type="password""#,
        r#"autocomplete="current-password""#,
        " required",
        " autofocus",
    ] {
        assert!(password.contains(attribute), "{attribute} in {password}");
    }
    assert!(!password.contains("value="), "{password}");
    assert!(html.contains("alice@acme.com") && html.contains(r#"<a href="/authkit/sign-in">Change</a>"#));
}

#[test]
fn a_refused_password_says_so_first_and_at_the_field() {
    let page = PasswordPage {
        error: Some("Incorrect email or password."),
        ..password()
    };
    let html = page.render().unwrap();
    assert!(html.contains("<title>Error: Enter your password · Acme</title>"));
    assert_eq!(
        tags(&html, r#"<div class="alert""#),
        [r#"<div class="alert" id="alert" role="alert" tabindex="-1" autofocus>"#]
    );
    assert!(html.contains("Incorrect email or password."));
    let tag = input(&html, "password");
    assert!(
        tag.contains(r#"aria-invalid="true" aria-describedby="alert ""#),
        "{tag}"
    );
    assert!(!tag.contains("autofocus"));
}

#[test]
fn sign_up_asks_for_a_new_password_and_says_what_it_needs() {
    let html = sign_up().render().unwrap();
    assert!(html.contains("<title>Sign up · Acme</title>"));
    for (name, autocomplete) in [
        ("first_name", "given-name"),
        ("last_name", "family-name"),
        ("email", "username"),
        ("password", "new-password"),
    ] {
        let tag = input(&html, name);
        assert!(
            tag.contains(&format!(r#"autocomplete="{autocomplete}""#)),
            "{tag}"
        );
        assert!(!tag.contains("aria-invalid"), "{tag}");
        assert_eq!(
            tag.contains(" required"),
            matches!(name, "email" | "password"),
            "{tag}"
        );
    }
    assert!(input(&html, "password").contains(r#"aria-describedby="password-hint ""#));
    assert!(html.contains(r#"<p class="hint" id="password-hint">At least 10 characters.</p>"#));
    assert!(!html.contains(r#"role="alert""#));
}

#[test]
fn a_refused_sign_up_keeps_what_was_typed_and_points_at_what_is_wrong() {
    let problems = [
        "The password is too short.".to_owned(),
        "The password was found in a breach.".to_owned(),
    ];
    let page = SignUpPage {
        first_name: TextField::filled("Ada"),
        email: TextField::filled("ada@acme.com"),
        password_problems: &problems,
        ..sign_up()
    };
    let html = page.render().unwrap();
    assert!(html.contains("<title>Error: Sign up · Acme</title>"));
    assert!(
        html.contains(r##"Please check <a href="#password">Password</a>."##),
        "{html}"
    );
    assert!(input(&html, "first_name").contains(r#"value="Ada""#));
    assert!(input(&html, "email").contains(r#"value="ada@acme.com""#));
    assert!(!input(&html, "email").contains("aria-invalid"));
    let password = input(&html, "password");
    assert!(password.contains(r#"aria-invalid="true""#), "{password}");
    assert!(
        password.contains(r#"aria-describedby="password-hint password-problems""#),
        "{password}"
    );
    let list = &html[html.find(r#"id="password-problems""#).unwrap()..];
    let list = &list[..list.find("</ul>").unwrap()];
    assert!(
        problems.iter().all(|problem| list.contains(problem.as_str())),
        "{list}"
    );
}

#[test]
fn a_sign_up_refused_as_a_whole_says_why_in_the_alert() {
    let html = SignUpPage {
        error: Some("Sign-up is closed."),
        ..sign_up()
    }
    .render()
    .unwrap();
    let alert = &html[html.find(r#"role="alert""#).unwrap()..html.find("<form").unwrap()];
    assert!(alert.contains("Sign-up is closed."), "{alert}");
    assert!(!html.contains("aria-invalid"));
}

#[test]
fn each_organization_is_one_button() {
    let organizations = [
        OrganizationChoice {
            id: "org_1",
            name: "Acme",
        },
        OrganizationChoice {
            id: "org_2",
            name: "Umbrella Research & Co",
        },
    ];
    let page = OrganizationPage {
        chrome: CHROME,
        form: FORM,
        email: "alice@acme.com",
        organizations: &organizations,
        sign_in_url: "/authkit/sign-in",
    };
    let html = page.render().unwrap();
    assert_eq!(
        tags(&html, "<button"),
        [
            r#"<button class="choice" type="submit" name="organization_id" value="org_1">"#,
            r#"<button class="choice" type="submit" name="organization_id" value="org_2">"#,
        ]
    );
    assert!(
        html.contains(r#"<span class="avatar" aria-hidden="true">UR</span>"#),
        "{html}"
    );
    assert!(html.contains("<span>Umbrella Research &#38; Co</span>"), "{html}");
    assert!(html.contains("Signed in as alice@acme.com"));
    assert!(input(&html, "authorization_session_id").contains("01KA"));
}

#[test]
fn signed_out_links_back_only_where_there_is_a_way_back() {
    let html = SignedOutPage {
        chrome: CHROME,
        return_to: Some("http://localhost:3000/"),
        leads_nowhere: false,
    }
    .render()
    .unwrap();
    assert!(
        html.contains(r#"<a class="button" href="http://localhost:3000/">Return to Acme</a>"#),
        "{html}"
    );
    for leads_nowhere in [false, true] {
        let page = SignedOutPage {
            chrome: CHROME,
            return_to: None,
            leads_nowhere,
        };
        let html = page.render().unwrap();
        assert!(!html.contains("<a "), "{html}");
        assert!(html.contains("You are signed out"));
        assert_eq!(html.contains("homepage_url"), leads_nowhere);
    }
}

#[test]
fn an_error_teaches() {
    let page = ErrorPage {
        chrome: CHROME,
        title: "This redirect URI is not registered",
        what_happened: "The application asked to go to http://localhost:9/cb.",
        why: "Only registered addresses get a code.",
        what_to_do: "Register it.",
        example: None,
        request_id: "req_1",
    };
    let html = page.render().unwrap();
    assert!(html.contains("<title>This redirect URI is not registered · Acme</title>"));
    for text in [
        page.title,
        page.what_happened,
        page.why,
        page.what_to_do,
        "Request <code>req_1</code>",
    ] {
        assert!(html.contains(text), "{text} in {html}");
    }
    assert!(!html.contains("<pre>"));
    let html = ErrorPage {
        example: Some("redirectUris: []"),
        ..page
    }
    .render()
    .unwrap();
    assert!(html.contains("<pre><code>redirectUris: []</code></pre>"));
}

#[test]
fn initials_are_the_first_letters_of_two_words() {
    for (name, expected) in [
        ("Acme", "A"),
        ("acme  corp ltd", "AC"),
        ("Été (nord)", "ÉN"),
        ("", ""),
        ("— !", ""),
    ] {
        assert_eq!(initials(name), expected, "{name}");
    }
}
