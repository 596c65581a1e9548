use std::time::Duration;

use outrigger_proxy_core::session::bind::{Binding, Lesson};

use super::super::conformance::{binding, key};
use super::*;
use crate::telemetry::{Events, Metrics};

const MINUTE: Duration = Duration::from_secs(60);

struct Desk {
    openings: Arc<Openings>,
    sessions: Sessions,
    limits: SessionLimits,
}

impl Desk {
    fn new(per_caller: Option<u32>, per_agent: Option<u32>, total: Option<u32>) -> Self {
        let sessions = Sessions::new(100, None, Arc::new(Events::new(Metrics::default())));
        Self { openings: Arc::default(), sessions, limits: SessionLimits { per_caller, per_agent, total } }
    }

    fn enter(&self, caller: &str, agent: &str) -> Result<Option<Opening>, SessionLimit> {
        let agent = AgentName::new(agent).expect("name");
        self.openings.enter(&self.sessions, &self.limits, &Caller::new(caller), &agent)
    }

    async fn open(&self, id: &str, binding: Binding, idle: Duration) {
        self.sessions.obey(Lesson::Learn(key(id), binding), idle, 1_700_000_000).await;
    }
}

#[tokio::test]
async fn what_is_open_and_what_is_being_opened_count_together() {
    let desk = Desk::new(None, None, Some(2));
    desk.open("a", binding("weather-1"), MINUTE).await;
    let opening = desk.enter("planner", "weather").expect("a place");
    assert_eq!(desk.enter("desk", "news").err(), Some(SessionLimit::Total(2)));
    drop(opening);
    assert!(desk.enter("desk", "news").is_ok());
}

#[tokio::test]
async fn each_caller_and_each_agent_has_a_limit_of_its_own() {
    let desk = Desk::new(Some(1), Some(2), None);
    desk.open("a", binding("weather-1"), MINUTE).await;
    assert_eq!(desk.enter("planner", "news").err(), Some(SessionLimit::PerCaller(1)));
    let second = desk.enter("desk", "weather").expect("a place");
    assert_eq!(desk.enter("clerk", "weather").err(), Some(SessionLimit::PerAgent(2)));
    assert!(desk.enter("clerk", "news").is_ok());
    drop(second);
}

#[tokio::test]
async fn a_session_that_was_forgotten_or_grew_idle_makes_room_at_once() {
    let desk = Desk::new(None, None, Some(1));
    desk.open("a", binding("weather-1"), MINUTE).await;
    assert!(desk.enter("planner", "weather").is_err());
    desk.sessions.forget(key("a"));
    assert!(desk.enter("planner", "weather").is_ok());
    desk.open("b", binding("weather-1"), Duration::ZERO).await;
    assert!(desk.enter("planner", "weather").is_ok());
}

#[tokio::test]
async fn other_keys_than_sessions_have_no_part_in_it() {
    let desk = Desk::new(None, None, Some(1));
    desk.open("a", Binding { kind: KeyKind::Task, ..binding("weather-1") }, MINUTE).await;
    assert!(desk.enter("planner", "weather").is_ok());
}

#[tokio::test]
async fn without_limits_no_place_is_needed() {
    assert!(Desk::new(None, None, None).enter("planner", "weather").is_ok_and(|place| place.is_none()));
}
