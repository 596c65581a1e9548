use super::{ArgumentKey, BadKey, KEY_TOOLS_MAX, KeySource, OnLoss};

#[test]
fn names_of_headers_and_parameters_are_the_same_in_any_case() {
    assert_eq!(KeySource::header("X-Cart").unwrap(), KeySource::header("x-cart").unwrap());
    assert_eq!(KeySource::param("Basket-Id").unwrap(), KeySource::param("basket-id").unwrap());
    assert_ne!(KeySource::cookie("Sid").unwrap(), KeySource::cookie("sid").unwrap());
}

#[test]
fn what_is_no_name_and_no_path_is_refused_with_an_example() {
    for text in ["", "a b", "a:b", "ä"] {
        assert!(matches!(KeySource::header(text), Err(BadKey::Name { what: "header", .. })), "{text}");
    }
    for path in ["", ".", "a.", ".a", "a..b", "a.b.c.d.e"] {
        let error = ArgumentKey::new(path, vec![]).unwrap_err();
        assert!(error.to_string().contains("such as session_id or cart.id"), "{error}");
    }
    let tools = (0..=KEY_TOOLS_MAX).map(|number| format!("t{number}")).collect();
    assert_eq!(ArgumentKey::new("a", tools), Err(BadKey::Tools(KEY_TOOLS_MAX + 1)));
}

#[test]
fn an_argument_is_a_key_of_its_tools_or_of_all() {
    let some = ArgumentKey::new("cart.id", vec!["pay".into(), "add".into(), "pay".into()]).unwrap();
    assert_eq!(
        (some.path(), some.tools()),
        (&["cart".to_owned(), "id".to_owned()][..], &["add".to_owned(), "pay".to_owned()][..])
    );
    assert!(some.is_of("pay") && !some.is_of("list"));
    assert!(ArgumentKey::new("session_id", vec![]).unwrap().is_of("anything"));
    assert_eq!(KeySource::Argument(some).to_string(), "argument cart.id (tools add, pay)");
}

#[test]
fn policies_are_written_as_they_are_read() {
    for policy in [OnLoss::NotFound, OnLoss::Reestablish] {
        assert_eq!(OnLoss::parse(policy.as_str()), Some(policy));
    }
    assert_eq!(OnLoss::parse("reinit"), None);
}
