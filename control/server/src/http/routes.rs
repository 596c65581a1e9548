//! `GET /v1/routes`: every route of every view, and where it leads.

use axum::Json;
use axum::extract::State;
use outrigger_control_core::snapshot::build::{Built, RouteKind};
use outrigger_model::route::Route;
use serde::Serialize;

use crate::http::api::{Api, Items};

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RouteItem {
    name: String,
    kind: &'static str,
    pool: String,
    agent: String,
    affinity: &'static str,
    endpoints: usize,
}

pub async fn list(State(api): State<Api>) -> Json<Items<RouteItem>> {
    let mut items = Vec::new();
    for (at, view) in api.views.all().await.into_iter().enumerate() {
        let built = view.newest().built;
        // Views differ from the base view, which is first, in the routes that their watchers asked for.
        let kinds = built.kinds.iter().filter(|(_, kind)| at == 0 || **kind == RouteKind::Dependency);
        let routes = kinds.filter_map(|(name, kind)| {
            let route = built.snapshot.resources().routes.get(name)?;
            Some(item(&built, route, *kind))
        });
        items.extend(routes);
    }
    items.sort();
    items.dedup();
    Json(Items { items })
}

fn item(built: &Built, route: &Route, kind: RouteKind) -> RouteItem {
    let resources = built.snapshot.resources();
    RouteItem {
        name: route.name.to_string(),
        kind: kind.as_str(),
        pool: route.pool.to_string(),
        agent: resources.pools.get(&route.pool).map(|pool| pool.agent.to_string()).unwrap_or_default(),
        affinity: route.policy.affinity.as_str(),
        endpoints: resources.endpoints.get(&route.pool).map_or(0, |endpoints| endpoints.endpoints.len()),
    }
}
