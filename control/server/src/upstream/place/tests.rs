use super::*;

fn asker<'a>(networks: &'a [Cidr], is_insecure: bool) -> Asker<'a> {
    Asker { from: "127.0.0.1".parse().unwrap(), networks, is_insecure }
}

#[tokio::test]
async fn a_host_is_an_address_in_its_usual_form_or_a_name() {
    let networks = ["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()];
    let open = asker(&networks, true);
    for (host, address) in [
        ("127.0.0.1", "127.0.0.1:80"),
        ("::1", "[::1]:80"),
        ("[::1]", "[::1]:80"),
        ("::ffff:127.0.0.1", "127.0.0.1:80"),
    ] {
        assert_eq!(open.place(host, 80).await.unwrap().to_string(), address, "{host}");
    }
    let disguised = [
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "127.1",
        "0177.0.0.1",
        "fe80::1%eth0",
        "a b",
        "http://a",
        "a/b",
        "user@host",
        "-a",
        "a..b",
    ];
    for host in disguised {
        assert!(matches!(open.place(host, 80).await, Err(BadPlace::Host(_))), "{host}");
    }
    for (host, port) in [("", 80), ("127.0.0.1", 0)] {
        assert!(matches!(open.place(host, port).await, Err(BadPlace::Missing)), "{host}:{port}");
    }
}

#[tokio::test]
async fn what_serves_the_credentials_of_clouds_is_refused_in_every_spelling() {
    let networks = ["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()];
    let open = asker(&networks, true);
    for host in [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "64:ff9b::a9fe:a9fe",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "255.255.255.255",
    ] {
        assert!(matches!(open.place(host, 80).await, Err(BadPlace::Refused(_))), "{host}");
    }
}

#[tokio::test]
async fn a_name_is_resolved_and_every_address_of_it_is_judged() {
    let strict = asker(&[], false);
    assert!(strict.place("localhost", 80).await.unwrap().ip().is_loopback());
    let far = Asker { from: "10.0.0.9".parse().unwrap(), networks: &[], is_insecure: true };
    assert!(
        matches!(far.place("localhost", 80).await, Err(BadPlace::Refused(_))),
        "loopback of control is not the agent's"
    );
    assert!(matches!(strict.place("no-such-host.invalid", 80).await, Err(BadPlace::Unresolved(_))));
}

#[tokio::test]
async fn beyond_loopback_plaintext_has_to_be_allowed() {
    let networks = ["10.0.0.0/8".parse().unwrap()];
    assert!(matches!(asker(&networks, false).place("10.0.0.9", 80).await, Err(BadPlace::Plaintext(_))));
    assert!(asker(&networks, true).place("10.0.0.9", 80).await.is_ok());
}
