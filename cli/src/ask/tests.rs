use super::escaped;

#[test]
fn ranges_and_tags_survive_a_query() {
    assert_eq!(escaped("^1.2"), "%5E1.2");
    assert_eq!(escaped("+eu"), "%2Beu");
    assert_eq!(escaped(">=1, <2"), "%3E%3D1%2C%20%3C2");
    assert_eq!(escaped("weather-1_a.b~"), "weather-1_a.b~");
}
