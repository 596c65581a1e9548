use std::collections::BTreeMap;

use super::*;

#[test]
fn calls_are_spread_over_all_paths_and_the_same_again() {
    let target = Target::new(SocketAddr::from(([127, 0, 0, 1], 1)), "/a/mcp");
    let target = target.and(vec!["/b/mcp".to_owned(), "/c/mcp".to_owned()]);
    let wardrobe = Wardrobe::new(&target, &Dress::plain(Era::Modern));
    let mut counts = BTreeMap::<String, u32>::new();
    for number in 0..3_000 {
        let uri = wardrobe.call(number, None).uri().to_string();
        assert_eq!(uri, wardrobe.call(number, None).uri().to_string());
        *counts.entry(uri).or_default() += 1;
    }
    assert_eq!(counts.len(), 3);
    assert!(counts.values().all(|count| (800..1_200).contains(count)), "{counts:?}");
}

#[test]
fn a_session_stays_on_the_path_where_it_was_opened() {
    let target = Target::new(SocketAddr::from(([127, 0, 0, 1], 1)), "/a/mcp").and(vec!["/b/mcp".to_owned()]);
    let wardrobe = Wardrobe::new(&target, &Dress::plain(Era::Legacy));
    let uri: Uri = "/b/mcp".parse().unwrap();
    let session = Opened { id: HeaderValue::from_static("s"), home: "home".to_owned(), uri: uri.clone() };
    for number in 0..20 {
        assert_eq!(wardrobe.call(number, Some(&session)).uri(), &uri);
    }
    assert_eq!(wardrobe.end(&session).uri(), &uri);
    assert_eq!(wardrobe.stream(3, Some(&session)).uri(), &uri);
}
