use super::{Method, TEXTS};

#[test]
fn every_method_reads_back_from_its_label() {
    for (method, text) in TEXTS {
        assert_eq!(Method::from_text(text), method);
        assert_eq!(method.label(), text);
    }
}

#[test]
fn labels_are_closed_whatever_a_caller_writes() {
    for (text, label) in [
        ("notifications/initialized", "notifications"),
        ("notifications/anything", "notifications"),
        ("acme/own", "_other"),
        ("TOOLS/CALL", "_other"),
        ("", "_other"),
    ] {
        assert_eq!(Method::from_text(text).label(), label, "{text}");
    }
}
