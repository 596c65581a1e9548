use std::path::{Path, PathBuf};
use std::time::Duration;

use outrigger_config::{ConfigError, Environment, load_str};
use outrigger_model::name::NodeId;

use super::redis::{Login, Nodes};
use super::settings::{Check, IdentitySource, MemoryMax, Overload, Settings};
use super::{ProxyFile, Written};

const NOTHING: [(&str, &str); 0] = [];

fn settings_of(text: &str) -> Result<Settings, ConfigError> {
    let file: ProxyFile = load_str(text, &Environment::new(NOTHING))?;
    Settings::try_from(Written { file, folder: PathBuf::from("/etc/mesh"), host_name: "box".into(), redis_url: None })
}

fn settings(text: &str) -> Settings {
    settings_of(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn check_refused(text: &str, wanted: &str) {
    match settings_of(text) {
        Ok(_) => panic!("{text:?} is accepted"),
        Err(error) => assert_eq!(error.to_string(), wanted, "for {text:?}"),
    }
}

const WEATHER: &str = "agents: [{name: weather, url: \"http://127.0.0.1:8081/mcp\"}]\n";

#[test]
fn an_empty_file_is_a_proxy_that_only_calls_from_this_machine() {
    let settings = settings("");
    assert_eq!(settings.node, NodeId::new("box").expect("a name"));
    assert_eq!(settings.listen.outbound.to_string(), "127.0.0.1:17001");
    assert_eq!(settings.listen.inbound.to_string(), "127.0.0.1:17006");
    assert_eq!(settings.listen.admin.to_string(), "127.0.0.1:17000");
    assert_eq!(settings.listen.health.to_string(), "0.0.0.0:17020");
    assert_eq!(settings.limits.body_bytes_max, 16_777_216);
    assert_eq!(settings.limits.header_bytes_max, 65_536);
    assert_eq!(settings.limits.connections_max, 10_000);
    assert_eq!(settings.limits.head_time, Duration::from_secs(10));
    assert_eq!(settings.limits.body_grace, Duration::from_secs(5));
    assert_eq!(settings.limits.body_bytes_per_second_min, 256);
    assert_eq!(settings.sessions.key_prefix, "session:");
    assert_eq!(settings.sessions.entries_max, 100_000);
    assert_eq!(settings.sessions.redis_timeout, Duration::from_millis(50));
    assert_eq!((settings.drain.grace, settings.drain.agent), (Duration::from_secs(10), Duration::from_secs(1)));
    assert_eq!(settings.threads, 2);
    assert!(settings.control.is_empty() && settings.snapshot_file.is_none() && !settings.insecure);
}

#[test]
fn whole_urls_lead_nowhere_until_they_are_listed_or_stand_for_a_route() {
    let none = settings("").forward;
    assert!(none.outside.allowed.is_empty() && none.outside.known.is_empty());
    assert_eq!(none.tunnel_idle, Duration::from_secs(3_600));
    let forward = settings(
        "forward: {allow: [\"127.0.0.1:*\", \"Api.example.com:443\"], tunnel_idle_seconds: 9, \
         routes: {\"http://Weather.example/mcp\": weather}}",
    )
    .forward;
    assert_eq!(forward.outside.allowed.len(), 2);
    let [known] = forward.outside.known.as_slice() else { panic!("{forward:?}") };
    assert_eq!((known.site.to_string().as_str(), known.path.as_str()), ("weather.example:80", "/mcp"));
    assert_eq!((known.route.as_str(), forward.tunnel_idle), ("weather", Duration::from_secs(9)));
    check_refused(
        "forward: {allow: [\"*:80\"]}",
        "`forward.allow[0]`: `*:80` is not host:port; write it like api.example.com:443, or 127.0.0.1:* for every port",
    );
    check_refused(
        "forward: {routes: {\"https://weather.example/mcp\": weather}}",
        "`forward.routes.https://weather.example/mcp`: only http:// can be read by a proxy; write it like http://weather.example:8080/mcp",
    );
    check_refused(
        "forward: {routes: {\"http://weather.example/mcp\": \"a b\"}}",
        "`forward.routes.http://weather.example/mcp`: route name `a b` must start with a letter or digit and hold only letters, digits, `.`, `_` and `-`",
    );
}

#[test]
fn too_much_to_do_is_nothing_until_somebody_says_how_much_that_is() {
    let nothing = Overload { in_flight_max: None, memory: None, check: Duration::from_millis(100) };
    assert_eq!(settings("").overload, nothing);
    let some = settings("overload: {in_flight_max: 7, memory_percent: 80, check_ms: 20}").overload;
    let memory = Some(MemoryMax::Percent(80));
    assert_eq!(some, Overload { in_flight_max: Some(7), memory, check: Duration::from_millis(20) });
    let bytes = settings("overload: {memory_bytes_max: 16777216}").overload;
    assert_eq!(bytes.memory, Some(MemoryMax::Bytes(16_777_216)));
    check_refused("overload: {in_flight_max: 0}", "`overload.in_flight_max`: 0 is not within 1 to 1000000");
    check_refused("overload: {memory_percent: 101}", "`overload.memory_percent`: 101 is not within 1 to 100");
    check_refused(
        "overload: {memory_bytes_max: 1}",
        "`overload.memory_bytes_max`: 1 is not within 16777216 to 1125899906842624",
    );
    check_refused("overload: {check_ms: 1}", "`overload.check_ms`: 1 is not within 10 to 10000");
    check_refused(
        "overload: {memory_percent: 80, memory_bytes_max: 16777216}",
        "`overload.memory_bytes_max`: `overload.memory_percent` is written, too; write one of the two",
    );
}

#[test]
fn with_an_identity_peers_are_heard_from_everywhere_and_files_lie_beside_the_configuration() {
    let settings =
        settings("identity: {certificate: w.pem, key: /keys/w.key, authority: ../ca.pem}\nsnapshot: {file: s.bin}");
    assert_eq!(settings.listen.inbound.to_string(), "0.0.0.0:17006");
    let IdentitySource::Files { certificate, key, authority } = settings.identity else { panic!("no files") };
    assert_eq!(certificate, Path::new("/etc/mesh/w.pem"));
    assert_eq!(key, Path::new("/keys/w.key"));
    assert_eq!(authority, Path::new("/etc/mesh/../ca.pem"));
    assert_eq!(settings.snapshot_file.as_deref(), Some(Path::new("/etc/mesh/s.bin")));
}

#[test]
fn ids_that_are_not_written_are_stable_and_distinct() {
    let [first, again] = [settings(WEATHER), settings(WEATHER)].map(|settings| settings.agents[0].replica.clone());
    assert_eq!(first, again);
    assert!(first.as_str().starts_with("weather-") && first.as_str().len() == "weather-".len() + 8, "{first}");
    assert_eq!(settings(WEATHER).node.as_str(), first.as_str(), "the node is named after its first agent");
    let elsewhere = settings(&format!("node: other\n{WEATHER}"));
    assert_ne!(elsewhere.agents[0].replica, first);
    assert_eq!(elsewhere.node.as_str(), "other");
}

#[test]
fn what_an_agent_does_not_say_of_a_capability_it_takes_from_itself() {
    let settings = settings(
        "agents:\n- name: weather\n  url: http://[::1]:8081/mcp?a=b\n  version: 1.2.0\n  tags: [eu]\n  weight: 7\n  \
         capabilities: [{name: forecast, tools: [get]}, {name: history, version: 2.0.0, tags: []}]\n  probe: {interval_ms: 50}",
    );
    let agent = &settings.agents[0];
    assert_eq!(agent.url.to_string(), "http://[::1]:8081/mcp?a=b");
    assert_eq!((agent.url.host(), agent.url.authority()), ("::1", "[::1]:8081".to_owned()));
    assert_eq!((agent.weight, agent.probe.interval), (7, Duration::from_millis(50)));
    assert_eq!(agent.capabilities[0].version.to_string(), "1.2.0");
    assert_eq!(agent.capabilities[0].tags, agent.tags);
    assert_eq!(agent.capabilities[1].version.to_string(), "2.0.0");
    assert_eq!(agent.capabilities[1].tags.iter().count(), 0);
}

#[test]
fn how_calls_travel_is_said_in_the_words_of_mcp_mesh_and_a_capability_has_what_its_agent_has() {
    let settings = settings(
        "agents: [{name: weather, url: \"http://127.0.0.1:8081/mcp\", timeout: 1.5, retry_count: 3, custom_headers: {X-Service: data}, \
         capabilities: [{name: forecast}, {name: history, timeout: 60, streaming: true, custom_headers: {}}]}]",
    );
    let agent = &settings.agents[0];
    let timeout = |ms| Some(Duration::from_millis(ms));
    assert_eq!((agent.calls.timeout(), agent.calls.retry_count()), (timeout(1_500), Some(3)));
    assert_eq!(agent.calls.headers().set, [("x-service".to_owned(), "data".to_owned())]);
    assert_eq!(agent.capabilities[0].calls, agent.calls);
    let history = &agent.capabilities[1].calls;
    assert_eq!((history.timeout(), history.retry_count()), (timeout(60_000), Some(3)));
    assert!(history.is_streaming() && history.headers().is_empty() && !agent.calls.is_streaming());
    for (written, wanted) in [
        ("retry_count: 10", "`agents[0].retry_count`: retry_count: 10 is more than 9"),
        ("timeout: 0", "`agents[0].timeout`: 0 is not within 0.001 to 4294967 seconds"),
        ("custom_headers: {Host: a}", "`agents[0].custom_headers`: headers: `host` is the mesh's own to write"),
    ] {
        check_refused(&format!("agents: [{{name: a, url: \"http://a/mcp\", {written}}}]"), wanted);
    }
}

/// (what is written of a capability, whether it needs sessions)
#[test]
fn a_capability_needs_sessions_where_one_of_two_spellings_says_so() {
    for (written, needs) in [
        ("{name: count, tools: [count]}", false),
        ("{name: count, tools: [count], session_required: true}", true),
        ("{name: count, tools: [count], stateful: true}", true),
        ("{name: count, session_required: false, stateful: false}", false),
    ] {
        let settings = settings(&format!(
            "agents: [{{name: counter, url: \"http://127.0.0.1:8081/mcp\", capabilities: [{written}]}}]"
        ));
        assert_eq!(settings.agents[0].capabilities[0].session_required, needs, "{written}");
    }
    check_refused(
        "agents: [{name: counter, url: \"http://a/mcp\", capabilities: [{name: count, stateful: true}]}]",
        "`agents[0].capabilities[0].tools`: a capability that needs sessions holds no tools; name the tools whose calls carry `session_id`",
    );
}

#[test]
fn a_value_that_means_nothing_is_refused_with_its_key() {
    let url = |url: &str| format!("agents: [{{name: w, url: \"{url}\"}}]");
    check_refused(
        &url("127.0.0.1:80/mcp"),
        "`agents[0].url`: `127.0.0.1:80/mcp` is not a URL; write it like http://127.0.0.1:8081/mcp",
    );
    check_refused(
        &url("https://a/mcp"),
        "`agents[0].url`: the hop to the own agent is plain HTTP; put the proxy beside the agent and use http://",
    );
    check_refused(
        &url("http://a:b@c/mcp"),
        "`agents[0].url`: user and password in a URL are not supported; remove them",
    );
    check_refused(
        "agents: [{name: a b, url: \"http://c/\"}]",
        "`agents[0].name`: agent name `a b` must start with a letter or digit and hold only letters, digits, `.`, `_` and `-`",
    );
    check_refused(
        "agents: [{name: w, url: \"http://c/\", weight: 0}]",
        "`agents[0].weight`: 0 is not within 1 to 1000",
    );
    check_refused(
        "needs: [\"a %\"]",
        "`needs[0]`: requirement has a bad tag: tag `%` must be 1 to 63 characters of letters, digits, `.`, `_`, `:`, `/`, `=` and `-`",
    );
    check_refused(
        "listen: {outbound: \":17001\"}",
        "`listen.outbound`: `:17001` is not an address; write ip:port, such as 127.0.0.1:17001",
    );
    check_refused(
        "control: {address: localhost}",
        "`control.address`: `localhost` is not host:port; write it like 127.0.0.1:17010",
    );
    check_refused(
        "control: {address: \"127.0.0.1:1, :2\"}",
        "`control.address`: `:2` is not host:port; write it like 127.0.0.1:17010",
    );
    check_refused("threads: 0", "`threads`: 0 is not within 1 to 256");
    check_refused(
        "allowed_origins: [example.com]",
        "`allowed_origins[0]`: `example.com` cannot match; write it like https://app.example.com",
    );
    check_refused(
        "sessions: {redis_url: \"redsi://:hunter2@x\"}",
        "`sessions.redis_url`: not a URL of Redis; write it like redis://127.0.0.1:6379",
    );
}

#[test]
fn values_that_contradict_each_other_are_refused_with_a_way_out() {
    let two = "agents: [{name: w, url: \"http://a/\", replica: r}, {name: w, url: \"http://b/\", replica: r}]";
    check_refused(
        two,
        "`agents[1].replica`: `r` is the id of an agent above, too; give each its own `replica`, or remove one",
    );
    check_refused(
        "needs: [a, a=b]",
        "`needs[1]`: `a` already stands for another requirement; put another `alias=` in front",
    );
    check_refused(
        "listen: {outbound: \"127.0.0.1:5\", admin: \"127.0.0.1:5\"}",
        "`listen.admin`: 127.0.0.1:5 is `listen.outbound`, too; give each its own port",
    );
    check_refused(
        "advertise: 0.0.0.0:5",
        "`advertise`: nobody can dial 0.0.0.0:5; write the address that other proxies can dial, or leave it out",
    );
}

#[test]
fn plaintext_beyond_loopback_needs_a_word() {
    let refused = |text: &str| settings_of(text).err().map(|error| error.to_string());
    let identity = "identity: {certificate: a, key: b, authority: c}\n";
    for (key, text) in [
        ("listen.inbound", "listen: {inbound: \"0.0.0.0:17006\"}"),
        ("listen.outbound", "listen: {outbound: \"0.0.0.0:17001\"}"),
        ("listen.admin", "listen: {admin: \"10.0.0.1:17000\"}"),
        ("advertise", "advertise: 10.0.0.5:17006"),
        ("control.address", "control: {address: \"control.example.com:17010\"}"),
        ("control.address", "control: {address: \"127.0.0.1:17010, control.example.com:17010\"}"),
    ] {
        let error = refused(text).unwrap_or_else(|| panic!("{text} is accepted"));
        assert!(error.starts_with(&format!("`{key}`: ")) && error.contains("`insecure: true`"), "{error}");
        assert_eq!(refused(&format!("{text}\ninsecure: true")), None);
    }
    assert_eq!(refused("control: {address: \"localhost:17010\"}\nadvertise: \"[::1]:5\""), None);
    assert_eq!(refused(&format!("{identity}control: {{address: \"control:17010\"}}\nadvertise: 10.0.0.5:17006")), None);
    assert!(refused(&format!("{identity}listen: {{outbound: \"0.0.0.0:17001\"}}")).is_some());
}

#[test]
fn redis_comes_from_the_file_or_else_from_the_environment_and_is_shown_without_password() {
    let with = |text: &str, from_environment: &str| {
        let file: ProxyFile = load_str(text, &Environment::new(NOTHING)).expect("a file");
        let redis_url = Some(from_environment.to_owned());
        let written = Written { file, folder: PathBuf::new(), host_name: "box".into(), redis_url };
        Settings::try_from(written).expect("settings").sessions.redis
    };
    let from_environment = with("", "redis://:hunter2@r:6379/1").expect("redis");
    assert_eq!(format!("{from_environment} {from_environment:?}"), "redis://r:6379 redis://r:6379");
    let Nodes::Single(url) = from_environment.nodes else { panic!("{:?}", from_environment.nodes) };
    assert_eq!(url.expose(), "redis://:hunter2@r:6379/1");
    assert_eq!(with("sessions: {redis_url: \"\"}", "redis://r"), None);
}

fn redis_of(keys: &str) -> super::redis::Redis {
    settings(&format!("sessions: {{redis: {{{keys}}}}}")).sessions.redis.expect("redis")
}

#[test]
fn redis_has_three_forms_and_secrets_of_none_are_shown() {
    let single = redis_of("urls: [\"rediss://r:1\"], username: desk, password: hunter2, ca_file: ca.pem");
    assert_eq!(single.to_string(), "rediss://r:1");
    assert_eq!(single.tls.authority.as_deref(), Some(Path::new("/etc/mesh/ca.pem")));
    assert_eq!(format!("{:?}", single.login), "Login { username: Some(\"desk\"), password: Some((password)) }");
    let cluster = redis_of("urls: [\"redis://:hunter2@a:1\", \"redis://b:2\"], cluster: true, password_file: word");
    assert_eq!(
        format!("{cluster} {:?}", cluster.nodes),
        "cluster of redis://a:1, redis://b:2 Cluster([redis://a:1, redis://b:2])"
    );
    assert_eq!(format!("{:?}", cluster.login.password), "Some((password in a file))");
    let sentinel = redis_of("urls: [\"redis://a:1\"], sentinel: {master: main, password: hunter2}");
    assert_eq!(sentinel.to_string(), "main of sentinels redis://a:1");
    assert_eq!(sentinel.login, Login::default());
    assert!(!format!("{sentinel:?} {:?}", sentinel.nodes).contains("hunter2"));
}

#[test]
fn what_is_said_of_redis_must_fit_together() {
    for (keys, wanted) in [
        (
            "redis_url: \"redis://a\", redis: {urls: [\"redis://b\"]}",
            "`sessions.redis.urls`: `sessions.redis_url` is written, too; write one of the two",
        ),
        (
            "redis: {urls: [\"redis://a\", \"redis://b\"]}",
            "`sessions.redis.urls`: several nodes that nothing joins; say `cluster: true`, or `sentinel: {master: NAME}` if they are sentinels",
        ),
        (
            "redis: {urls: [\"redis://a\"], cluster: true, sentinel: {master: m}}",
            "`sessions.redis.sentinel`: `sessions.redis.cluster` is written, too; write one of the two",
        ),
        ("redis: {cluster: true}", "`sessions.redis`: it says how, but not where; write its `urls`, too"),
        (
            "redis: {urls: [\"redis://a\"], ca_file: ca.pem}",
            "`sessions.redis`: it has certificates, but no TLS; write rediss:// in its URL, or leave `ca_file`, `certificate` and `key` out",
        ),
        (
            "redis: {urls: [\"rediss://a\"], key: a.key}",
            "`sessions.redis`: `certificate` and `key` go together; write both, or none",
        ),
        (
            "redis: {urls: [\"redis://a\"], password: a, password_file: b}",
            "`sessions.redis.password`: `sessions.redis.password_file` is written, too; write one of the two",
        ),
        (
            "redis: {urls: [\"rediss://a/#insecure\"]}",
            "`sessions.redis.urls[0]`: certificates are always verified; remove `#insecure`",
        ),
    ] {
        check_refused(&format!("sessions: {{{keys}}}"), wanted);
    }
}

fn check_of(probe: &str) -> Check {
    let text = format!("agents: [{{name: weather, url: \"http://127.0.0.1:8081/mcp\", {probe}}}]");
    settings(&text).agents.remove(0).probe.check
}

#[test]
fn an_agent_is_checked_by_its_port_unless_one_more_way_is_written() {
    assert_eq!(check_of("tags: []"), Check::Port);
    assert_eq!(check_of("probe: {mcp: {}}"), Check::Ping);
    let Check::Page(page) = check_of("health_check: /health") else { panic!("a page") };
    assert_eq!((page.url.to_string().as_str(), page.status), ("http://127.0.0.1:8081/health", None));
    let written = "probe: {http: {path: /ready?full, port: 9000, status: 204, json: {status: ok, a/b: 1, /x/0: true}}}";
    let Check::Page(page) = check_of(written) else { panic!("a page") };
    assert_eq!((page.url.to_string().as_str(), page.status), ("http://127.0.0.1:9000/ready?full", Some(204)));
    let pointers: Vec<_> = page.json.iter().map(|(pointer, value)| format!("{pointer}={value}")).collect();
    assert_eq!(pointers, ["/x/0=true", "/a~1b=1", "/status=\"ok\""]);
}

#[test]
fn a_program_is_found_by_its_name_or_beside_the_file() {
    for (written, program) in
        [("pg_isready", "pg_isready"), ("./well.sh", "/etc/mesh/./well.sh"), ("/bin/true", "/bin/true")]
    {
        let Check::Command(command) = check_of(&format!("probe: {{exec: {{command: [{written}, -q]}}}}")) else {
            panic!("a command")
        };
        assert_eq!((command.program, command.arguments), (PathBuf::from(program), vec!["-q".to_owned()]));
    }
}

#[test]
fn times_and_thresholds_of_a_probe_have_defaults_and_bounds() {
    let probe = settings(WEATHER).agents.remove(0).probe;
    assert_eq!((probe.interval, probe.timeout), (Duration::from_secs(1), Duration::from_secs(1)));
    assert_eq!((probe.unhealthy_after, probe.healthy_after, probe.ask), (2, 1, true));
    let refused = |probe: &str, told: &str| {
        check_refused(&format!("agents: [{{name: weather, url: \"http://127.0.0.1:8081/mcp\", {probe}}}]"), told);
    };
    refused("probe: {unhealthy_after: 0}", "`agents[0].probe.unhealthy_after`: 0 is not within 1 to 100");
    refused(
        "probe: {http: {path: health}}",
        "`agents[0].probe.http.path`: `health` is not a path; write it like /health",
    );
    refused("health_check: health", "`agents[0].health_check`: `health` is not a path; write it like /health");
    refused(
        "probe: {exec: {command: []}}",
        "`agents[0].probe.exec.command`: it is empty; write it like [pg_isready, -q]",
    );
    refused(
        "probe: {mcp: {}, http: {path: /health}}",
        "`agents[0].probe`: an agent is checked in one way; keep one of `http`, `mcp`, `exec` and `health_check`",
    );
    refused(
        "probe: {mcp: {}, ask: false}",
        "`agents[0].probe.ask`: an agent that must not be asked cannot be pinged; remove `ask: false`, or `mcp`",
    );
}
#[test]
fn a_replica_says_how_much_it_can_do_and_its_proxy_where_it_is() {
    let weather = |more: &str| format!("agents: [{{name: weather, url: \"http://127.0.0.1:8081/mcp\", {more}}}]\n");
    for (more, weight) in [("", 100), ("weight: 7", 7), ("metadata: {capacity: 2.5}", 250), ("metadata: {}", 100)] {
        assert_eq!(settings(&weather(more)).agents[0].weight, weight, "{more}");
    }
    let settings = settings(&format!("zone: eu-1a\n{WEATHER}"));
    assert_eq!((settings.zone.as_str(), settings.agents[0].zone.as_str()), ("eu-1a", "eu-1a"));
    for (text, wanted) in [
        (weather("metadata: {capacity: 11}"), "`agents[0].metadata.capacity`: 11 is not within 0.01 to 10"),
        (
            weather("weight: 1, metadata: {capacity: 1}"),
            "`agents[0].metadata.capacity`: `weight` says the same in hundredths",
        ),
        ("zone: eu west".to_owned(), "`zone`: `eu west` is not a name of at most 63 visible ASCII characters"),
    ] {
        let error = settings_of(&text).expect_err("it is refused").to_string();
        assert!(error.starts_with(wanted), "{error}");
    }
}

#[test]
fn a_proxy_is_told_of_everything_unless_it_wants_its_needs_only() {
    assert!(!settings("").only_needs && !settings("view: all").only_needs);
    assert!(settings("view: needs").only_needs);
    check_refused("view: some", "`view`: `some` is not all or needs");
}

#[test]
fn labels_are_those_of_kubernetes_and_there_may_be_none() {
    assert!(settings("").labels.is_empty());
    let labels = settings("labels: {track: canary, app.kubernetes.io/part-of: shop}").labels;
    assert_eq!(labels.to_string(), "app.kubernetes.io/part-of=shop,track=canary");
    let many: String = (0..17).map(|at| format!("n{at}: x, ")).collect();
    check_refused(&format!("labels: {{{many}}}"), "`labels`: more than 16 labels");
}

#[test]
fn replicas_of_control_are_written_with_commas_between() {
    let settings = settings_of("control: {address: \"127.0.0.1:17010, localhost:17011,[::1]:17012\"}").unwrap();
    assert_eq!(settings.control, ["127.0.0.1:17010", "localhost:17011", "[::1]:17012"]);
}
