use super::*;

fn from(remote: &str, id: Option<&str>) -> Extensions {
    let mut extensions = Extensions::new();
    extensions.insert(PeerInfo { remote: remote.parse().unwrap(), id: id.map(|id| id.parse().unwrap()) });
    extensions
}

#[test]
fn plaintext_is_heard_over_loopback_and_elsewhere_only_if_the_mesh_is_insecure() {
    let near = from("127.0.0.1:4000", None);
    let far = from("10.0.0.9:4000", None);
    assert!(peer(&near, Plaintext::Loopback).is_ok());
    assert_eq!(peer(&far, Plaintext::Loopback).unwrap_err().code(), tonic::Code::Unauthenticated);
    assert!(peer(&far, Plaintext::Anywhere).is_ok());
    let proven = from("10.0.0.9:4000", Some("spiffe://mesh.local/agent/weather"));
    assert!(peer(&proven, Plaintext::Loopback).is_ok());
}

#[test]
fn operators_and_control_itself_never_register() {
    for (id, may) in [("agent/weather", true), ("node/box-1", true), ("operator/ada", false), ("control", false)] {
        let extensions = from("10.0.0.9:4000", Some(&format!("spiffe://mesh.local/{id}")));
        let peer = peer(&extensions, Plaintext::Loopback).unwrap();
        assert_eq!(peer.must_be_proxy().is_ok(), may, "{id}");
    }
}

#[test]
fn keys_are_for_who_says_it_is_a_proxy_and_proves_nothing_else() {
    let audience = |id: Option<&str>, role| {
        let id = id.map(|id| format!("spiffe://mesh.local/{id}"));
        peer(&from("127.0.0.1:4000", id.as_deref()), Plaintext::Loopback).unwrap().audience(role)
    };
    for id in [None, Some("agent/weather"), Some("node/box-1")] {
        assert_eq!(audience(id, Role::Proxy), Audience::Proxies, "{id:?}");
        assert_eq!(audience(id, Role::Observer), Audience::Observers, "{id:?}");
    }
    for id in ["operator/ada", "control"] {
        assert_eq!(audience(Some(id), Role::Proxy), Audience::Observers, "{id}");
    }
}

#[test]
fn a_request_of_unknown_origin_is_refused() {
    assert_eq!(peer(&Extensions::new(), Plaintext::Anywhere).unwrap_err().code(), tonic::Code::Internal);
}
