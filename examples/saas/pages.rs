//! The example's pages.

use workos_actix::AuthUser;

/// What anybody sees.
pub(crate) fn home(user: Option<&AuthUser>) -> String {
    let action = match user {
        Some(user) => format!(
            r#"<p class="lead">You are signed in as <strong>{}</strong>.</p>
<p class="actions"><a class="button" href="/dashboard">Open the dashboard</a></p>"#,
            escape(user.email())
        ),
        None => r#"<p class="lead">Documents for teams that like to know who wrote them.</p>
<p class="actions"><a class="button" href="/auth/sign-in?return_to=/dashboard">Sign in</a>
<a class="button quiet" href="/auth/sign-up?return_to=/dashboard">Sign up</a></p>"#
            .to_owned(),
    };
    page("Paperboat", &format!("<h1>Paperboat</h1>\n{action}"))
}

/// What only people who are signed in see.
pub(crate) fn dashboard(user: &AuthUser, organization: Option<&str>) -> String {
    let rows = [
        ("Name", user.name().unwrap_or_else(|| user.email().to_owned())),
        ("Email", user.email().to_owned()),
        ("Organization", organization.unwrap_or("none").to_owned()),
        ("Role", user.role().unwrap_or("none").to_owned()),
        ("Permissions", user.permissions().join(", ")),
    ];
    let rows: String = rows
        .iter()
        .map(|(term, detail)| format!("<dt>{term}</dt><dd>{}</dd>\n", escape(detail)))
        .collect();
    let body = format!(
        r#"<h1>Dashboard</h1>
<dl>
{rows}</dl>
<form class="actions" method="post" action="/auth/sign-out"><button class="button quiet">Sign out</button></form>"#
    );
    page("Dashboard – Paperboat", &body)
}

fn page(title: &str, body: &str) -> String {
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"#
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1c2430; --soft: #56606e; --paper: #fbfaf7; --card: #fff; --line: #dfe3e8; --accent: #1f5fbf; --on-accent: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #e9edf2; --soft: #a5b0bd; --paper: #12161c; --card: #1a2028; --line: #2e3742; --accent: #8ab8ff; --on-accent: #0d1420 } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--paper); color: var(--ink); font: 1.0625rem/1.55 system-ui, sans-serif }
main { width: min(34rem, 100%); background: var(--card); border: 1px solid var(--line); border-radius: 1rem; padding: clamp(1.5rem, 6vw, 3rem) }
h1 { margin: 0 0 .75rem; font-size: 2rem; line-height: 1.15; letter-spacing: -.02em; text-wrap: balance }
.lead { margin: 0 0 1.75rem; color: var(--soft) }
.lead strong { color: var(--ink) }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin: 0 }
.button { font: inherit; font-weight: 600; padding: .6rem 1.2rem; border-radius: .6rem; border: 1px solid var(--accent); background: var(--accent); color: var(--on-accent); text-decoration: none; cursor: pointer }
.button.quiet { background: transparent; color: var(--accent) }
.button:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .6rem 1.5rem; margin: 1.5rem 0 2rem }
dt { color: var(--soft) }
dd { margin: 0; overflow-wrap: anywhere }
@media (max-width: 26rem) { dl { grid-template-columns: 1fr; gap: .1rem } dd { margin-bottom: .7rem } }
";
