use super::address;

#[tokio::test]
async fn a_listener_on_one_address_is_dialled_there_and_one_on_all_where_control_is() {
    for (inbound, control, expected) in [
        ("10.1.2.3:17006", "127.0.0.1:17010", "10.1.2.3:17006"),
        ("127.0.0.1:5", "127.0.0.1:17010", "127.0.0.1:5"),
        ("0.0.0.0:17006", "127.0.0.1:17010", "127.0.0.1:17006"),
    ] {
        assert_eq!(address(inbound.parse().unwrap(), control).await.unwrap(), expected.parse().unwrap(), "{inbound}");
    }
}
