use outrigger_model::identity::TrustDomain;

use super::{identified, init, issue, stem};

fn written(text: &str) -> String {
    match identified(text, &TrustDomain::new("mesh").unwrap()) {
        Ok(id) => format!("{id} {}", stem(&id.party)),
        Err(problem) => problem.report(),
    }
}

#[test]
fn an_identity_may_leave_out_the_domain() {
    assert_eq!(written("agent/weather"), "spiffe://mesh/agent/weather weather");
    assert_eq!(written("spiffe://mesh/node/x"), "spiffe://mesh/node/x x");
    assert_eq!(written("control"), "spiffe://mesh/control control");
    assert!(written("weather").contains("write agent/NAME"), "{}", written("weather"));
}

#[test]
fn a_certificate_stands_with_its_key_and_the_authority_in_one_folder() {
    let folder = std::env::temp_dir().join(format!("outrigger-ca-{}", std::process::id()));
    init(&folder.join("authority"), TrustDomain::new("mesh").unwrap()).unwrap();
    let day = std::time::Duration::from_secs(86_400);
    issue(&folder.join("authority"), "agent/weather", &folder.join("out"), day).unwrap();
    for file in ["weather.pem", "weather.key", "ca.pem"] {
        assert!(folder.join("out").join(file).exists(), "{file}");
    }
    assert!(issue(&folder.join("authority"), "agent/weather", &folder.join("out"), day).is_err());
    assert!(init(&folder.join("authority"), TrustDomain::new("mesh").unwrap()).is_err());
    std::fs::remove_dir_all(folder).unwrap();
}
