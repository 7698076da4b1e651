//! Every combination of the settings that decide how people come in: each lets them in, or says why not.

use serde_json::json;
use totp_rs::Totp;
use workos::UserManagementAuthenticationProvider as Provider;
use workos_emulator::Emulator;

use crate::{
    browser::{Browser, Page},
    social::{authorize, provider_buttons, settings},
};

const CALLBACK: &str = "http://localhost:3000/callback";
const PASSWORD: &str = "seven quiet lighthouses";
/// More pages than any way in has.
const MOST_PAGES: usize = 9;

/// How far somebody came.
#[derive(Debug)]
enum End {
    /// Back to the application, with a code.
    In,
    /// At a page that cannot be passed, with what it says.
    Stopped(String),
}

/// Somebody who does on each page what it asks for.
struct Visitor<'a> {
    emulator: &'a Emulator,
    browser: Browser,
    email: String,
    /// The secret of the authenticator app, once there is one.
    totp: Option<String>,
    trail: Vec<String>,
}

impl<'a> Visitor<'a> {
    fn new(emulator: &'a Emulator, email: &str) -> Self {
        Self {
            emulator,
            browser: Browser::new(),
            email: email.to_owned(),
            totp: None,
            trail: Vec::new(),
        }
    }

    async fn walk(&mut self, hint: &str) -> End {
        let url = authorize(self.emulator, Provider::Authkit, |_| {});
        let mut page = self.browser.step(format!("{url}&screen_hint={hint}")).await;
        let mut shown = 0;
        loop {
            while (300..400).contains(&page.status) {
                let next = page.location();
                if next.as_str().starts_with(CALLBACK) {
                    assert!(
                        next.query().unwrap().contains("code="),
                        "{next}: {:?}",
                        self.trail
                    );
                    return End::In;
                }
                page = self.browser.step(next.as_str()).await;
            }
            let heading = heading(&page);
            self.trail.push(heading.clone());
            shown += 1;
            assert!(
                page.status < 500,
                "{:?}: {} {}",
                self.trail,
                page.status,
                page.text
            );
            assert!(shown <= MOST_PAGES, "a loop: {:?}", self.trail);
            if page.status >= 400 {
                return End::Stopped(said(&page));
            }
            page = match self.act(&page, &heading).await {
                Some(next) => next,
                None => return End::Stopped(said(&page)),
            };
        }
    }

    /// Does what the page asks for, where it asks for anything.
    async fn act(&mut self, page: &Page, heading: &str) -> Option<Page> {
        let email = self.email.clone();
        let has = |control: &str| page.text.contains(&format!("name=\"{control}\""));
        let fields: Vec<(&str, String)> = match heading {
            "Sign in" | "Create your account" if has("password") => {
                vec![("email", email), ("password", PASSWORD.to_owned())]
            }
            "Create your account" if has("email") => vec![("email", email), ("decision", "code".to_owned())],
            "Sign in" if has("email") => vec![("email", email)],
            "Sign in" | "Create your account" if has("provider") => {
                let buttons = provider_buttons(page);
                let fields = [("provider", "GoogleOAuth")];
                return Some(self.browser.submit_and_stop(&buttons, &fields).await);
            }
            "Enter your password" => vec![("password", PASSWORD.to_owned())],
            "Check your email" | "Verify your email" => {
                let mail = self.emulator.mailbox().last_to(&email);
                let code = mail.and_then(|mail| mail.code().map(str::to_owned));
                vec![("code", code.unwrap_or_else(|| "000000".to_owned()))]
            }
            "Set up an authenticator app" => {
                let (_, secret) = page.text.split_once("class=\"setup-key\">").unwrap();
                let secret = secret.split_once('<').unwrap().0.replace(' ', "");
                self.totp = Some(secret);
                vec![("code", self.totp_code())]
            }
            "Two-factor authentication" => {
                self.emulator.clock().advance(std::time::Duration::from_secs(60));
                vec![("code", self.totp_code())]
            }
            "Create a passkey" => vec![("decision", "later".to_owned())],
            "Choose an account" => {
                // The form for an account that is not in the list.
                let (_, typed) = page.text.split_once("<details").unwrap();
                let typed = Page {
                    url: page.url.clone(),
                    status: page.status,
                    headers: page.headers.clone(),
                    text: typed.to_owned(),
                };
                return Some(self.browser.submit_and_stop(&typed, &[("email", &email)]).await);
            }
            _ => return None,
        };
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        // The passkey form has a page of its own to post to, and comes last on each page but its own.
        let own = match heading {
            "Create a passkey" => {
                let at = page.text.rfind("<form ").unwrap();
                Page {
                    url: page.url.clone(),
                    status: page.status,
                    headers: page.headers.clone(),
                    text: page.text[at..].to_owned(),
                }
            }
            _ => Page {
                url: page.url.clone(),
                status: page.status,
                headers: page.headers.clone(),
                text: page.text.clone(),
            },
        };
        Some(self.browser.submit_and_stop(&own, &fields).await)
    }

