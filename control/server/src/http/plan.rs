//! `POST /v1/plan`: what a document would do if it were published. Writes nothing.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use outrigger_control_core::plan::changes::Change;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::api::{Api, texts};
use crate::http::publish::{HINT, sent};
use crate::http::refused::{FindingItem, Refused, items};
use crate::intent::plan::{Plan, ViewPlan};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    document: Value,
}

#[derive(Debug, Serialize)]
pub struct PlanItem {
    /// The intent that runs.
    current: u64,
    /// Whether it would be published.
    publishable: bool,
    findings: Vec<FindingItem>,
    expressible: Vec<FindingItem>,
    /// The views that would change.
    views: Vec<ViewItem>,
    view_count: usize,
    /// Connected proxies whose view would change.
    proxy_count: usize,
}

#[derive(Debug, Serialize)]
struct ViewItem {
    view: String,
    changes: Vec<ChangeItem>,
    change_count: usize,
    proxies: Vec<String>,
    proxy_count: usize,
}

#[derive(Debug, Serialize)]
struct ChangeItem {
    change: &'static str,
    kind: &'static str,
    name: String,
}

pub async fn plan(
    State(api): State<Api>,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Result<Json<PlanItem>, Refused> {
    let Json(Wanted { document }) = wanted.map_err(|bad| Refused::body(&bad, HINT))?;
    Ok(Json(item(api.desk.plan(&sent(document)?).await?)))
}

fn item(plan: Plan) -> PlanItem {
    let publishable = plan.is_good();
    let Plan { current, findings, expressible, views, view_count, proxy_count } = plan;
    let views = views.into_iter().map(view).collect();
    let (findings, expressible) = (items(findings), items(expressible));
    PlanItem { current, publishable, findings, expressible, views, view_count, proxy_count }
}

fn view(plan: ViewPlan) -> ViewItem {
    let ViewPlan { view, changes, change_count, proxies, proxy_count } = plan;
    let change =
        |Change { kind, name, change }: Change| ChangeItem { change: change.as_str(), kind: kind.as_str(), name };
    let changes = changes.into_iter().map(change).collect();
    ViewItem { view, changes, change_count, proxies: texts(proxies), proxy_count }
}
