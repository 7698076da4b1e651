//! The first step: an application at the identity provider, which knows WorkOS by these addresses.

use super::{
    frame_of,
    guides::guide,
    page,
    pages::portal::sso::{ApplicationPage, Setting},
    provider, show,
    steps::{self, Step},
    visit::Visit,
};
use crate::{
    api::sso::{connection_type::Protocol, connections::Connection},
    hosted::sso::service_provider,
    server::{call::Call, error::ApiError, reply::Reply},
};

/// `GET /portal/sso/{id}/application`
pub(crate) fn show_application(call: &Call) -> Result<Reply, ApiError> {
    show(call, |visit, connection| {
        let kind = connection.r#type();
        let guide = guide(kind);
        page(
            200,
            &ApplicationPage {
                chrome: visit.chrome(),
                frame: frame_of(visit, connection),
                way: &steps::way(visit, connection, Step::Application),
                provider: provider(kind),
                create: guide.create,
                settings: &settings(visit, connection),
                assign: guide.assign,
                next_url: &visit.url(&Step::Attributes.path(connection)),
            },
        )
    })
}

/// What the identity provider has to know, by the names that it has for it.
pub(super) fn settings(visit: &Visit<'_>, connection: &Connection) -> Vec<Setting> {
    let kind = connection.r#type();
    let guide = guide(kind);
    let addresses = service_provider(visit.call, connection);
    if kind.protocol == Protocol::Oidc {
        return vec![Setting {
            name: "Redirect URI",
            theirs: Some(guide.reply_url),
            value: addresses.redirect_uri,
            is_link: false,
        }];
    }
    vec![
        Setting {
            name: "ACS URL",
            theirs: Some(guide.reply_url),
            value: addresses.acs_url,
            is_link: false,
        },
        Setting {
            name: "SP Entity ID",
            theirs: Some(guide.audience),
            value: addresses.entity_id,
            is_link: false,
        },
        Setting {
            name: "SP Metadata",
            theirs: None,
            value: addresses.metadata_url,
            is_link: true,
        },
    ]
}
