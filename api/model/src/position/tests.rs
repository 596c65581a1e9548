use super::*;

#[test]
fn a_position_is_read_as_it_is_written() {
    let position = Position { epoch: Epoch(0x0a1b_2c3d), serial: Serial(42) };
    assert_eq!(position.to_string(), "0a1b2c3d.42");
    assert_eq!("0a1b2c3d.42".parse(), Ok(position));
    for bad in ["", "42", "0a1b2c3d", "0a1b2c3d.", "0a1b2c3d.x", "+a1b2c3d.4", "0a1b2c3d.+4", "1.4", "0a1b2c3d.4-ff"] {
        assert_eq!(bad.parse::<Position>(), Err(BadPosition), "{bad}");
    }
}
