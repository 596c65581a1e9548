use std::net::SocketAddr;

use super::{Pattern, Site, may_connect};

fn list(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn a_site_is_a_host_and_a_port_in_one_spelling() {
    for (text, default, shown) in [
        ("Weather.Example:8080", None, Some("weather.example:8080")),
        ("weather.example", Some(80), Some("weather.example:80")),
        ("[::1]:8080", None, Some("[::1]:8080")),
        ("weather.example", None, None),
        ("weather.example:", Some(80), None),
        ("weather.example:0", None, None),
        ("weather.example:65536", None, None),
        ("user@weather.example:80", None, None),
        ("weather.example:80/mcp", None, None),
        ("a b:80", None, None),
        ("", Some(80), None),
        (":80", Some(80), None),
    ] {
        assert_eq!(Site::parse(text, default).map(|site| site.to_string()).as_deref(), shown, "{text}");
    }
}

#[test]
fn a_list_takes_what_stands_on_it_and_no_other_spelling() {
    let list = list(&["127.0.0.1:*", "Api.Example.com:443", "[::1]:9000"]);
    for (site, taken) in [
        ("127.0.0.1:1", true),
        ("127.0.0.1:65535", true),
        ("api.example.com:443", true),
        ("API.EXAMPLE.COM:443", true),
        ("[::1]:9000", true),
        ("[::1]:9001", false),
        ("api.example.com:80", false),
        ("api.example.com.:443", false),
        ("www.api.example.com:443", false),
        ("example.com:443", false),
        ("localhost:1", false),
        ("127.1:1", false),
        ("127.0.0.2:1", false),
        ("2130706433:1", false),
        ("0x7f000001:1", false),
        ("0177.0.0.1:1", false),
        ("[::ffff:127.0.0.1]:1", false),
        ("0.0.0.0:1", false),
    ] {
        let site = Site::parse(site, None).unwrap();
        assert_eq!(list.iter().any(|pattern| pattern.takes(&site)), taken, "{site}");
    }
}

#[test]
fn what_is_no_entry_of_a_list_is_refused() {
    for text in
        ["", "*", "*:*", "host", "host:", "host:0", "host:http", "http://host:1", "user@host:1", "host:1/mcp", ":1"]
    {
        assert!(text.parse::<Pattern>().is_err(), "{text}");
    }
}

#[test]
fn a_listed_name_opens_no_address_that_is_this_machine_or_nobody() {
    let names = list(&["api.example.com:*"]);
    for (address, open) in [
        ("93.184.215.14:80", true),
        ("10.1.2.3:80", true),
        ("192.168.1.1:80", true),
        ("[2606:2800:21f::1]:80", true),
        ("127.0.0.1:80", false),
        ("127.8.9.1:80", false),
        ("0.0.0.0:80", false),
        ("0.1.2.3:80", false),
        ("169.254.169.254:80", false),
        ("224.0.0.1:80", false),
        ("240.0.0.1:80", false),
        ("255.255.255.255:80", false),
        ("[::]:80", false),
        ("[::1]:80", false),
        ("[::ffff:127.0.0.1]:80", false),
        ("[::ffff:169.254.169.254]:80", false),
        ("[::127.0.0.1]:80", false),
        ("[64:ff9b::7f00:1]:80", false),
        ("[2002:7f00:1::]:80", false),
        ("[2001:0:1::]:80", false),
        ("[fe80::1]:80", false),
        ("[fec0::1]:80", false),
        ("[fd00:ec2::254]:80", false),
        ("[ff02::1]:80", false),
    ] {
        assert_eq!(may_connect(address.parse().unwrap(), &names), open, "{address}");
    }
}

#[test]
fn an_address_that_stands_on_the_list_was_meant() {
    let meant = |address: &str, listed: &[&str]| may_connect(address.parse::<SocketAddr>().unwrap(), &list(listed));
    assert!(meant("127.0.0.1:80", &["127.0.0.1:*"]));
    assert!(meant("[::1]:80", &["localhost:80"]));
    assert!(meant("127.0.0.1:80", &["localhost:80"]));
    assert!(meant("[fd00::5]:80", &["[fd00::5]:80"]));
    assert!(!meant("127.0.0.1:81", &["127.0.0.1:80"]));
    assert!(!meant("169.254.169.254:80", &["localhost:*", "127.0.0.1:*"]));
}
