//! What the product is about. Each organization sees its own, and only the permission `documents:write` adds to them.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use actix_web::{Responder, web};
use serde::Deserialize;

use crate::{page::escape, problem::Problem, shell::Shell};

const LONGEST_TITLE: usize = 80;
const MOST_DOCUMENTS: usize = 50;

/// In memory, by organization.
#[derive(Default)]
pub(crate) struct Documents(Mutex<HashMap<String, Vec<Document>>>);

#[derive(Clone)]
struct Document {
    title: String,
    author: String,
}

impl Documents {
    fn of(&self, organization_id: &str) -> Vec<Document> {
        let documents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        documents.get(organization_id).cloned().unwrap_or_default()
    }

    fn add(&self, organization_id: &str, document: Document) {
        let mut documents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let documents = documents.entry(organization_id.to_owned()).or_default();
        documents.insert(0, document);
        documents.truncate(MOST_DOCUMENTS);
    }
}

#[derive(Deserialize)]
pub(crate) struct NewDocument {
    title: String,
}

/// `POST /documents`
pub(crate) async fn create(shell: Shell, form: web::Form<NewDocument>) -> Result<impl Responder, Problem> {
    let (organization_id, _) = shell.require("documents:write")?;
    let title: String = form.title.trim().chars().take(LONGEST_TITLE).collect();
    if !title.is_empty() {
        let author = shell.name();
        shell
            .paperboat
            .documents
            .add(organization_id, Document { title, author });
    }
    Ok(web::Redirect::to("/dashboard").see_other())
}

pub(crate) fn section(shell: &Shell) -> String {
    let Some((organization_id, organization)) = shell.organization() else {
        return String::new();
    };
    let rows: String = shell
        .paperboat
        .documents
        .of(organization_id)
        .iter()
        .map(|document| {
            format!(
                r#"<li><strong>{}</strong> <span class="soft">by {}</span></li>"#,
                escape(&document.title),
                escape(&document.author)
            )
        })
        .collect();
    let list = if rows.is_empty() {
        r#"<p class="soft">Nobody has written anything yet.</p>"#.to_owned()
    } else {
        format!(r#"<ul class="list">{rows}</ul>"#)
    };
    let form = if shell.may("documents:write") {
        format!(
            r#"<form class="line" method="post" action="/documents">
<label>Title <input name="title" required maxlength="{LONGEST_TITLE}"></label>
<button>Add a document</button></form>"#
        )
    } else {
        r#"<p class="soft">You can read these. An admin can let you write.</p>"#.to_owned()
    };
    format!(
        "<section><h2>Documents of {}</h2>{list}{form}</section>",
        escape(organization)
    )
}
