use proptest::prelude::{prop_assert_eq, proptest};

use super::Cursor;

proptest! {
    #[test]
    fn a_cursor_comes_back_as_it_was(agent in ".*", key in ".*") {
        let cursor = Cursor { agent, key };
        prop_assert_eq!(Cursor::from_text(&cursor.text()), Some(cursor));
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".*") {
        if let Some(cursor) = Cursor::from_text(&text) {
            prop_assert_eq!(cursor.text(), text);
        }
    }
}

#[test]
fn texts_of_others_are_refused() {
    for text in ["", "abc", "zz.00", "0.00", "AB.00", "ff.00"] {
        assert_eq!(Cursor::from_text(text), None, "{text}");
    }
}
