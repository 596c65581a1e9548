use std::time::Duration;

use outrigger_model::resource::ResourceKind;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::strategies;

fn manifest_of(bodies: &Bodies) -> Manifest {
    let made_at = SystemTime::UNIX_EPOCH + Duration::new(1_800_000_000, 5);
    Manifest { lane: "canary".into(), ..of(bodies, Epoch(7), Serial(42), made_at, "a test") }
}

proptest! {
    // Values are large; more cases find nothing that a hundred do not.
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn a_manifest_comes_back_and_fits_its_set(resources in strategies::resources()) {
        let bodies = Bodies::of(&resources);
        let manifest = manifest_of(&bodies);
        let back = from_bytes(&to_bytes(&manifest)).unwrap();
        prop_assert_eq!(&back, &manifest);
        prop_assert!(verify(&back, &bodies.parts()).is_ok());
    }

    #[test]
    fn a_set_that_lacks_one_resource_does_not_fit(resources in strategies::resources(), at in any::<proptest::sample::Index>()) {
        let bodies = Bodies::of(&resources);
        let manifest = manifest_of(&bodies);
        let mut fewer = bodies.clone();
        let lost = bodies.iter().nth(at.index(bodies.len())).unwrap();
        fewer.remove(lost.kind, &lost.name);
        let bad = verify(&manifest, &fewer.parts()).unwrap_err().to_string();
        let place = ResourceKind::ALL.iter().position(|kind| *kind == lost.kind).unwrap();
        let place = format!("Manifest/self.parts[{place}]: the set held does not match:");
        prop_assert!(bad.starts_with(&place), "{}", bad);
    }

    #[test]
    fn any_bytes_are_a_manifest_or_an_error(bytes in any::<Vec<u8>>()) {
        if let Err(bad) = from_bytes(&bytes) {
            prop_assert!(bad.to_string().starts_with("Manifest/self"));
        }
    }
}

#[test]
fn a_manifest_that_needs_an_unknown_feature_is_refused() {
    let bodies = Bodies::default();
    let manifest = Manifest { needs: vec!["time-travel".into()], ..manifest_of(&bodies) };
    let bad = verify(&manifest, &bodies.parts()).unwrap_err();
    assert_eq!(
        bad.to_string(),
        "Manifest/self.needs[0]: it needs the feature `time-travel`, which this build does not know"
    );
}

#[test]
fn a_bad_manifest_is_refused_by_its_field() {
    let good = encode::manifest::manifest(&manifest_of(&Bodies::default()));
    let check = |change: &dyn Fn(&mut snapshot::Manifest), expected: &str| {
        let mut bad = good.clone();
        change(&mut bad);
        assert_eq!(from_bytes(&bad.encode_to_vec()).unwrap_err().to_string(), expected);
    };
    check(&|bad| bad.digest.clear(), "Manifest/self.digest: 0 bytes are not a SHA-256 digest");
    check(&|bad| bad.made_at = None, "Manifest/self.made_at: it is missing");
    check(
        &|bad| bad.made_at = Some(prost_types::Timestamp { seconds: -5, nanos: 0 }),
        "Manifest/self.made_at: it is not a time from 1970 to 9999",
    );
    check(&|bad| drop(bad.parts.pop()), "Manifest/self.parts[8]: it is missing");
    check(&|bad| bad.parts.push(bad.parts[0].clone()), "Manifest/self.parts: it holds 10 items, more than 9");
    check(
        &|bad| bad.parts[2].type_url = "type.googleapis.com/outrigger.snapshot.v1.Policy".into(),
        "Manifest/self.parts[2].type_url: `type.googleapis.com/outrigger.snapshot.v1.Policy` is not a resource type that this build knows",
    );
    check(
        &|bad| bad.parts.swap(0, 1),
        "Manifest/self.parts[0].type_url: `type.googleapis.com/outrigger.snapshot.v1.Keyring` is not `type.googleapis.com/outrigger.snapshot.v1.Settings`",
    );
    check(&|bad| bad.needs = vec!["x".into(); 65], "Manifest/self.needs: it holds 65 items, more than 64");
}
