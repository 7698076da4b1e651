//! The first page of the portal, with the steps that its link is for, and its end.

use super::{
    intents, page,
    pages::portal::{FinishedPage, OverviewPage, StepRow},
    visit::{self, Visit},
};
use crate::{
    api::admin_portal::{sessions, setup_links},
    hosted::chrome,
    server::{call::Call, error::ApiError, reply::Reply},
};

pub(crate) const PATH: &str = "/portal/overview";
pub(crate) const FINISH: &str = "/portal/finish";
pub(crate) const FINISHED: &str = "/portal/finished";

/// `GET /portal/overview`
pub(crate) fn show_overview(call: &Call) -> Result<Reply, ApiError> {
    visit::show(call, None, |visit| {
        let steps: Vec<_> = visit
            .session
            .access
            .intents
            .iter()
            .map(|intent| {
                let (title, text) = intents::title(*intent);
                let progress = intents::progress(visit, *intent);
                StepRow {
                    title,
                    text,
                    progress: progress.text,
                    done: progress.done,
                    url: visit.url(intents::path(*intent)),
                }
            })
            .collect();
        page(
            200,
            &OverviewPage {
                chrome: visit.chrome(),
                frame: visit.frame(PATH),
                steps: &steps,
            },
        )
    })
}

/// `POST /portal/finish`: the session ends. A setup link whose steps are all done opens nothing more.
pub(crate) fn submit_finish(call: &Call) -> Result<Reply, ApiError> {
    visit::submit(call, None, |visit| {
        call.environment.transact(|tx| {
            if visit.session.by_setup_link && intents::are_all_done(visit) {
                setup_links::complete(tx, &visit.organization.id);
            }
            sessions::end(tx, &visit.session.id);
            Ok::<_, ApiError>(())
        })?;
        Ok(visit.leave(end(visit)))
    })
}

/// Where the application wants its admins, or a page of our own.
fn end(visit: &Visit<'_>) -> String {
    let access = &visit.session.access;
    let wanted = access.success_url.as_deref().or(access.return_url.as_deref());
    wanted.map_or_else(
        || format!("{FINISHED}?client_id={}", visit.call.environment.client_id),
        str::to_owned,
    )
}

/// `GET /portal/finished`
pub(crate) fn show_finished(call: &Call) -> Result<Reply, ApiError> {
    page(
        200,
        &FinishedPage {
            chrome: chrome(&call.environment),
        },
    )
}
