use outrigger_model::endpoint::{Endpoint, EndpointState};
use outrigger_model::name::{PoolName, ReplicaId};
use outrigger_model::pool::Endpoints;
use outrigger_model::replica::Generation;
use outrigger_wire::resource::Resource;

use super::{document, line};

#[test]
fn endpoints_show_where_they_are_and_how() {
    let endpoint = Endpoint {
        replica: ReplicaId::new("weather-1").unwrap(),
        address: "127.0.0.1:17006".parse().unwrap(),
        identity: None,
        generation: Generation(u64::MAX),
        weight: 100,
        tier: 0,
        zone: String::new(),
        tool: String::new(),
        state: EndpointState::Draining,
    };
    let pool = PoolName::new("weather").unwrap();
    let resource = Resource::Endpoints(Endpoints { pool: pool.clone(), endpoints: vec![endpoint] });
    assert_eq!(line(&resource), "weather-1 127.0.0.1:17006 draining");
    assert_eq!(document(&resource)["endpoints"][0]["generation"], "18446744073709551615");
    assert_eq!(line(&Resource::Endpoints(Endpoints { pool, endpoints: vec![] })), "no endpoints");
}
