use std::sync::Arc;
use std::time::Instant;

use outrigger_model::name::AgentName;
use outrigger_model::secret::{Keyring, SealKey, Secret};
use proptest::prelude::{any, prop_assert_eq, proptest};

use super::{Presented, Unfit, is_sealed, judge, open, write};
use crate::mcp::facts::Caller;
use crate::mcp::headers::{SESSION_ID_BYTES_MAX, is_session_id};
use crate::session::bind::Binding;
use crate::session::key::{KeyKind, SessionKey};
use crate::tests::Mesh;
use crate::world::table::World;

const BEGAN: u64 = 1_700_000_000;
const ENDS: u64 = BEGAN + 3_600;

fn ring(ids: &[u32]) -> Keyring {
    let key = |id: &u32| SealKey { id: *id, secret: Secret::new([u8::try_from(*id).unwrap(); 32]), made: 0 };
    Keyring { keys: ids.iter().map(key).collect() }
}

fn binding(upstream: &[u8]) -> Binding {
    let world = Mesh::of("weather", 2).world(Instant::now());
    let new = Binding::new(KeyKind::Session, world.replica("weather-2").unwrap(), &Caller::new("planner"), BEGAN);
    Binding { upstream: Some(Arc::from(upstream)), ..new }
}

fn id(upstream: &[u8]) -> Arc<[u8]> {
    write(&ring(&[1]), &binding(upstream), ENDS, [5; 24]).unwrap()
}

/// A caller that presents an id.
struct Scene {
    world: World,
    rings: Vec<Keyring>,
    agent: &'static str,
    caller: &'static str,
    unix: u64,
}

impl Scene {
    fn usual() -> Self {
        let world = Mesh::of("weather", 2).and("news", 1).world(Instant::now());
        Self { world, rings: vec![ring(&[1])], agent: "weather", caller: "planner", unix: BEGAN + 1 }
    }

    fn open(&self, id: &[u8]) -> Result<Binding, Unfit> {
        let agent = AgentName::new(self.agent).unwrap();
        let (caller, key) = (Caller::new(self.caller), SessionKey::of(&agent, id));
        let presented = Presented { world: &self.world, agent: &agent, caller: &caller, key, unix: self.unix };
        open(&self.rings, id, presented)
    }
}

#[test]
fn an_id_says_where_its_session_lives_and_shows_none_of_it() {
    let id = id(b"agents-own-id");
    assert!(is_sealed(&id) && is_session_id(&id));
    assert_eq!(Scene::usual().open(&id), Ok(binding(b"agents-own-id")));
    let text = String::from_utf8(id.to_vec()).unwrap();
    assert!(!text.contains("weather") && !text.contains("agents-own-id"), "{text}");
}

#[test]
fn an_id_of_another_agent_caller_key_or_time_is_unfit() {
    let id = id(b"own");
    let usual = Scene::usual;
    for (scene, unfit) in [
        (Scene { agent: "news", ..usual() }, Unfit::Unreadable),
        (Scene { rings: vec![ring(&[2])], ..usual() }, Unfit::Unreadable),
        (Scene { rings: vec![], ..usual() }, Unfit::Unreadable),
        (Scene { caller: "stranger", ..usual() }, Unfit::OtherCaller),
        (Scene { unix: ENDS, ..usual() }, Unfit::Expired),
    ] {
        assert_eq!(scene.open(&id), Err(unfit));
    }
    assert!(Scene { unix: ENDS - 1, ..usual() }.open(&id).is_ok());
}

#[test]
fn ids_outlive_the_key_that_sealed_them_being_the_first() {
    let old = id(b"own");
    let scene = Scene { rings: vec![ring(&[2, 1]), ring(&[9])], ..Scene::usual() };
    assert!(scene.open(&old).is_ok());
    let new = write(&ring(&[2, 1]), &binding(b"own"), ENDS, [6; 24]).unwrap();
    assert!(new.starts_with(b"o1.2.") && scene.open(&new).is_ok());
    let of_one_proxy = write(&ring(&[9]), &binding(b"own"), ENDS, [6; 24]).unwrap();
    assert!(scene.open(&of_one_proxy).is_ok(), "the second ring opens, too");
}

