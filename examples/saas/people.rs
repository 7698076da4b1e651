//! The people of the organization as the app's database has them: for those with the permission `members:manage`.

use actix_web::HttpResponse;

use crate::{
    database::people::{self, Person},
    page::{Notice, escape, time},
    portal,
    problem::Problem,
    shell::Shell,
};

pub(crate) const PERMISSION: &str = "members:manage";

/// `GET /people`
pub(crate) async fn people(shell: Shell) -> Result<HttpResponse, Problem> {
    page(&shell, None).await
}

pub(crate) async fn page(shell: &Shell, notice: Option<Notice<'_>>) -> Result<HttpResponse, Problem> {
    let (organization_id, organization) = shell.require(PERMISSION)?;
    let id = organization_id.to_owned();
    let work = move |db: &rusqlite::Transaction<'_>| Ok(people::of_organization(db, &id)?);
    let people = shell.paperboat.database.transact(work).await?;
    let body = table(organization, &people) + &portal::section(organization);
    Ok(shell.page("People", notice, &body))
}

fn table(organization: &str, people: &[Person]) -> String {
    let organization = escape(organization);
    let body = if people.is_empty() {
        r#"<p class="soft">Nobody yet: people appear when they sign in, or when a directory names them.</p>"#
            .to_owned()
    } else {
        let rows: String = people.iter().map(row).collect();
        format!(
            r#"<div class="scroll" role="region" aria-label="People of {organization}" tabindex="0"><table>
<thead><tr><th scope="col">Name</th><th scope="col">State</th><th scope="col">Role</th><th scope="col">Department</th><th scope="col">Known from</th></tr></thead>
<tbody>{rows}</tbody></table></div>"#
        )
    };
    format!(
        r#"<section><h2>People of {organization}</h2>
<p class="soft">As our database has them. A directory that your identity provider fills keeps it up to date.</p>
{body}</section>"#
    )
}

fn row(person: &Person) -> String {
    let (name, email) = if person.name.is_empty() {
        (person.email.as_str(), "")
    } else {
        (person.name.as_str(), person.email.as_str())
    };
    let (state, class) = if person.is_deleted {
        ("Removed", "badge gone")
    } else if person.active {
        ("Active", "badge")
    } else {
        ("Deactivated", "badge gone")
    };
    let source = if person.is_from_directory {
        "Directory"
    } else {
        "Sign-in"
    };
    let seen = person.last_signed_in_at.as_deref();
    let seen = seen.map_or_else(String::new, |at| {
        format!(r#"<br><span class="soft">last here {}</span>"#, time(at))
    });
    format!(
        r#"<tr><th scope="row">{}<br><span class="soft">{}</span></th><td><span class="{class}">{state}</span></td><td>{}</td><td>{}</td><td>{source}{seen}</td></tr>
"#,
        escape(name),
        escape(email),
        escape(&person.role),
        escape(person.department.as_deref().unwrap_or("–"))
    )
}
