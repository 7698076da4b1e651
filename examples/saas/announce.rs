//! What is printed at start: where the app is, who can sign in, and what else there is to try.

use serde_json::json;
use workos_emulator::Emulator;

/// The page with the e-mails that the emulator did not send.
pub(crate) fn mailbox(emulator: &Emulator) -> String {
    format!("{}/mailbox", emulator.url())
}

pub(crate) fn announce(app_url: &str, emulator: &Emulator) {
    let member = json!({"name": "Acme", "role": "member", "permissions": ["documents:read"]});
    let every = ["documents:read", "documents:write", "members:manage"];
    let admin_of = |name| json!({"name": name, "role": "admin", "permissions": every});
    let users = [
        json!({"name": "Alice Archer", "email": "alice@acme.example", "password": "seven quiet lighthouses",
            "organizations": [admin_of("Acme")]}),
        json!({"name": "Bob Baker", "email": "bob@acme.example", "password": "nine patient windmills",
            "organizations": [member, admin_of("Globex")]}),
    ];
    let mailbox = mailbox(emulator);
    let directory = Directory::new(emulator);
    if std::env::args().any(|argument| argument == "--json") {
        println!(
            "{}",
            json!({"app": app_url, "emulator": emulator.url(), "api_key": emulator.api_key(), "mailbox": mailbox,
                "directory": {"scim_url": directory.scim_url, "bearer_token": directory.bearer_token}, "users": users})
        );
        return;
    }
    println!(
        "\n  Paperboat, a small product with WorkOS sign-in, runs at\n\n      {app_url}\n\n  Sign in as\n"
    );
    for user in &users {
        let organizations = user["organizations"].as_array().map_or(0, Vec::len);
        let text = |name: &str| user[name].as_str().unwrap_or_default().to_owned();
        println!(
            "      {:<20} password: {:<25} {organizations} organization(s)",
            text("email"),
            text("password")
        );
    }
    println!("\n  or sign up: the e-mails that you would get are at\n\n      {mailbox}\n");
    let impersonation = json!({"email": "alice@acme.example", "impersonator_email": "support@paperboat.example",
        "reason": "She asked for help", "redirect_uri": format!("{app_url}/auth/callback")});
    println!(
        "  Impersonate Alice, as support would from the WorkOS dashboard: open the url that this answers\n\n      \
         curl {}/_emulate/impersonations --json '{impersonation}'\n",
        emulator.url()
    );
    println!(
        "  Push a person from Acme's directory, as its identity provider would, and see the row appear at {app_url}/people\n\n      \
         {}\n",
        directory.push()
    );
    println!(
        "  The WorkOS emulator inside: {} (API key {})\n",
        emulator.url(),
        emulator.api_key()
    );
}

/// The directory of the seed.
struct Directory {
    scim_url: String,
    bearer_token: &'static str,
}

impl Directory {
    fn new(emulator: &Emulator) -> Self {
        Self {
            scim_url: format!("{}/scim/v2.0/acmedirectory", emulator.url()),
            bearer_token: "se_only_for_this_example",
        }
    }

    /// How to push a person.
    fn push(&self) -> String {
        let person = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "carol@acme.example",
            "name": {"givenName": "Carol", "familyName": "Carver"}, "active": true,
            "emails": [{"value": "carol@acme.example", "type": "work", "primary": true}]});
        let Self {
            scim_url,
            bearer_token,
        } = self;
        format!("curl {scim_url}/Users -H 'Authorization: Bearer {bearer_token}' --json '{person}'")
    }
}
