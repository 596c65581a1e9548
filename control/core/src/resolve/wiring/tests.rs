use super::wiring;
use crate::facts::{Facts, Standing};
use crate::fixture::{registered, standing};

fn facts(standings: Vec<Standing>) -> Facts {
    let mut facts = Facts::default();
    standings.into_iter().for_each(|standing| facts.put(standing));
    facts
}

/// `agent/replica function version`, in order; `(down)` behind what may not be called.
fn told(facts: &Facts, requirement: &str) -> Vec<String> {
    let wiring = wiring(facts, &"route".parse().unwrap(), &requirement.parse().unwrap());
    let line = |provider: &outrigger_model::wiring::Provider| {
        let down = if provider.callable { "" } else { " (down)" };
        format!("{} {} {}{down}", provider.replica, provider.function, provider.version)
    };
    wiring.providers.iter().map(line).collect()
}

#[test]
fn a_dependency_is_told_the_function_of_the_best_provider() {
    let facts = facts(vec![
        registered("prov-1 healthy", &["greet=greeting 2.0.0 prod en", "hello=greeting 1.0.0 prod en"]),
        registered("prov-2 healthy", &["greet=greeting 2.0.0 prod en"]),
        registered("old-1 healthy", &["salute=greeting 1.5.0 prod"]),
    ]);
    assert_eq!(told(&facts, "greeting @reach=ties"), ["prov-1 greet 2.0.0"]);
    assert_eq!(told(&facts, "greeting ^1 @reach=ties"), ["old-1 salute 1.5.0"]);
    assert_eq!(told(&facts, "greeting ^1 en @reach=ties"), ["prov-1 hello 1.0.0"]);
    assert_eq!(told(&facts, "greeting nobody @reach=ties"), [""; 0]);
}

#[test]
fn everything_that_fits_is_told_the_best_first_and_replicas_of_one_agent_once() {
    let facts = facts(vec![
        registered("b-1 healthy", &["add=math 1.0.0 fast", "sub=math 1.0.0"]),
        registered("b-2 healthy", &["add=math 1.0.0 fast", "sub=math 1.0.0"]),
        registered("a-1 unhealthy", &["mul=math 9.0.0 fast"]),
        registered("c-1 healthy", &["div=math 3.0.0", "tell=weather 1.0.0"]),
    ]);
    let expected = ["b-1 add 1.0.0", "c-1 div 3.0.0", "b-1 sub 1.0.0", "a-1 mul 9.0.0 (down)"];
    assert_eq!(told(&facts, "math +fast @reach=all"), expected);
    let every = ["c-1 div 3.0.0", "b-1 add 1.0.0", "b-1 sub 1.0.0", "c-1 tell 1.0.0", "a-1 mul 9.0.0 (down)"];
    assert_eq!(told(&facts, "any @reach=every"), every);
}

#[test]
fn the_name_of_an_agent_is_no_function_of_it() {
    let facts = facts(vec![registered("math-1 healthy", &["add=sum 1.0.0"]), standing("plain-1 healthy 1.0.0")]);
    assert_eq!(told(&facts, "math @reach=ties"), [""; 0]);
    assert_eq!(
        told(&facts, "math"),
        ["math-1 add 1.0.0"; 0].into_iter().chain(["math-1 math 1.0.0"]).collect::<Vec<_>>()
    );
    assert_eq!(told(&facts, "forecast @reach=ties"), ["plain-1 forecast 1.0.0"]);
}

#[test]
fn an_agent_that_joins_beside_changes_nothing() {
    let mut facts = facts(vec![
        registered("prov-1 healthy", &["greet=greeting 2.0.0"]),
        registered("prov-2 healthy", &["greet=greeting 2.0.0"]),
    ]);
    let tell = |facts: &Facts| {
        let requirements = ["greeting @reach=ties", "greeting @reach=all", "greeting"];
        requirements.map(|text| wiring(facts, &"route".parse().unwrap(), &text.parse().unwrap()))
    };
    let before = tell(&facts);
    facts.put(registered("other-1 healthy", &["greet=salute 3.0.0"]));
    facts.put(registered("other-2@team healthy", &["greet=greeting 9.0.0"]));
    facts.put(registered("prov-2 unknown", &["greet=greeting 2.0.0"]));
    assert_eq!(tell(&facts), before);
    facts.put(registered("zeta-1 healthy", &["salute=greeting 2.0.0"]));
    assert_eq!(tell(&facts)[0], before[0], "one that ties takes calls and is not the one that is named");
}

#[test]
fn of_functions_that_are_as_good_the_name_that_sorts_first_is_told() {
    let chat = ["chat_stream=llm 1.0.0 claude ai.mcpmesh.stream", "chat=llm 1.0.0 claude"];
    let facts = facts(vec![registered("model-1 healthy", &chat)]);
    assert_eq!(told(&facts, "llm claude @reach=ties"), ["model-1 chat 1.0.0"]);
    assert_eq!(told(&facts, "llm claude ai.mcpmesh.stream @reach=ties"), ["model-1 chat_stream 1.0.0"]);
    assert_eq!(told(&facts, "llm -ai.mcpmesh.stream @reach=ties"), ["model-1 chat 1.0.0"]);
    assert_eq!(told(&facts, "llm +ai.mcpmesh.stream @reach=ties"), ["model-1 chat_stream 1.0.0"]);
}

#[test]
fn a_group_counts_by_its_best_choice() {
    let facts = facts(vec![
        registered("us-1 healthy", &["a=x 1.0.0 us prod"]),
        registered("eu-1 healthy", &["b=x 1.0.0 eu prod"]),
        registered("zz-1 healthy", &["c=x 1.0.0 zz prod"]),
    ]);
    assert_eq!(told(&facts, "x prod (us|zz) @reach=all"), ["us-1 a 1.0.0", "zz-1 c 1.0.0"]);
    assert_eq!(told(&facts, "x (us|+eu) @reach=ties"), ["eu-1 b 1.0.0"]);
    assert_eq!(told(&facts, "x (eu|us|-prod) @reach=all"), [""; 0]);
    assert_eq!(told(&facts, "x (-gone) @reach=all"), [""; 0], "what is not there is no choice that holds");
}

#[test]
fn a_pre_release_is_the_newest_for_who_asks_for_no_version() {
    let facts = facts(vec![registered("a-1 healthy", &["f=x 2.0.0"]), registered("b-1 healthy", &["f=x 3.0.0-beta"])]);
    assert_eq!(told(&facts, "x @reach=ties"), ["b-1 f 3.0.0-beta"]);
    assert_eq!(told(&facts, "x @range=>=2.0.0 @reach=ties"), ["a-1 f 2.0.0"]);
    assert_eq!(told(&facts, "x @range=>=2.0.0-0 @reach=ties"), ["b-1 f 3.0.0-beta"]);
}
