use super::*;
use crate::session::conformance::{binding, key};

const UNIX: u64 = 1_700_000_100;

fn held(created: u64, id: &str, agent: &str) -> (SessionKey, Arc<Binding>) {
    let agent = outrigger_model::name::AgentName::new(agent).expect("name");
    (key(id), Arc::new(Binding { created, last_seen: created + 10, agent, ..binding("weather-1") }))
}

fn three() -> Vec<(SessionKey, Arc<Binding>)> {
    let at = |ago| UNIX - ago;
    vec![held(at(90), "oldest", "weather"), held(at(30), "newest", "weather"), held(at(60), "other", "news")]
}

fn names(answer: &Value) -> Vec<&str> {
    answer["items"].as_array().expect("items").iter().map(|item| item["name"].as_str().expect("a name")).collect()
}

#[test]
fn sessions_are_listed_by_name_the_newest_first_and_never_by_id() {
    let answer = list(three(), false, &Page::default(), UNIX);
    let expected = ["newest", "other", "oldest"].map(|id| key(id).name().to_string());
    assert_eq!(names(&answer), expected);
    let first = &answer["items"][0];
    assert_eq!((&first["age_seconds"], &first["idle_seconds"]), (&30.into(), &20.into()));
    assert_eq!((&first["caller"], &first["store"], &first["moves"]), (&"planner".into(), &"memory".into(), &0.into()));
    let text = answer.to_string();
    assert!(!text.contains(&key("newest").digest().to_string()), "{text}");
}

#[test]
fn pages_are_bounded_and_say_how_many_there_are() {
    let page = Page { limit: Some(1), after: Some(1), agent: None };
    let answer = list(three(), true, &page, UNIX);
    assert_eq!((names(&answer), &answer["total"]), (vec![key("other").name().to_string().as_str()], &3.into()));
    let page = Page { agent: Some("news".to_owned()), ..Page::default() };
    assert_eq!(list(three(), true, &page, UNIX)["total"], 1);
}
