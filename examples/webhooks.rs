//! Webhooks, complete and offline: an app that keeps a table of the people of a directory, and the emulator whose directory
//! changes.
//!
//!     cargo run --example webhooks
//!
//! It pushes a person into the directory, as an identity provider would, and shows what arrived. Then it runs on, and tells how
//! to push more; with `--once` it ends. Against the real WorkOS the emulator goes away, and `WebhookConfig::from_env()` takes
//! the secret of the endpoint from `WORKOS_WEBHOOK_SECRET`.

use std::{
    collections::BTreeMap,
    error::Error,
    net::TcpListener,
    sync::{Mutex, PoisonError},
};

use actix_web::{App, HttpServer, web};
use serde_json::{Value, json};
use workos_actix::{
    Webhook, WebhookConfig, WebhookHandlers,
    workos::{DirectoryUser, DirectoryUserState, DsyncGroupUserAdded, DsyncUserDeleted},
};
use workos_emulator::Emulator;

/// A row of the app's table.
#[derive(Debug, Clone)]
struct Person {
    name: String,
    email: String,
    role: &'static str,
    active: bool,
}

/// The app's database, by directory user id.
#[derive(Default)]
struct People(Mutex<BTreeMap<String, Person>>);

impl People {
    fn change<T>(&self, change: impl FnOnce(&mut BTreeMap<String, Person>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What happens at each event. A handler that fails makes WorkOS deliver the event again; one that has succeeded is not
/// called for the same event twice.
fn handlers(secret: &str) -> WebhookHandlers {
    WebhookHandlers::new(WebhookConfig::new(secret))
        // Both have the same data, and either may come first.
        .on_events(["dsync.user.created", "dsync.user.updated"], upsert)
        .on(|event: DsyncUserDeleted, people: web::Data<People>| async move {
            people.change(|rows| {
                if let Some(person) = rows.get_mut(&event.data.id) {
                    person.active = false;
                }
            });
            println!("{} has left", event.data.id);
        })
        .on(
            |event: DsyncGroupUserAdded, people: web::Data<People>| async move {
                let role = map_group_to_role(&event.data.group.name);
                people.change(|rows| {
                    rows.get_mut(&event.data.user.id)
                        .map(|person| person.role = role)
                        .ok_or("the person has not come yet; WorkOS promises no order")
                })
            },
        )
        .otherwise(|webhook: Webhook| async move { println!("{} is not for us", webhook.event) })
}

async fn upsert(webhook: Webhook, people: web::Data<People>) -> Result<(), Box<dyn Error + Send + Sync>> {
    let user: DirectoryUser = webhook.data()?;
    let names = [user.first_name, user.last_name].into_iter().flatten();
    let name = names.collect::<Vec<_>>().join(" ");
    people.change(|rows| {
        let person = rows.entry(user.id).or_insert(Person {
            name: String::new(),
            email: String::new(),
            role: "member",
            active: true,
        });
        person.name = name;
        person.email = user.email.unwrap_or_default();
        person.active = user.state == DirectoryUserState::Active;
        println!("{}: {person:?}", webhook.event);
    });
    Ok(())
}

fn map_group_to_role(group: &str) -> &'static str {
    match group.to_lowercase() {
        group if group.contains("admin") => "admin",
        group if group.contains("manager") => "manager",
        _ => "member",
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let endpoint_url = format!("http://{}/webhooks/workos", listener.local_addr()?);
    let secret = "whsec_only_for_this_example";
    let handlers = handlers(secret);

    // What the WorkOS dashboard is for: a directory, and where webhooks go.
    let emulator = Emulator::start().await?;
    let endpoint = json!({"endpoint_url": endpoint_url, "events": handlers.events(), "secret": secret});
    let directory = json!({"name": "Acme's people", "organization": "Acme", "external_key": "acmepeople", "bearer_token": "se_example"});
    let seed = json!({"organizations": [{"name": "Acme"}], "directories": [directory], "webhookEndpoints": [endpoint]});
    emulator.seed(&seed.to_string())?;

    let people = web::Data::new(People::default());
    let table = people.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(people.clone())
            .route("/webhooks/workos", handlers.route())
    })
    .workers(1)
    .listen(listener)?
    .run();
    let running = actix_web::rt::spawn(server);

    let scim = format!("{}/scim/v2.0/acmepeople/Users", emulator.url());
    let person = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "carol@acme.example",
        "name": {"givenName": "Carol", "familyName": "Carver"}, "active": true,
        "emails": [{"value": "carol@acme.example", "type": "work", "primary": true}]});
    push(&scim, &person).await?;
    emulator.webhooks().expect("dsync.user.created").await?;
    for person in table.change(|rows| rows.values().cloned().collect::<Vec<_>>()) {
        println!("In the table: {}, {}, {}", person.name, person.email, person.role);
    }
    if std::env::args().any(|argument| argument == "--once") {
        return Ok(());
    }
    println!(
        "Push somebody else:\n\n    curl {scim} -H 'Authorization: Bearer se_example' --json '{person}'\n"
    );
    Ok(running.await??)
}

/// What the identity provider does.
async fn push(scim: &str, person: &Value) -> Result<(), reqwest::Error> {
    let request = reqwest::Client::builder().build()?.post(scim);
    let request = request.bearer_auth("se_example").json(person);
    request.send().await?.error_for_status().map(drop)
}