#[test]
fn a_session_ends_with_its_lifetime_and_with_a_revocation_of_any_kind() {
    let id = id(b"own");
    let agent = AgentName::new("weather").unwrap();
    let key = SessionKey::of(&agent, &id);
    let check = |change: &dyn Fn(&mut Mesh), unix| {
        let mut mesh = Mesh::of("weather", 2);
        change(&mut mesh);
        let scene = Scene { world: mesh.world(Instant::now()), unix, ..Scene::usual() };
        let presented =
            Presented { world: &scene.world, agent: &agent, caller: &Caller::new("planner"), key, unix: scene.unix };
        let remembered = judge(&binding(b"own"), presented);
        assert_eq!(scene.open(&id).map(drop), remembered, "what is remembered counts as long as the id");
        remembered
    };
    assert_eq!(check(&|_| (), BEGAN + 1), Ok(()));
    let lives = |seconds| {
        move |mesh: &mut Mesh| mesh.resources.settings.session_lifetime = std::time::Duration::from_secs(seconds)
    };
    assert_eq!(check(&lives(60), BEGAN + 59), Ok(()));
    assert_eq!(check(&lives(60), BEGAN + 60), Err(Unfit::Expired), "a shorter lifetime ends those that are open");
    let revoked = Err(Unfit::Revoked);
    let sessions = |mesh: &mut Mesh| {
        mesh.resources.revocations.sessions.insert(key.name(), BEGAN);
    };
    assert_eq!(check(&sessions, BEGAN + 1), revoked);
    let callers = |mesh: &mut Mesh| {
        mesh.resources.revocations.callers.insert("planner".into(), BEGAN);
    };
    assert_eq!(check(&callers, BEGAN + 1), revoked);
    let agents = |mesh: &mut Mesh| {
        mesh.resources.revocations.agents.insert(agent.clone(), BEGAN);
    };
    assert_eq!(check(&agents, BEGAN + 1), revoked);
    let earlier = |mesh: &mut Mesh| {
        mesh.resources.revocations.agents.insert(agent.clone(), BEGAN - 1);
    };
    assert_eq!(check(&earlier, BEGAN + 1), Ok(()), "one that began after the revocation goes on");
}

#[test]
fn an_id_that_would_be_too_long_is_not_made() {
    let longest = (0..SESSION_ID_BYTES_MAX).rev().find_map(|len| {
        write(&ring(&[u32::from(u8::MAX)]), &binding(&vec![b'x'; len]), ENDS, [5; 24]).map(|id| (len, id))
    });
    let (len, id) = longest.unwrap();
    assert!(len > 512 && is_session_id(&id), "{len} {}", id.len());
    assert_eq!(write(&Keyring::default(), &binding(b"own"), ENDS, [5; 24]), None, "never in clear text");
}

#[test]
fn an_id_of_which_any_bit_is_flipped_is_unreadable() {
    let (id, scene) = (id(b"own"), Scene::usual());
    for at in 0..id.len() * 8 {
        let mut flipped = id.to_vec();
        flipped[at / 8] ^= 1 << (at % 8);
        assert_eq!(scene.open(&flipped), Err(Unfit::Unreadable), "bit {at}");
    }
}

proptest! {
    #[test]
    fn every_id_opens_as_it_was_made(upstream in proptest::collection::vec(0x21u8..=0x7e, 1..300), chance in any::<[u8; 24]>()) {
        let id = write(&ring(&[1]), &binding(&upstream), ENDS, chance).unwrap();
        prop_assert_eq!(Scene::usual().open(&id), Ok(binding(&upstream)));
    }

    #[test]
    fn whatever_else_comes_is_unreadable(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        let scene = Scene::usual();
        for start in [&b""[..], b"o1.", b"o1.1.", b"o1.1.AAAA"] {
            prop_assert_eq!(scene.open(&[start, text.as_slice()].concat()), Err(Unfit::Unreadable));
        }
    }
}
