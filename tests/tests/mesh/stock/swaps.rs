//! Clusters come and go under calls, and no call notices.

use std::time::{Duration, Instant};

use anyhow::Result;
use outrigger_tests::stock::Bootstrap;

use super::VARIANTS;
use super::plain::{Load, Plain};

/// Another number of swaps, for a longer look.
const SWAPS: &str = "OUTRIGGER_SWAPS";

/// The pool of `shop` is named after the version that it asks for, so another version is another cluster.
fn shop(version: &str) -> String {
    format!(
        "routes:\n  - {{name: shop, capability: weather, affinity: none, split: [{{weight: 1, version: {version}}}]}}\n"
    )
}

#[tokio::test]
async fn clusters_are_swapped_under_load_and_no_call_fails() -> Result<()> {
    let swaps: usize = std::env::var(SWAPS).ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let mut plain = Plain::start(&shop("^1")).await?;
    plain.replica("old-1", "1.4.0").await?;
    plain.replica("new-1", "2.0.0").await?;
    for (example, mode) in VARIANTS {
        let mut envoy = plain.envoy(&Bootstrap::of(example, &format!("edge-{mode}"))).await?;
        envoy.is_told().await?;
        plain.answers(&envoy, "shop", "old-1").await?;
        let load = Load::on(&envoy, "shop");
        let mut seen_after: Vec<Duration> = vec![];
        // An even number of them ends where it began.
        for swap in 0..swaps & !1 {
            let (version, replica) = if swap % 2 == 0 { ("^2", "new-1") } else { ("^1", "old-1") };
            let began = Instant::now();
            plain.declare(&shop(version)).await?;
            plain.answers(&envoy, "shop", replica).await?;
            seen_after.push(began.elapsed());
        }
        let (calls, failed) = load.stop().await?;
        seen_after.sort();
        let median = seen_after.get(swaps / 2).copied().unwrap_or_default();
        println!("{mode}: {} of {calls} calls failed in {swaps} swaps; seen after {median:?} (median)", failed.len());
        assert!(failed.is_empty() && calls > swaps, "{mode}: {} of {calls}: {:?}", failed.len(), failed.first());
        assert_eq!(envoy.counter("cluster_manager.cds.update_rejected").await?, 0);
        assert!(envoy.counter("cluster_manager.cluster_removed").await? >= swaps as u64 / 2, "old clusters go");
    }
    Ok(())
}

#[tokio::test]
async fn an_endpoint_is_replaced_under_load_and_no_call_fails() -> Result<()> {
    let mut plain = Plain::start("").await?;
    plain.replica("weather-1", "1.0.0").await?;
    for (at, (example, mode)) in VARIANTS.into_iter().enumerate() {
        let (before, after) = (format!("weather-{}", at + 1), format!("weather-{}", at + 2));
        let mut envoy = plain.envoy(&Bootstrap::of(example, &format!("edge-{mode}"))).await?;
        envoy.is_told().await?;
        plain.answers(&envoy, "weather", &before).await?;
        let load = Load::on(&envoy, "weather");
        plain.replica(&after, "1.0.0").await?;
        plain.answers(&envoy, "weather", &after).await?;
        plain.stop_proxy(&before).await?;
        for _ in 0..20 {
            assert_eq!(plain.call(&envoy, "weather").await?, after, "{mode}");
        }
        let (calls, failed) = load.stop().await?;
        println!("{mode}: {} of {calls} calls failed", failed.len());
        assert!(failed.is_empty(), "{mode}: {} of {calls}: {:?}", failed.len(), failed.first());
    }
    Ok(())
}
