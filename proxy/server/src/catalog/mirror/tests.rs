use std::sync::Arc;
use std::time::Duration;

use outrigger_proxy_core::world::table::World;

use super::{Mirror, REST_AFTER};
use crate::catalog::pipe::Pipes;
use crate::config::settings::Aggregate;
use crate::snapshot::worlds::Worlds;
use crate::telemetry::{Events, Metrics};

fn mirror() -> Mirror {
    let (pipes, _far_ends) = Pipes::new();
    let worlds = Arc::new(Worlds::new(World::default()));
    Mirror::new(pipes, Aggregate::default(), worlds, Arc::new(Events::new(Metrics::default())), None)
}

#[tokio::test(start_paused = true)]
async fn lists_are_kept_from_the_first_question_until_long_after_the_last() {
    let mirror = mirror();
    assert!(mirror.rests_at().is_none(), "nobody asked yet");
    mirror.want();
    tokio::time::advance(REST_AFTER - Duration::from_secs(1)).await;
    mirror.want();
    tokio::time::advance(REST_AFTER - Duration::from_secs(1)).await;
    assert!(mirror.rests_at().is_some(), "somebody asked since");
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(mirror.rests_at().is_none());
    mirror.want();
    assert!(mirror.rests_at().is_some(), "asked again");
}

#[tokio::test(start_paused = true)]
async fn who_hears_of_changes_wants_the_lists() {
    let mirror = mirror();
    mirror.want();
    let hears = mirror.views();
    tokio::time::advance(REST_AFTER * 2).await;
    assert!(mirror.rests_at().is_some());
    drop(hears);
    assert!(mirror.rests_at().is_none());
}
