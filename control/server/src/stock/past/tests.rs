use std::sync::Arc;

use outrigger_model::digest::Digest;
use outrigger_model::resource::{Epoch, Serial};

use super::*;
use crate::stock::shelf::Shelf;

const GRACE: Duration = Duration::from_secs(20);

fn token(epoch: u32, serial: u64) -> Token {
    Token::new(Epoch(epoch), Serial(serial), &Digest::of(b"x"))
}

/// Asked of a control of epoch 1 at serial 7.
fn asked(reported: &[Token], up_seconds: u64) -> Result<(), TooEarly> {
    let edition = Edition::new(Epoch(1), Serial(7), |_| Arc::new(Shelf::new(Epoch(1), Serial(7), [])));
    check(reported, &edition, Duration::from_secs(up_seconds), GRACE)
}

#[test]
fn a_client_that_holds_nothing_is_answered_at_once() {
    assert_eq!(asked(&[], 0), Ok(()));
}

#[test]
fn a_client_of_a_store_that_is_gone_waits_until_the_proxies_are_back() {
    assert_eq!(asked(&[token(9, 100)], 19), Err(TooEarly::Forgotten));
    assert_eq!(asked(&[token(9, 100)], 20), Ok(()));
}

#[test]
fn a_client_that_knows_more_than_control_is_not_taken_back() {
    assert_eq!(asked(&[token(1, 7)], 0), Ok(()));
    assert_eq!(asked(&[token(1, 3), token(1, 8)], 100), Err(TooEarly::Behind));
}
