//! gRPC clients with an `xds:///` target.

use anyhow::{Context, Result, bail, ensure};
use outrigger_tests::stock::{GrpcServer, grpc_calls};
use outrigger_tests::wait;
use outrigger_wire::proto::registry::facts::Fact;
use outrigger_wire::proto::registry::hint::Hint as Kind;
use outrigger_wire::proto::registry::registry_client::RegistryClient;
use outrigger_wire::proto::registry::{Facts, Hello, Hint, Replica, Report};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use super::plain::Plain;

/// Whoever stands beside servers that are not MCP, and says where they are.
struct Registrar {
    facts: mpsc::Sender<Facts>,
    hints: Streaming<Hint>,
}

impl Registrar {
    async fn connect(grpc: &str) -> Result<Self> {
        let (facts, stream) = mpsc::channel(16);
        let hello = Fact::Hello(Hello { node: "registrar".to_owned(), build: "test".to_owned() });
        facts.send(Facts { fact: Some(hello) }).await?;
        let channel = outrigger_identity::channel(grpc, None)?;
        let hints = RegistryClient::new(channel).report(ReceiverStream::new(stream)).await?.into_inner();
        Ok(Self { facts, hints })
    }

    async fn report(&mut self, servers: &[&GrpcServer]) -> Result<()> {
        let replica = |(at, server): (usize, &&GrpcServer)| Replica {
            id: format!("echo-{at}"),
            agent: "echo".to_owned(),
            semver: "1.0.0".to_owned(),
            address: server.address.clone(),
            generation: 1,
            weight: 100,
            serving: true,
            ..Replica::default()
        };
        let replicas = servers.iter().enumerate().map(replica).collect();
        self.facts.send(Facts { fact: Some(Fact::Report(Report { replicas, calls: None })) }).await?;
        loop {
            let hint =
                tokio::time::timeout(wait::DEADLINE, self.hints.message()).await??.context("the stream ended")?;
            match hint.hint {
                Some(Kind::Taken(_)) => return Ok(()),
                Some(Kind::Refused(refused)) => bail!("{refused:?}"),
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn a_grpc_client_calls_every_endpoint_of_its_target_and_fails_at_once_where_there_is_none() -> Result<()> {
    let plain = Plain::start("").await?;
    let one = GrpcServer::start("one", plain.folder()).await?;
    let two = GrpcServer::start("two", plain.folder()).await?;
    let mut registrar = Registrar::connect(&plain.grpc).await?;
    registrar.report(&[&one, &two]).await?;
    let said = wait::until("both servers answer", async || {
        let said = grpc_calls(plain.folder(), &plain.grpc, "echo", 8).await?;
        ensure!(said.iter().any(|line| line == "one 7" || line.starts_with("one ")), "{said:?}");
        ensure!(said.iter().any(|line| line.starts_with("two ")), "{said:?}");
        Ok(said)
    })
    .await?;
    assert_eq!(said.len(), 8);
    assert!(said.iter().all(|line| line.starts_with("one ") || line.starts_with("two ")), "{said:?}");
    let failed = grpc_calls(plain.folder(), &plain.grpc, "nobody", 1).await?;
    let words: Vec<&str> = failed.first().context("a line")?.split(' ').collect();
    let [code, "after", milliseconds, "ms"] = words.as_slice() else { bail!("{failed:?}") };
    println!("an unknown target fails after {milliseconds} ms");
    assert_eq!(*code, "UNAVAILABLE");
    // Without `resource_errors` a client waits for 15 s.
    assert!(milliseconds.parse::<u64>()? < 5_000, "{failed:?}");
    Ok(())
}
