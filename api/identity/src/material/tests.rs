use super::*;

struct Pem {
    certificate: String,
    key: String,
}

fn pem(uri: &str) -> Pem {
    let mut parameters = rcgen::CertificateParams::default();
    parameters.subject_alt_names = vec![rcgen::SanType::URI(uri.try_into().expect("ascii"))];
    let key = rcgen::KeyPair::generate().expect("key");
    Pem { certificate: parameters.self_signed(&key).expect("certificate").pem(), key: key.serialize_pem() }
}

fn failure(certificate: &str, key: &str, authority: &str) -> String {
    Material::from_pem(certificate, key, authority).expect_err("must be refused").to_string()
}

#[test]
fn material_that_fits_together_names_its_party_and_hides_its_key() {
    let own = pem("spiffe://mesh.local/agent/weather");
    let material = Material::from_pem(&own.certificate, &own.key, &own.certificate).expect("fits");
    assert_eq!(material.id().to_string(), "spiffe://mesh.local/agent/weather");
    let shown = format!("{material:?}");
    assert_eq!(shown, r#"Material { id: "spiffe://mesh.local/agent/weather", .. }"#);
}

#[test]
fn material_that_does_not_fit_together_says_which_part() {
    let own = pem("spiffe://mesh.local/agent/weather");
    let other = pem("spiffe://mesh.local/agent/other");
    let stranger = pem("https://example.org/");
    assert!(failure("", &own.key, &own.certificate).starts_with("certificate: holds no PEM certificate"));
    assert!(failure(&own.certificate, "", &own.certificate).starts_with("key: holds no PEM private key"));
    assert!(failure(&own.certificate, &own.key, "").starts_with("authority: holds no PEM certificate"));
    assert!(failure(&own.certificate, &other.key, &own.certificate).starts_with("key: "));
    assert!(failure(&stranger.certificate, &stranger.key, &own.certificate).starts_with("certificate: names no party"));
}

#[test]
fn a_missing_file_is_named_with_the_next_step() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("weather.pem");
    let error = Material::load(&path, &path, &path).expect_err("nothing there").to_string();
    assert!(error.contains("weather.pem") && error.contains("outrigger ca issue"), "{error}");
}
