use outrigger_model::resource::Serial;

use super::*;
use crate::fixtures::{self, ModelControl};
use crate::staging::Staging;

fn committed(serial: u64) -> Arc<Committed> {
    let (mut control, mut staging) = (ModelControl::new(), Staging::default());
    control.serial = Serial(serial - 1);
    control.publish(|mesh| fixtures::add(mesh, "weather", 100));
    let resources = control.burst().into_iter().flat_map(|response| response.resources).collect();
    let message = outrigger_wire::proto::discovery::DeltaDiscoveryResponse { resources, ..Default::default() };
    staging.stage_message(message).unwrap().next
}

#[tokio::test]
async fn the_newest_snapshot_is_on_disk_at_the_end_and_those_in_a_hurry_are_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot.bin");
    let writer = Writer::start(path.clone(), Duration::from_secs(3_600));
    writer.put(committed(1));
    let written = async {
        while last_good::read(&path).unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), written).await.expect("the first write is not delayed");
    for serial in 2..10 {
        writer.put(committed(serial));
    }
    writer.finish().await;
    assert_eq!(last_good::read(&path).unwrap().unwrap().serial, Serial(9));
    let previous = last_good::read(&last_good::previous(&path)).unwrap().unwrap();
    assert_eq!(previous.serial, Serial(1), "what came within the pause was written once");
}

#[tokio::test]
async fn nothing_is_written_before_the_first_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot.bin");
    Writer::start(path.clone(), Duration::ZERO).finish().await;
    assert!(!path.exists());
}
