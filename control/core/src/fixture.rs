//! Builders for tests: claims, standings, and a small mesh whose clock is moved by hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use outrigger_model::capability::{Capability, Tool, ToolHints};
use outrigger_model::digest::Digest;
use outrigger_model::name::{AgentName, CapabilityName, Namespace, NodeId, ReplicaId};
use outrigger_model::registration::{AgentKind, Function, FunctionNeed, Registration, Shape};
use outrigger_model::replica::{Generation, Replica, ReplicaState};
use outrigger_model::tag::TagSet;
use semver::Version;

use crate::agent::{Claim, ClaimedCapability, Refusal, Sender};
use crate::event::{Event, EventKind};
use crate::facts::{Facts, Standing};
use crate::moment::{Moment, Now};
use crate::registry::{Answer, Applied, Command, Registry, Rules, StreamId};
use crate::revocation::Book;

pub fn at(seconds: u64) -> Now {
    let elapsed = Duration::from_secs(seconds);
    Now { moment: Moment::from_start(elapsed), time: SystemTime::UNIX_EPOCH + elapsed }
}

/// A good claim: `weather-1` is a replica of `weather` that offers `forecast`.
pub fn claim(id: &str) -> Claim {
    let agent = id.rsplit_once('-').map_or(id, |(agent, _)| agent);
    Claim {
        id: id.to_owned(),
        agent: agent.to_owned(),
        semver: "1.2.0".to_owned(),
        address: "127.0.0.1:17006".to_owned(),
        generation: 1,
        serving: true,
        capabilities: vec![ClaimedCapability {
            name: "forecast".to_owned(),
            semver: "1.2.0".to_owned(),
            ..ClaimedCapability::default()
        }],
        ..Claim::default()
    }
}

/// A proxy on this machine, without an identity.
pub fn sender(node: &str) -> Sender {
    Sender { node: NodeId::new(node).unwrap(), identity: None, from: "127.0.0.1".parse().unwrap() }
}

pub fn identified(node: &str, identity: &str) -> Sender {
    Sender { identity: Some(identity.parse().unwrap()), ..sender(node) }
}

/// `replica state version tag…`, offering `forecast` (and its agent's name) with that version and those tags.
pub fn standing(row: &str) -> Standing {
    let mut words = row.split_whitespace();
    let id = words.next().unwrap();
    let state: ReplicaState = words.next().unwrap().parse().unwrap();
    let version = Version::parse(words.next().unwrap()).unwrap();
    let tags = TagSet::parse(words).unwrap();
    let agent = id.rsplit_once('-').map_or(id, |(agent, _)| agent);
    let offer = |name: &str| Capability {
        name: CapabilityName::new(name).unwrap(),
        version: version.clone(),
        tags: tags.clone(),
        tools: vec![],
        session_required: false,
        calls: Default::default(),
    };
    let mut capabilities = vec![offer("forecast"), offer(agent)];
    capabilities.sort_by(|a, b| a.name.cmp(&b.name));
    capabilities.dedup_by(|a, b| a.name == b.name);
    let replica = Replica {
        id: ReplicaId::new(id).unwrap(),
        agent: AgentName::new(agent).unwrap(),
        node: NodeId::new(id).unwrap(),
        version: version.clone(),
        tags: tags.clone(),
        address: "127.0.0.1:17006".parse().unwrap(),
        identity: None,
        generation: Generation(1),
        revisions: vec![],
        weight: 100,
        zone: String::new(),
        namespace: Default::default(),
        registration: None,
        capabilities,
    };
    Standing { replica: Arc::new(replica), state, trouble: "".into() }
}

/// `replica[@namespace] state`, an agent of mcp-mesh with functions `name=capability version tag… [<- need; !required need; …]`.
pub fn registered(row: &str, functions: &[&str]) -> Standing {
    let (id, state) = row.split_once(' ').unwrap();
    let (id, namespace) = id.split_once('@').unwrap_or((id, "default"));
    let functions: Vec<Function> = functions.iter().map(|text| function(text)).collect();
    let mut offered: BTreeMap<&str, Vec<&Function>> = BTreeMap::new();
    for function in &functions {
        offered.entry(&function.capability).or_default().push(function);
    }
    let mut base = standing(&format!("{id} {state} 1.0.0"));
    let mut replica = Arc::unwrap_or_clone(base.replica);
    replica.namespace = Namespace::new(namespace).unwrap();
    replica.capabilities.retain(|capability| capability.name.as_str() == replica.agent.as_str());
    for (name, functions) in offered {
        let tool = |function: &&Function| Tool {
            name: function.name.to_string(),
            schema: Digest::of(function.output.canonical.as_bytes()),
            hints: ToolHints::default(),
        };
        replica.capabilities.retain(|capability| capability.name.as_str() != name);
        replica.capabilities.push(Capability {
            name: CapabilityName::new(name).unwrap(),
            version: functions[0].version.clone(),
            tags: functions[0].tags.clone(),
            tools: functions.iter().map(tool).collect(),
            session_required: false,
            calls: Default::default(),
        });
    }
    replica.capabilities.sort_by(|a, b| a.name.cmp(&b.name));
    replica.registration = Some(Arc::new(Registration {
        kind: AgentKind::Mcp,
        runtime: "python".into(),
        description: "".into(),
        host: "127.0.0.1".into(),
        port: 9000,
        functions,
        raw: "{}".into(),
    }));
    base.replica = Arc::new(replica);
    base
}

