use outrigger_proxy_core::mcp::facts::Caller;
use tokio::sync::mpsc;

use super::*;
use crate::catalog::line::Identity;
use crate::catalog::lines::Lines;
use crate::catalog::pipe::Pipes;

fn session(seen: Instant) -> Arc<Session> {
    let lines = Lines::new(Pipes::new().0, Identity::own(), mpsc::channel(1).0);
    let session = Session::new(Caller::new("planner"), "2025-11-25".to_owned(), lines);
    session.touch(seen);
    Arc::new(session)
}

#[test]
fn the_longest_idle_session_goes_for_one_too_many() {
    let (sessions, begun) = (Sessions::default(), Instant::now());
    let oldest = session(begun);
    let (oldest_id, gone) = sessions.add(Arc::clone(&oldest), begun).unwrap();
    assert!(gone.is_none());
    let later = begun + Duration::from_secs(1);
    for _ in 1..SESSIONS_MAX {
        assert!(sessions.add(session(later), later).unwrap().1.is_none());
    }
    let (id, gone) = sessions.add(session(later), later).unwrap();
    assert!(gone.is_some_and(|gone| Arc::ptr_eq(&gone, &oldest)));
    assert!(sessions.find(oldest_id.as_bytes()).is_none() && sessions.find(id.as_bytes()).is_some());
    assert_eq!(sessions.count(), SESSIONS_MAX);
}

#[test]
fn only_sessions_that_say_and_hear_nothing_are_swept() {
    let (sessions, begun, idle) = (Sessions::default(), Instant::now(), Duration::from_secs(60));
    let now = begun + idle;
    let (quiet, listening, speaking) = (session(begun), session(begun), session(begun + Duration::from_secs(1)));
    for session in [&quiet, &listening, &speaking] {
        assert!(sessions.add(Arc::clone(session), begun).unwrap().1.is_none());
    }
    let stream = listening.open_stream();
    let swept = sessions.sweep(idle, now);
    assert!(swept.len() == 1 && swept.iter().all(|swept| Arc::ptr_eq(swept, &quiet)));
    drop(stream);
    assert_eq!((sessions.sweep(idle, now).len(), sessions.count()), (1, 1));
}
