//! Control goes away and comes back, with its store and without.

use anyhow::{Result, ensure};
use outrigger_tests::stock::{Bootstrap, told};
use outrigger_tests::wait;

use super::plain::{Load, Plain};
use super::{VARIANTS, answers};

const TALLY: &str = "routes:\n  - {name: tally, capability: weather}\n";

#[tokio::test]
async fn an_envoy_goes_on_without_control_and_is_told_nothing_twice() -> Result<()> {
    let mut plain = Plain::start("").await?;
    plain.replica("weather-1", "1.0.0").await?;
    let mut envoys = vec![];
    for (example, mode) in VARIANTS {
        let mut envoy = plain.envoy(&Bootstrap::of(example, mode)).await?;
        envoy.is_told().await?;
        plain.answers(&envoy, "weather", "weather-1").await?;
        envoys.push(envoy);
    }
    let loads: Vec<Load> = envoys.iter().map(|envoy| Load::on(envoy, "weather")).collect();
    plain.kill_control().await?;
    for envoy in &envoys {
        assert_eq!(plain.call(envoy, "weather").await?, "weather-1");
    }
    plain.start_control("").await?;
    for envoy in &envoys {
        wait::until(&format!("{} is back", envoy.node), async || told(&plain.http, &envoy.node).await.map(drop))
            .await?;
    }
    plain.declare(TALLY).await?;
    for envoy in &envoys {
        plain.answers(envoy, "tally", "weather-1").await?;
    }
    let delta = told(&plain.http, "delta").await?;
    assert_eq!(
        (answers(&delta, "Cluster"), answers(&delta, "Listener"), answers(&delta, "RouteConfiguration")),
        (0, 0, 1),
        "{delta}"
    );

    plain.kill_control().await?;
    plain.forget()?;
    plain.start_control(TALLY).await?;
    for envoy in &envoys {
        wait::until(&format!("{} is told again", envoy.node), async || {
            let told = told(&plain.http, &envoy.node).await?;
            ensure!(told["types"]["RouteConfiguration"]["version"].is_string(), "{told}");
            Ok(())
        })
        .await?;
        plain.answers(envoy, "tally", "weather-1").await?;
    }
    for (load, envoy) in loads.into_iter().zip(&envoys) {
        let (calls, failed) = load.stop().await?;
        println!("{}: {} of {calls} calls failed", envoy.node, failed.len());
        assert!(failed.is_empty() && calls > 100, "{}: {} of {calls}: {:?}", envoy.node, failed.len(), failed.first());
    }
    Ok(())
}
