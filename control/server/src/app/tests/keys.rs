//! Keys of session ids, as proxies, operators and strangers see them.

use outrigger_wire::proto::snapshot as wire;
use outrigger_wire::watcher::Role;
use prost::Message;

use super::mesh::press;
use super::*;

/// The keys that a watcher was sent, by their numbers and secrets.
fn keys(watcher: &Watcher) -> Vec<(u32, Vec<u8>)> {
    let keyring = wire::Keyring::decode(watcher.keyring.as_slice()).unwrap();
    keyring.keys.into_iter().map(|key| (key.id, key.secret)).collect()
}

async fn until_keys(watcher: &mut Watcher, ids: &[u32]) {
    while keys(watcher).iter().map(|(id, _)| *id).collect::<Vec<_>>() != ids {
        let burst = watcher.burst().await;
        watcher.answer(MANIFEST_TYPE_URL, &burst.nonce, None).await;
    }
}

#[tokio::test]
async fn proxies_share_keys_that_outlive_a_restart_and_get_a_new_one_when_an_operator_wants_it() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Control::start(settings(folder.path(), "store: sqlite:control.db"));
    let control = soon(start()).await.unwrap();
    let (mut one, mut two) = (Watcher::open(&control, "one").await, Watcher::open(&control, "two").await);
    until_keys(&mut one, &[1]).await;
    until_keys(&mut two, &[1]).await;
    assert_eq!(keys(&one), keys(&two));
    let (status, body) = press(&control, "/v1/session-keys", "").await;
    assert_eq!((status, body.as_str()), (201, r#"{"key":2,"seals_in_seconds":10}"#));
    until_keys(&mut one, &[1, 2]).await;
    until_keys(&mut two, &[1, 2]).await;
    let shared = keys(&one);
    assert_ne!(shared[0].1, shared[1].1);
    let (status, body) = press(&control, "/v1/session-keys", "").await;
    assert_eq!(status, 409, "{body}");
    soon(control.stop()).await;

    let control = soon(start()).await.unwrap();
    let mut late = Watcher::open(&control, "late").await;
    until_keys(&mut late, &[1, 2]).await;
    assert_eq!(keys(&late), shared);
    soon(control.stop()).await;
}

#[tokio::test]
async fn who_only_watches_gets_no_keys_and_all_the_rest() {
    let control = control("store: memory").await;
    let _proxy = register(&control, "weather-1").await;
    let channel = channel(&control, None);
    let mut proxy = Watcher::connect(channel.clone(), "caller", &["weather"], Tokens::new()).await;
    until_keys(&mut proxy, &[1]).await;
    let secret = &keys(&proxy)[0].1;
    for needs in [&[][..], &["weather"]] {
        let mut observer = Watcher::connect_as(Role::Observer, channel.clone(), "desk", needs, Tokens::new()).await;
        let route = |held: &Tokens| held.contains_key(&key(ResourceKind::Route, "weather"));
        observer.apply_until(route).await;
        assert!(keys(&observer).is_empty());
        assert!(observer.tokens.contains_key(&key(ResourceKind::Keyring, SELF)), "it is there, and empty");
    }
    let hidden = hex::encode(secret);
    for path in ["/v1/proxies", "/v1/snapshots", "/v1/events", "/v1/routes", "/metrics"] {
        let (_, _, body) = get(&control, path, "127.0.0.1").await;
        assert!(!body.contains(&hidden), "{path}");
    }
    soon(control.stop()).await;
}

#[tokio::test]
async fn a_certificate_of_an_operator_gets_no_keys_whatever_its_watcher_says_it_is() {
    let authority = Authority::create(TrustDomain::new("mesh.local").unwrap()).unwrap();
    let material = |party: &str| {
        let id = format!("spiffe://mesh.local/{party}").parse().unwrap();
        let issued = authority.issue(&id, LEAF_VALIDITY, &[]).unwrap();
        let pem = authority.certificate_pem();
        outrigger_identity::Material::from_pem(&issued.certificate_pem, &issued.key_pem, pem).unwrap()
    };
    let mut settings = settings(std::path::Path::new("/"), "store: memory");
    settings.material = Some(material("control"));
    let control = soon(Control::start(settings)).await.unwrap();
    let mut proxy = Watcher::connect(channel(&control, Some(&material("node/desk"))), "desk", &[], Tokens::new()).await;
    until_keys(&mut proxy, &[1]).await;
    let operator = channel(&control, Some(&material("operator/ada")));
    let mut operator = Watcher::connect(operator, "ada", &[], Tokens::new()).await;
    operator.burst().await;
    assert!(keys(&operator).is_empty());
    soon(control.stop()).await;
}

#[tokio::test]
async fn a_web_page_rotates_nothing() {
    let control = control("store: memory").await;
    let (status, body) = press(&control, "/v1/session-keys", "http://127.0.0.1:3000").await;
    assert_eq!(status, 403, "{body}");
    let (status, _, _) = get(&control, "/v1/session-keys", "127.0.0.1").await;
    assert_eq!(status, 405);
    soon(control.stop()).await;
}
