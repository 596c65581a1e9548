//! The route configuration of an Envoy.

use envoy_types::pb::envoy::config::route::v3::{
    self as rds, route_action::ClusterSpecifier, route_match::PathSpecifier,
};
use outrigger_model::name::PoolName;
use outrigger_model::route::Affinity;
use outrigger_model::traffic::{Branch, HIDDEN, HeaderEdits, Mirror, When};

use super::*;

/// The rows of `shop`; the one before them is about foreign pages.
fn rows(mesh: &Mesh) -> Vec<rds::Route> {
    let rows = mesh.routes().virtual_hosts.remove(0).routes;
    rows.into_iter().filter(|row| row.name == "shop").collect()
}

fn action(row: &rds::Route) -> &rds::RouteAction {
    match &row.action {
        Some(rds::route::Action::Route(action)) => action,
        other => panic!("{other:?}"),
    }
}

/// `header=pattern` of a row.
fn conditions(row: &rds::Route) -> Vec<String> {
    let matched = row.r#match.as_ref().unwrap();
    matched.headers.iter().map(|header| format!("{}={:?}", header.name, header.header_match_specifier)).collect()
}

fn clusters(row: &rds::Route) -> Vec<(String, u32)> {
    match &action(row).cluster_specifier {
        Some(ClusterSpecifier::Cluster(name)) => vec![(name.clone(), 1)],
        Some(ClusterSpecifier::WeightedClusters(shared)) => {
            shared.clusters.iter().map(|it| (it.name.clone(), it.weight.unwrap().value)).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn owned(rows: &[(&str, u32)]) -> Vec<(String, u32)> {
    rows.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect()
}

#[test]
fn a_route_is_a_path_and_goes_to_its_agent_as_inbound_proxies_take_it() {
    let rows = rows(&Mesh::new());
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    let path = row.r#match.as_ref().unwrap().path_specifier.clone();
    assert_eq!(path, Some(PathSpecifier::PathSeparatedPrefix("/shop/mcp".into())));
    assert_eq!(action(row).prefix_rewrite, "/agents/weather/mcp");
    assert_eq!(clusters(row), owned(&[("weather", 1)]));
    assert_eq!(action(row).timeout.unwrap().seconds, 0, "a stream is an answer");
    assert_eq!(Mesh::new().draft(Kind::Route, "outrigger").leads_to, ["weather".into()]);
}

#[test]
fn calls_are_tried_again_only_where_nothing_was_sent() {
    let usual = rows(&Mesh::new());
    let again = action(&usual[0]).retry_policy.clone().unwrap();
    assert_eq!(again.retry_on, "connect-failure,refused-stream,reset-before-request,retriable-headers");
    assert_eq!(again.retriable_headers[0].name, "outrigger-refusal", "which says that the agent got nothing");
    assert_eq!(again.num_retries.unwrap().value, 2);
    let once = rows(&Mesh::new().route(|policy| policy.retries.attempts = 1));
    assert_eq!(action(&once[0]).retry_policy, None);
}

#[test]
fn a_tool_that_may_run_twice_is_known_by_its_head() {
    let mesh = Mesh::new().route(|policy| {
        policy.retries.tools = ["search", "get_*", "*_list"].map(|tool| tool.parse().unwrap()).into();
    });
    let rows = rows(&mesh);
    assert_eq!(rows.len(), 4);
    let names: Vec<_> = rows.iter().map(|row| conditions(row).last().cloned().unwrap_or_default()).collect();
    assert!(names[0].contains("mcp-name") && names[0].contains("Exact(\"search\")"), "{names:?}");
    assert!(names[1].contains("Prefix(\"get_\")") && names[2].contains("Suffix(\"_list\")"), "{names:?}");
    for row in &rows[..3] {
        assert!(action(row).retry_policy.as_ref().unwrap().retry_on.contains("gateway-error"));
        let conditions = conditions(row).join(" ");
        assert!(conditions.contains("2026-07-28") && conditions.contains("tools/call"), "{conditions}");
    }
    assert_eq!(conditions(&rows[3]), [""; 0]);
}

#[test]
fn a_route_of_very_many_tools_has_a_bounded_number_of_rows() {
    let tools = || (0..200).map(|at| format!("tool_{at}").parse().unwrap()).collect();
    assert_eq!(rows(&Mesh::new().route(|policy| policy.retries.tools = tools())).len(), 17);
}

fn branch(when: When, shares: &[(&str, u16)]) -> Branch {
    Branch { when, shares: shares.iter().map(|(pool, weight)| share(pool, *weight)).collect() }
}

#[test]
fn pools_of_one_agent_share_by_weight_and_a_caller_that_comes_back_goes_where_it_was() {
    let split = |affinity| {
        let mesh = Mesh::new().route(|policy| {
            policy.affinity = affinity;
            policy.traffic.branches =
                vec![branch(When::default(), &[("weather", 90), ("weather-next", 10), ("shadow", 0)])];
        });
        rows(&mesh)
    };
    let sticky = split(Affinity::Auto);
    assert_eq!(clusters(&sticky[0]), owned(&[("weather", 90), ("weather-next", 10)]));
    assert_eq!(action(&sticky[0]).hash_policy.len(), 1);
    assert_eq!(action(&split(Affinity::None)[0]).hash_policy.len(), 0);
}

#[test]
fn pools_of_several_agents_have_a_row_each_that_takes_its_part_of_what_is_left() {
    let mesh = Mesh::new().route(|policy| {
        policy.traffic.branches =
            vec![branch(When::default(), &[("shadow", 25), ("weather", 50), ("weather-next", 25)])];
    });
    let rows = rows(&mesh);
    let chance = |row: &rds::Route| {
        let fraction = row.r#match.as_ref().unwrap().runtime_fraction.clone();
        fraction.map(|fraction| fraction.default_value.unwrap().numerator)
    };
    assert_eq!((clusters(&rows[0]), chance(&rows[0])), (owned(&[("shadow", 1)]), Some(250_000)));
    assert_eq!((clusters(&rows[1]), chance(&rows[1])), (owned(&[("weather", 50), ("weather-next", 25)]), None));
    assert_eq!(action(&rows[0]).prefix_rewrite, "/agents/shadow/mcp");
}

#[test]
fn a_branch_is_known_by_its_headers_and_one_of_callers_is_left_out() {
    let by = |headers: &[(&str, &str)], callers: &[&str]| When {
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        callers: callers.iter().map(|caller| (*caller).to_owned()).collect(),
    };
    let mesh = Mesh::new().route(|policy| {
        policy.traffic.branches = vec![
            branch(by(&[("x-version", "next")], &[]), &[("weather-next", 1)]),
            branch(by(&[], &["desk"]), &[("shadow", 1)]),
        ];
    });
    let rows = rows(&mesh);
    assert_eq!(rows.len(), 2);
    assert!(conditions(&rows[0])[0].contains("x-version") && conditions(&rows[0])[0].contains("Exact(\"next\")"));
    assert_eq!((clusters(&rows[0]), clusters(&rows[1])), (owned(&[("weather-next", 1)]), owned(&[("weather", 1)])));
}

#[test]
fn only_tool_calls_that_belong_to_no_session_are_copied_and_only_to_the_same_agent() {
    let mirrored = |pool: &str| {
        let mirror = Some(Mirror { pool: PoolName::new(pool).unwrap(), percent: 10 });
        rows(&Mesh::new().route(|policy| policy.traffic.mirror = mirror))
    };
    let rows = mirrored("weather-next");
    assert_eq!(rows.len(), 2);
    assert_eq!(action(&rows[0]).request_mirror_policies[0].cluster, "weather-next");
    assert!(conditions(&rows[0]).join(" ").contains("tools/call"));
    assert!(action(&rows[1]).request_mirror_policies.is_empty());
    assert_eq!(mirrored("shadow").len(), 1);
}

#[test]
fn headers_are_changed_and_a_percent_sign_is_one() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mesh = Mesh::new().route(|policy| {
        policy.traffic.headers = HeaderEdits {
            remove: vec!["x-debug".into()],
            set: vec![pair("authorization", "100%x%"), pair("x-secret", HIDDEN)],
            add: vec![pair("x-tag", "a")],
        };
    });
    let rows = rows(&mesh);
    let written: Vec<_> = rows[0]
        .request_headers_to_add
        .iter()
        .map(|option| {
            let header = option.header.as_ref().unwrap();
            (header.key.as_str(), header.value.as_str(), option.append_action().as_str_name())
        })
        .collect();
    let expected =
        [("authorization", "100%%x%%", "OVERWRITE_IF_EXISTS_OR_ADD"), ("x-tag", "a", "APPEND_IF_EXISTS_OR_ADD")];
    assert_eq!(written, expected);
    assert_eq!(
        rows[0].request_headers_to_remove,
        ["x-debug", "x-secret"],
        "what the caller wrote is not wanted either"
    );
}

#[test]
fn a_route_without_sessions_keeps_none() {
    let with =
        |affinity| rows(&Mesh::new().route(|policy| policy.affinity = affinity))[0].typed_per_filter_config.len();
    assert_eq!((with(Affinity::Auto), with(Affinity::Keys)), (0, 0));
    assert_eq!((with(Affinity::Agent), with(Affinity::None)), (1, 1));
}

#[test]
fn fields_between_proxies_are_taken_from_no_client() {
    let removed = Mesh::new().routes().request_headers_to_remove;
    for name in ["outrigger-as-is", "outrigger-priority"] {
        assert!(removed.iter().any(|it| it == name), "{name}");
    }
}

#[test]
fn a_listener_on_loopback_answers_no_foreign_name_and_no_foreign_page() {
    let local = Mesh::new().routes().virtual_hosts.remove(0);
    assert_eq!(local.domains, ["localhost", "127.0.0.1", "[::1]"]);
    assert!(matches!(local.routes[0].action, Some(rds::route::Action::DirectResponse(_))));
    let open = Mesh::new().listening("0.0.0.0:80").routes().virtual_hosts.remove(0);
    assert_eq!((open.domains, open.routes.len()), (vec!["*".to_owned()], 1));
}
