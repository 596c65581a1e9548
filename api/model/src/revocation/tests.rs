use super::SessionName;
use crate::digest::Digest;

#[test]
fn a_session_is_named_by_sixteen_digits() {
    let name = SessionName::of(&Digest::of(b"a"));
    assert_eq!(name.to_string().parse(), Ok(name));
    for text in ["", "12", "+000000000000001", "000000000000000g", "00000000000000001"] {
        let error = text.parse::<SessionName>().unwrap_err();
        assert!(error.to_string().contains("outrigger get sessions"), "{error}");
    }
}
