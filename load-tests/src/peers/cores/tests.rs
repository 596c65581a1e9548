use super::*;

#[test]
fn the_proxy_is_alone_as_soon_as_there_are_two_cores() {
    assert_eq!(Cores::among(1), Cores { proxy: 0, agent: 0, generator: 0 });
    assert_eq!(Cores::among(2), Cores { proxy: 0, agent: 1, generator: 1 });
    assert_eq!(Cores::among(8), Cores { proxy: 0, agent: 1, generator: 2 });
}
