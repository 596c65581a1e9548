use super::*;
use crate::pool::Balance;
use crate::route::{Affinity, Timeouts};

fn whole() -> Resources {
    let pool = PoolName::new("weather").unwrap();
    let agent = AgentName::new("weather").unwrap();
    let route = RouteName::new("weather").unwrap();
    Resources {
        pools: [(pool.clone(), Pool { name: pool.clone(), agent, balance: Balance::default() })].into(),
        endpoints: [(pool.clone(), Endpoints { pool: pool.clone(), endpoints: vec![] })].into(),
        routes: [(route.clone(), Route { name: route, pool, affinity: Affinity::Auto, timeouts: Timeouts::default() })]
            .into(),
        ..Resources::default()
    }
}

#[test]
fn resources_that_fit_together_make_a_snapshot() {
    assert!(Snapshot::assemble(whole()).is_ok());
    assert!(Snapshot::assemble(Resources::default()).is_ok());
}

#[test]
fn a_reference_that_leads_nowhere_is_refused_with_its_field() {
    let mut resources = whole();
    resources.pools.clear();
    let error = Snapshot::assemble(resources).unwrap_err();
    assert_eq!(error.to_string(), "Route/weather.pool: there is no pool `weather`");

    let mut resources = whole();
    resources.endpoints.clear();
    let error = Snapshot::assemble(resources).unwrap_err();
    assert_eq!(error.to_string(), "Pool/weather: it has no Endpoints resource, not even an empty one");
}
