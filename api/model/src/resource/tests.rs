use super::*;

#[test]
fn a_token_reads_back_as_it_was_written() {
    let token = Token::new(Epoch(0x0a1b_2c3d), Serial(42), &Digest::of(b"test"));
    assert_eq!(token.to_string(), "0a1b2c3d.42-9f86d081884c");
    assert_eq!(token.to_string().parse::<Token>().unwrap(), token);
}

#[test]
fn what_a_stranger_sends_as_a_token_is_refused_not_guessed() {
    for bad in ["", "1.2-3", "0a1b2c3d.42", "0a1b2c3d.x-9f86d081884c", "0a1b2c3d.42-9f86", "+a1b2c3d.4-9f86d081884cff"]
    {
        assert!(bad.parse::<Token>().is_err(), "{bad:?} was accepted");
    }
}

#[test]
fn every_kind_has_a_name_of_its_own() {
    for kind in ResourceKind::ALL {
        assert_eq!(ResourceKind::parse(kind.as_str()), Some(kind));
    }
}
