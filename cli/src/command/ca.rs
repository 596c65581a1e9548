//! `outrigger ca`: the authority of a mesh, and the certificates of its parties.

use std::path::Path;
use std::time::Duration;

use outrigger_control::ca::{Authority, LOOPBACK};
use outrigger_model::identity::{Party, SpiffeId, TrustDomain};

use crate::args::Ca;
use crate::output::say;
use crate::problem::Problem;

const DAY: Duration = Duration::from_secs(86_400);

pub fn run(ca: Ca) -> Result<(), Problem> {
    match ca {
        Ca::Init { dir, trust_domain } => init(&dir, trust_domain),
        Ca::Issue { dir, identity, out, days } => issue(&dir, &identity, &out, DAY * days),
    }
}

fn init(dir: &Path, domain: TrustDomain) -> Result<(), Problem> {
    let failed = |cause| Problem::failed("the authority cannot be made").because(cause);
    let authority = Authority::create(domain).map_err(failed)?;
    authority.save(dir).map_err(failed)?;
    let dir = dir.display();
    say(format!("{dir}/ca.pem  the certificate that every party verifies the others with"))?;
    say(format!("{dir}/ca.key  the key of the mesh: whoever has it can speak for everyone"))?;
    say(format!("next: outrigger ca issue --dir {dir} control --out {dir}   and then agent/NAME for each agent"))
}

fn issue(dir: &Path, identity: &str, out: &Path, validity: Duration) -> Result<(), Problem> {
    let failed = |cause| Problem::failed("the certificate cannot be issued").because(cause);
    let authority = Authority::load(dir).map_err(failed)?;
    let id = identified(identity, authority.domain())?;
    // Stock gRPC and HTTP tools verify control by its address.
    let hosts = if id.party == Party::Control { &LOOPBACK[..] } else { &[] };
    let issued = authority.issue(&id, validity, hosts).map_err(failed)?;
    let (certificate, key) = issued.save(out, stem(&id.party)).map_err(failed)?;
    let anchor = out.join("ca.pem");
    if !anchor.exists() {
        let written = std::fs::write(&anchor, authority.certificate_pem());
        written.map_err(|cause| Problem::failed(format!("{} cannot be written", anchor.display())).because(cause))?;
    }
    say(format!("{id}"))?;
    say("identity:")?;
    say(format!("  certificate: {}", certificate.display()))?;
    say(format!("  key: {}", key.display()))?;
    say(format!("  authority: {}", anchor.display()))
}

/// A whole SPIFFE id, or its path within the domain of the authority.
fn identified(text: &str, domain: &TrustDomain) -> Result<SpiffeId, Problem> {
    let whole = if text.starts_with("spiffe://") { text.to_owned() } else { format!("spiffe://{domain}/{text}") };
    whole.parse().map_err(|cause| {
        Problem::usage(format!("`{text}` is no identity"))
            .because(cause)
            .next("write agent/NAME, node/NAME, operator/NAME or control")
    })
}

/// The name of the files of a party.
fn stem(party: &Party) -> &str {
    match party {
        Party::Agent(name) => name.as_str(),
        Party::Node(name) | Party::Operator(name) => name.as_str(),
        Party::Control => "control",
    }
}

#[cfg(test)]
mod tests;
