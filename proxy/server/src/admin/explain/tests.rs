use super::{Asked, asked};

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_question_names_who_is_called_and_how_and_nothing_that_is_not_known() {
    let whole = [("name", "weather"), ("method", "tools/call"), ("tool", "get"), ("header", "x-env: a:b")];
    let expected = Asked {
        name: "weather".into(),
        method: "tools/call".into(),
        tool: Some("get".into()),
        headers: vec![("x-env".into(), "a:b".into())],
    };
    assert_eq!(asked(pairs(&whole)).unwrap(), expected);
    for bad in [&[("name", "weather")][..], &[("method", "ping")], &[("header", "x")], &[("colour", "red")]] {
        assert_eq!(asked(pairs(bad)).unwrap_err().0, 400, "{bad:?}");
    }
}