fn function(text: &str) -> Function {
    let (offer, needs) = text.split_once("<-").unwrap_or((text, ""));
    let (name, rest) = offer.split_once('=').unwrap();
    let mut words = rest.split_whitespace();
    let capability = words.next().unwrap();
    let version = Version::parse(words.next().unwrap_or("1.0.0")).unwrap();
    let need = |text: &str| FunctionNeed {
        requirement: format!("{} @reach=ties", text.trim_start_matches('!')).parse().unwrap(),
        required: text.starts_with('!'),
    };
    Function {
        name: name.into(),
        capability: capability.into(),
        version,
        tags: TagSet::parse(words).unwrap(),
        description: format!("does {name}").into(),
        kwargs: format!(r#"{{"function_name":"{name}"}}"#).into(),
        input_schema: r#"{"type":"object"}"#.into(),
        input: Shape::default(),
        output: Shape::default(),
        needs: needs.split(';').map(str::trim).filter(|text| !text.is_empty()).map(need).collect(),
        tools: None,
        model: None,
    }
}

pub fn facts(rows: &[&str]) -> Facts {
    let mut facts = Facts::default();
    for row in rows {
        facts.put(standing(row));
    }
    facts
}

/// A registry, a clock, and the stream that each node speaks on.
pub struct Mesh {
    pub registry: Registry,
    pub seconds: u64,
    streams: BTreeMap<String, u64>,
}

impl Mesh {
    pub fn new() -> Self {
        Self::restored(vec![])
    }

    pub fn restored(standings: Vec<Standing>) -> Self {
        let registry = Registry::restore(Rules::default(), standings, Book::default(), 1, at(0));
        Self { registry, seconds: 0, streams: BTreeMap::new() }
    }

    /// One node per replica, all serving.
    pub fn with_replicas(ids: &[&str]) -> Self {
        let mut mesh = Self::new();
        for id in ids {
            mesh.report(id, vec![claim(id)]);
        }
        mesh
    }

    pub fn apply(&mut self, command: Command) -> Applied {
        self.registry.apply(command, at(self.seconds))
    }

    /// The stream that a node speaks on.
    pub fn stream(&mut self, node: &str) -> StreamId {
        let next = self.streams.len() as u64 + 1;
        StreamId(*self.streams.entry(node.to_owned()).or_insert(next))
    }

    /// The node comes back on a new stream.
    pub fn reconnect(&mut self, node: &str) {
        let stream = self.stream(node).0;
        self.streams.insert(node.to_owned(), stream + 1_000);
    }

    pub fn report(&mut self, node: &str, claims: Vec<Claim>) -> Applied {
        self.report_as(sender(node), claims)
    }

    pub fn report_as(&mut self, sender: Sender, claims: Vec<Claim>) -> Applied {
        let stream = self.stream(sender.node.as_str());
        self.apply(Command::Report { stream, sender, claims, tally: None })
    }

    pub fn light(&mut self, node: &str) -> Answer {
        let (stream, node) = (self.stream(node), NodeId::new(node).unwrap());
        self.apply(Command::Light { stream, node, tally: None }).answer
    }

    pub fn lose_stream(&mut self, node: &str) -> Applied {
        let (stream, node) = (self.stream(node), NodeId::new(node).unwrap());
        self.apply(Command::StreamLost { stream, node })
    }

    pub fn drain(&mut self, node: &str) -> Applied {
        let (stream, node) = (self.stream(node), NodeId::new(node).unwrap());
        self.apply(Command::Draining { stream, node })
    }

    pub fn leave(&mut self, node: &str) -> Applied {
        let (stream, node) = (self.stream(node), NodeId::new(node).unwrap());
        self.apply(Command::Leave { stream, node })
    }

    /// Time passes, with a sweep every second. `signalling` nodes send a light signal every second.
    pub fn advance(&mut self, seconds: u64, signalling: &[&str]) -> Vec<Event> {
        let mut events = vec![];
        for _ in 0..seconds {
            self.seconds += 1;
            for node in signalling {
                self.light(node);
            }
            events.extend(self.apply(Command::Sweep).events);
        }
        events
    }

    /// `gone` if the registry does not hold the replica.
    pub fn state(&self, id: &str) -> &'static str {
        self.registry.facts().get(&ReplicaId::new(id).unwrap()).map_or("gone", |standing| standing.state.as_str())
    }
}

pub fn kinds(events: &[Event]) -> Vec<EventKind> {
    events.iter().map(|event| event.kind).collect()
}

pub fn refusals(applied: &Applied) -> Vec<Refusal> {
    match &applied.answer {
        Answer::Taken { refused } => refused.clone(),
        other => panic!("the report was not taken: {other:?}"),
    }
}
