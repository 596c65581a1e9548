//! Client scenarios: official clients against the suite's servers, direct and through the mesh.
//!
//! Three ways besides the direct one. As an HTTP proxy that forwards to listed sites; as an HTTP proxy beside the agent, so
//! that the same URL is a call of the mesh; and by the URL of a route, through two proxies and mTLS.
//! A difference is one that a second run shows again.
//! Invariant: with the URL unchanged nothing differs, authorization included; by the URL of a route only what is listed.

mod door;
mod suite;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, ensure};
use outrigger_tests::conformance::{Check, Checks, Difference, Status, count, differences};
use outrigger_tests::mesh::{Mesh, Shape};
use tokio::task::LocalSet;

use door::{Door, FORWARD, Sign};
use suite::{Client, Requirements, Run, Sdk, Way, run};

/// What differs by the URL of a route, because the server knows itself by another one: `SCENARIO`, or `SCENARIO CHECK` where that
/// check alone differs. The client names the URL that it called as the resource that it wants a token for, and the suite compares
/// that with its own. In two the metadata is where no URL of a route leads: at the root of the server only, which is nobody's
/// where several routes are; and at a place of its own, where it names the server's own URL, which is not the one called.
const MOVED: &[&str] = &[
    "auth/metadata-default resource-parameter-matches-prm",
    "auth/metadata-var1 resource-parameter-matches-prm",
    "auth/metadata-var2",
    "auth/metadata-var3",
    "auth/token-endpoint-auth-basic resource-parameter-matches-prm",
    "auth/token-endpoint-auth-none resource-parameter-matches-prm",
    "auth/token-endpoint-auth-post resource-parameter-matches-prm",
];

/// What the identity provider vouches for is the URL called as well (an extension, not scored).
const MOVED_ASSERTION: &[&str] = &["auth/enterprise-managed-authorization"];

/// A proof of possession names the URL of its request (an extension, not scored).
const MOVED_PROOF: &[&str] = &[
    "auth/dpop sep-1932-client-fresh-proof",
    "auth/dpop-nonce sep-1932-client-fresh-proof",
    "auth/dpop-nonce sep-1932-client-rs-nonce",
];

/// The Rust client opens its own stream while it calls, and the suite takes whichever GET came last for the reconnection that it
/// times; or its server asks on that stream before it is there, and the question is lost. On a loaded machine both come out either way.
/// The other clients call when their stream is open.
const UNSTEADY_RUST: &[&str] = &["sse-retry", "elicitation-sep1034-client-defaults"];

/// One client for one set of requirements, and what came out of it direct.
struct Trial<'t> {
    sdk: Sdk,
    client: &'t Client,
    requirements: Requirements,
    folder: &'t Path,
    direct: Checks,
}

/// All ways of one client, for one set of requirements. `moved` is what differs by the URL of a route.
async fn same_on_every_way(sdk: Sdk, requirements: Requirements, moved: &[&[&str]]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let client = Client::ready(sdk, folder).await?;
    let mut trial = Trial { sdk, client: &client, requirements, folder, direct: Checks::new() };
    let direct = trial.run(&Way::Direct, "direct").await?;
    ensure!(direct.passed, "a scored scenario fails direct:\n{}", direct.log);
    trial.direct = direct.checks;
    let (failures, warnings) = (count(&trial.direct, Status::Failure), count(&trial.direct, Status::Warning));
    println!(
        "{sdk:?} {requirements:?}: {} checks direct, {failures} failures, {warnings} warnings",
        trial.direct.len()
    );
    let nothing = BTreeSet::new();

    let mesh = Mesh::new().await?;
    let proxy = mesh.start_proxy(&Shape::calling("forwards", "agent/desk").with(FORWARD)).await?;
    let way = Way::HttpProxy(format!("http://{}", proxy.outbound));
    trial.differs_in("forwarded", &way, &nothing).await?;

    let door = Door::open(Sign::HttpProxy).await?;
    trial.differs_in("beside", &Way::Door(door.address.clone()), &nothing).await?;

    let door = Door::open(Sign::Url).await?;
    let listed: BTreeSet<String> = moved.iter().copied().flatten().map(|one| (*one).to_owned()).collect();
    trial.differs_in("by-url", &Way::Door(door.address.clone()), &listed).await
}