    fn totp_code(&self) -> String {
        let secret = self.totp.clone().unwrap();
        let uri = format!("otpauth://totp/Test:ada?secret={secret}&issuer=Test");
        let now = self.emulator.clock().now();
        let now = now.duration_since(std::time::UNIX_EPOCH).unwrap();
        Totp::from_url_unchecked(&uri)
            .unwrap()
            .generate(now.as_secs())
            .to_string()
    }
}

fn heading(page: &Page) -> String {
    let (_, heading) = page
        .text
        .split_once("<h1>")
        .unwrap_or_else(|| panic!("{} {}", page.url, page.text));
    heading.split_once("</h1>").unwrap().0.to_owned()
}

/// What a page says, without its tags.
fn said(page: &Page) -> String {
    let (_, main) = page.text.split_once("<main").unwrap();
    let (main, _) = main.split_once("</main>").unwrap();
    let mut said = String::new();
    for part in main.split('<').skip(1) {
        said.push_str(part.split_once('>').map_or("", |(_, text)| text));
    }
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[actix_web::test]
async fn every_combination_lets_people_in_or_says_why_not() {
    let emulator = Emulator::start().await.unwrap();
    let mut number = 0;
    for ways in 0..16_u8 {
        let way = |bit: u8| ways & (1 << bit) != 0;
        let (password, magic_auth, passkey, provider) = (way(0), way(1), way(2), way(3));
        for (sign_up, email_verification, mfa) in [
            (true, true, "off"),
            (true, true, "optional"),
            (true, true, "required"),
            (true, false, "off"),
            (true, false, "required"),
            (false, true, "optional"),
            (false, true, "required"),
            (false, false, "off"),
        ] {
            number += 1;
            let changes = json!({
                "sign_up": sign_up, "email_verification": email_verification, "mfa": mfa, "rate_limits": false,
                "sign_in_methods": {
                    "password": password, "magic_auth": magic_auth, "passkey": passkey,
                    "providers": if provider { vec!["GoogleOAuth"] } else { vec![] },
                },
            });
            settings(&emulator, changes.clone()).await;
            let any = password || magic_auth || provider;

            let known = format!("known{number}@example.com");
            emulator.user(&known).password(PASSWORD).create().unwrap();
            let mut visitor = Visitor::new(&emulator, &known);
            let told = |end: &End, trail: &[String]| format!("{changes}: {end:?} {trail:?}");
            let end = visitor.walk("sign-in").await;
            assert_eq!(matches!(end, End::In), any, "{}", told(&end, &visitor.trail));
            assert_explained(&end, &told(&end, &visitor.trail));
            // Once more, now with what was enrolled.
            if any {
                let end = visitor.walk("sign-in").await;
                assert!(matches!(end, End::In), "{}", told(&end, &visitor.trail));
            }

            let mut visitor = Visitor::new(&emulator, &format!("new{number}@example.com"));
            let end = visitor.walk("sign-up").await;
            let may = any && sign_up;
            assert_eq!(matches!(end, End::In), may, "{}", told(&end, &visitor.trail));
            assert_explained(&end, &told(&end, &visitor.trail));
        }
    }
}

/// Who is stopped gets to know why, or that what they typed is wrong.
fn assert_explained(end: &End, told: &str) {
    let End::Stopped(said) = end else { return };
    let reasons = [
        "every way to sign in is switched off",
        "passkey",
        "Incorrect email or password.",
        "This code is wrong",
        "Nobody can sign up here",
    ];
    assert!(reasons.iter().any(|reason| said.contains(reason)), "{told}");
}
