use std::time::Duration;

use outrigger_model::name::AgentName;
use outrigger_proxy_core::session::key::SessionKey;

use super::Turns;

const LONG: Duration = Duration::from_secs(60);

fn key(id: &[u8]) -> SessionKey {
    SessionKey::of(&AgentName::new("weather").unwrap(), id)
}

#[tokio::test(start_paused = true)]
async fn one_call_of_a_session_has_its_turn_and_no_row_is_left() {
    let turns = Turns::default();
    let first = turns.take(key(b"a"), LONG).await.unwrap();
    let other = turns.take(key(b"b"), LONG).await.unwrap();
    assert!(turns.take(key(b"a"), Duration::from_millis(1)).await.is_none(), "it waits, and not for ever");
    let (second, ()) = tokio::join!(turns.take(key(b"a"), LONG), async { drop(first) });
    assert!(turns.rows().contains_key(&key(b"a")));
    drop((second, other));
    assert!(turns.rows().is_empty());
}
