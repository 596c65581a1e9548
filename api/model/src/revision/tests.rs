use super::*;

#[test]
fn the_handshake_went_away_with_2026_07_28() {
    let era = |text: &str| text.parse::<Revision>().unwrap().era();
    for legacy in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-27"] {
        assert_eq!(era(legacy), Era::Legacy, "{legacy}");
    }
    for modern in ["2026-07-28", "2027-01-01"] {
        assert_eq!(era(modern), Era::Modern, "{modern}");
    }
}

#[test]
fn what_is_not_a_date_is_no_revision() {
    for bad in
        ["", "2025", "2025-6-18", "2025-13-01", "2025-00-10", "2025-01-32", "draft", "2025-11-25x", "２０２５-11-25"]
    {
        assert!(bad.parse::<Revision>().is_err(), "{bad:?} was accepted");
    }
}