impl Trial<'_> {
    /// Fails unless a way differs from the direct one in exactly what is listed. What is not as listed counts if a second run of the way shows it
    /// again: clients and servers of the suite also race with each other, on timers of a few milliseconds and over a number of connections, and a
    /// loaded machine decides such a race either way. What the mesh does to a scenario it does again.
    async fn differs_in(&self, name: &str, way: &Way, listed: &BTreeSet<String>) -> Result<()> {
        let first = surprises(&differences(&self.direct, &self.run(way, name).await?.checks), listed);
        if first.is_empty() {
            return Ok(());
        }
        println!("{name}: once more, because of {first:?}");
        let again = self.run(way, &format!("{name}-again")).await?;
        let different = differences(&self.direct, &again.checks);
        let second = surprises(&different, listed);
        let both: Vec<&String> = first.intersection(&second).collect();
        let said: String = different.iter().map(|one| again.said(&one.check.scenario)).collect();
        ensure!(both.is_empty(), "{name}: twice not what is listed: {both:#?}\n{}{said}", lines(&different));
        Ok(())
    }

    async fn run(&self, way: &Way, name: &str) -> Result<Run> {
        let mut run = run(self.client, self.requirements, way, self.folder, name).await?;
        if self.sdk == Sdk::Rust {
            run.checks.retain(|check, _| !UNSTEADY_RUST.contains(&check.scenario.as_str()));
        }
        Ok(run)
    }
}

/// What differs and is not listed, check by check, and what is listed and does not differ.
fn surprises(different: &[Difference], listed: &BTreeSet<String>) -> BTreeSet<String> {
    let alone = |check: &Check| format!("{} {}", check.scenario, check.id);
    let is_listed = |check: &Check| listed.contains(&alone(check)) || listed.contains(&check.scenario);
    let unlisted = different.iter().map(|one| &one.check).filter(|check| !is_listed(check)).map(alone);
    let found: BTreeSet<String> =
        different.iter().flat_map(|one| [alone(&one.check), one.check.scenario.clone()]).collect();
    unlisted.chain(listed.difference(&found).cloned()).collect()
}

fn lines(different: &[Difference]) -> String {
    different.iter().map(|one| format!("{one}\n")).collect()
}

#[test]
fn a_surprise_is_what_is_not_listed_or_is_listed_in_vain() {
    let listed: BTreeSet<String> = ["auth/a", "auth/b token"].map(str::to_owned).into();
    let check = |different: &[(&str, &str)], expected: &[&str]| {
        let different: Vec<Difference> = different
            .iter()
            .map(|(scenario, id)| Difference {
                check: Check { scenario: (*scenario).to_owned(), id: (*id).to_owned() },
                direct: Some(Status::Success),
                through: None,
            })
            .collect();
        assert_eq!(surprises(&different, &listed).into_iter().collect::<Vec<_>>(), expected, "{different:?}");
    };
    check(&[("auth/a", "one"), ("auth/b", "token")], &[]);
    check(&[("auth/a", "one"), ("auth/b", "token"), ("sse", "retry")], &["sse retry"]);
    check(&[("auth/a", "one"), ("auth/b", "token"), ("auth/b", "other")], &["auth/b other"]);
    check(&[("auth/a", "one")], &["auth/b token"]);
}

#[tokio::test]
async fn the_python_client_of_2025() -> Result<()> {
    let moved = [MOVED, MOVED_ASSERTION];
    LocalSet::new().run_until(same_on_every_way(Sdk::Python, Requirements::Of2025, &moved)).await
}

#[tokio::test]
async fn the_python_client_of_2026() -> Result<()> {
    let moved = [MOVED, MOVED_ASSERTION];
    LocalSet::new().run_until(same_on_every_way(Sdk::Python, Requirements::Of2026, &moved)).await
}

#[tokio::test]
async fn the_typescript_client_of_2025() -> Result<()> {
    let moved = [MOVED, MOVED_ASSERTION, MOVED_PROOF];
    LocalSet::new().run_until(same_on_every_way(Sdk::TypeScript, Requirements::Of2025, &moved)).await
}

#[tokio::test]
async fn the_typescript_client_of_2026() -> Result<()> {
    let moved = [MOVED, MOVED_ASSERTION, MOVED_PROOF];
    LocalSet::new().run_until(same_on_every_way(Sdk::TypeScript, Requirements::Of2026, &moved)).await
}

#[tokio::test]
async fn the_rust_client_of_2025() -> Result<()> {
    LocalSet::new().run_until(same_on_every_way(Sdk::Rust, Requirements::Of2025, &[MOVED])).await
}

#[tokio::test]
async fn the_rust_client_of_2026() -> Result<()> {
    LocalSet::new().run_until(same_on_every_way(Sdk::Rust, Requirements::Of2026, &[MOVED])).await
}
