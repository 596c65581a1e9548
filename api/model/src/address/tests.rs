use super::*;

fn check(address: &str, from: &str, allowed: &[&str], expected: bool) {
    let allowed: Vec<Cidr> = allowed.iter().map(|text| text.parse().unwrap()).collect();
    let verdict = judge(address.parse().unwrap(), from.parse().unwrap(), &allowed);
    assert_eq!(verdict.is_ok(), expected, "{address} from {from}: {verdict:?}");
}

#[test]
fn a_proxy_may_advertise_the_address_it_came_from() {
    check("10.1.2.3:17006", "10.1.2.3", &[], true);
    check("127.0.0.1:17006", "127.0.0.1", &[], true);
    check("127.0.0.2:17006", "127.0.0.1", &[], true);
    check("[::1]:17006", "127.0.0.1", &[], true);
    check("10.1.2.3:17006", "::ffff:10.1.2.3", &[], true);
}

#[test]
fn another_address_needs_an_allowed_network() {
    check("10.9.9.9:17006", "10.1.2.3", &[], false);
    check("10.9.9.9:17006", "10.1.2.3", &["10.0.0.0/8"], true);
    check("11.9.9.9:17006", "10.1.2.3", &["10.0.0.0/8"], false);
    check("127.0.0.1:6379", "10.1.2.3", &[], false);
    check("[fd00::7]:17006", "10.1.2.3", &["fd00::/8"], true);
    check("8.8.8.8:1", "10.1.2.3", &["0.0.0.0/0"], true);
}

#[test]
fn an_address_that_reaches_metadata_services_is_refused_even_where_all_is_allowed() {
    for never in ["169.254.169.254:80", "0.0.0.0:80", "224.0.0.1:80", "255.255.255.255:80", "[fe80::1]:80", "[::]:80"] {
        check(never, "10.1.2.3", &["0.0.0.0/0", "::/0"], false);
    }
    check("10.1.2.3:0", "10.1.2.3", &[], false);
}

#[test]
fn a_network_needs_a_length_that_fits() {
    for bad in ["10.0.0.0", "10.0.0.0/33", "fd00::/129", "x/8", "/8"] {
        assert!(bad.parse::<Cidr>().is_err(), "{bad}");
    }
    assert_eq!("10.0.0.0/8".parse::<Cidr>().unwrap().to_string(), "10.0.0.0/8");
}
