//! What the product is about. Each organization sees its own, and only the permission `documents:write` adds to them.

use actix_web::{Responder, web};
use rusqlite::Connection;
use serde::Deserialize;

use crate::{page::escape, problem::Problem, shell::Shell};

const LONGEST_TITLE: usize = 80;
const MOST_DOCUMENTS: usize = 50;

struct Document {
    title: String,
    author: String,
}

/// The latest of an organization.
fn latest(db: &Connection, organization_id: &str) -> rusqlite::Result<Vec<Document>> {
    let mut documents = db.prepare_cached(&format!(
        "SELECT title, author FROM documents WHERE organization_id = ?1 ORDER BY id DESC LIMIT {MOST_DOCUMENTS}"
    ))?;
    let documents = documents.query_map([organization_id], |row| {
        Ok(Document {
            title: row.get("title")?,
            author: row.get("author")?,
        })
    })?;
    documents.collect()
}

fn add(db: &Connection, organization_id: &str, document: &Document) -> rusqlite::Result<()> {
    let insert = "INSERT INTO documents (organization_id, title, author) VALUES (?1, ?2, ?3)";
    db.execute(insert, [organization_id, &document.title, &document.author])?;
    Ok(())
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
        let (organization_id, author) = (organization_id.to_owned(), shell.name());
        let document = Document { title, author };
        let work = move |db: &rusqlite::Transaction<'_>| Ok(add(db, &organization_id, &document)?);
        shell.paperboat.database.transact(work).await?;
    }
    Ok(web::Redirect::to("/dashboard").see_other())
}

pub(crate) async fn section(shell: &Shell) -> Result<String, Problem> {
    let Some((organization_id, organization)) = shell.organization() else {
        return Ok(String::new());
    };
    let id = organization_id.to_owned();
    let work = move |db: &rusqlite::Transaction<'_>| Ok(latest(db, &id)?);
    let documents = shell.paperboat.database.transact(work).await?;
    let rows: String = documents
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
    Ok(format!(
        "<section><h2>Documents of {}</h2>{list}{form}</section>",
        escape(organization)
    ))
}
