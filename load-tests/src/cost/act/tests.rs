use super::*;
use crate::agent;

#[tokio::test]
async fn every_act_is_answered_rightly_as_often_as_it_is_done() {
    let agent = agent::start(0, "echo-0").await.unwrap();
    let target = Target::new(agent.address, "/mcp");
    for act in Act::ALL {
        let crew = act.caller(&target).await.unwrap();
        let crew = act.run(crew, 3).await.unwrap();
        assert_eq!(crew.callers.len(), 1, "{}", act.name());
    }
}

#[tokio::test]
async fn an_act_that_is_refused_has_no_figure() {
    let agent = agent::start(0, "echo-0").await.unwrap();
    let target = Target::new(agent.address, "/nowhere");
    let crew = Act::ModernCall.caller(&target).await.unwrap();
    let refused = Act::ModernCall.run(crew, 3).await;
    assert!(matches!(refused, Err(ActError::Unclean(tally)) if tally.refused == 3));
    assert!(Act::SessionCall.caller(&target).await.is_err(), "no session can be opened there");
}
