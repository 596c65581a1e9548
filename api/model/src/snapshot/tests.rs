use super::*;
use crate::endpoint::{Endpoint, EndpointState};
use crate::name::ReplicaId;
use crate::pool::Balance;
use crate::pool::policy::PoolPolicy;
use crate::replica::Generation;
use crate::route::RoutePolicy;

fn whole() -> Resources {
    let pool = PoolName::new("weather").unwrap();
    let agent = AgentName::new("weather").unwrap();
    let route = RouteName::new("weather").unwrap();
    Resources {
        pools: [(
            pool.clone(),
            Pool { name: pool.clone(), agent, balance: Balance::default(), policy: PoolPolicy::default() },
        )]
        .into(),
        endpoints: [(pool.clone(), Endpoints { pool: pool.clone(), endpoints: vec![] })].into(),
        routes: [(route.clone(), Route { name: route, pool, policy: RoutePolicy::default() })].into(),
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

fn endpoints(pool: &str, endpoints: Vec<Endpoint>) -> (PoolName, Endpoints) {
    let pool = PoolName::new(pool).unwrap();
    (pool.clone(), Endpoints { pool, endpoints })
}

#[test]
fn checking_the_difference_finds_what_checking_everything_finds() {
    let edits: [fn(&mut Resources); 9] = [
        |_| {},
        |mesh| drop(mesh.pools.remove("weather")),
        |mesh| drop(mesh.endpoints.remove("weather")),
        |mesh| drop(mesh.routes.remove("weather")),
        |mesh| {
            mesh.pools.remove("weather");
            mesh.endpoints.remove("weather");
        },
        |mesh| {
            mesh.routes.clear();
            mesh.pools.clear();
        },
        |mesh| mesh.routes.values_mut().for_each(|route| route.pool = PoolName::new("clock").unwrap()),
        |mesh| mesh.endpoints.extend([endpoints("clock", vec![])]),
        |mesh| mesh.endpoints.extend([endpoints("weather", vec![heavy()])]),
    ];
    let before = Snapshot::assemble(whole()).unwrap();
    let mut refused = 0;
    for edit in edits {
        let mut resources = whole();
        edit(&mut resources);
        let next = before.next(edited(before.resources(), &resources));
        let apart = Snapshot::assemble(resources);
        assert_eq!(next, apart);
        refused += usize::from(apart.is_err());
    }
    assert_eq!(refused, 7, "all but the first and the one that only takes a route away");
}

/// A copy of `kinds` that shares with it what is the same in `resources`.
fn edited(kinds: &Kinds, resources: &Resources) -> Kinds {
    let other = Kinds::from(resources);
    let mut kinds = kinds.clone();
    edit(&mut kinds.pools, &other.pools);
    edit(&mut kinds.endpoints, &other.endpoints);
    edit(&mut kinds.routes, &other.routes);
    kinds
}

fn edit<K: Ord + Clone, V: Eq + Clone>(map: &mut Shared<K, V>, wanted: &Shared<K, V>) {
    for key in map.clone().keys().filter(|key| !wanted.contains_key(key)) {
        map.remove(key);
    }
    for (key, value) in wanted {
        if map.get(key) != Some(value) {
            map.insert(key.clone(), value.clone());
        }
    }
}

fn heavy() -> Endpoint {
    Endpoint {
        replica: ReplicaId::new("weather-1").unwrap(),
        address: "10.0.0.5:17006".parse().unwrap(),
        identity: None,
        generation: Generation(1),
        weight: 1_001,
        tier: 0,
        zone: String::new(),
        tool: String::new(),
        state: EndpointState::Up,
    }
}
