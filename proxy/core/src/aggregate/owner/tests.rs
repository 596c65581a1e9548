use super::{matches, owner};

#[test]
fn a_template_matches_what_it_can_expand_to() {
    let rows = [
        ("demo://text/{id}", "demo://text/7", true),
        ("demo://text/{id}", "demo://text/7/8", false),
        ("demo://text/{id}", "demo://text/", false),
        ("file:///{+path}", "file:///a/b/c", true),
        ("x://a{?q}", "x://a", true),
        ("x://a{?q}", "x://a?q=1", true),
        ("x://{a}/{b}", "x://one/two", true),
        ("x://{a}/{b}", "x://one", false),
        ("x://{a}-{b}!", "x://1-2-3!", true),
        ("x://{a", "x://{a", true),
        ("", "", true),
        ("", "x", false),
    ];
    for (template, uri, expected) in rows {
        assert_eq!(matches(template, uri), expected, "{template} {uri}");
    }
}

#[test]
fn who_listed_the_uri_goes_before_templates_and_the_longer_template_before_the_shorter() {
    let listed = [("a", "x://1"), ("b", "x://1"), ("b", "x://2")];
    let templates = [("a", "x://{n}"), ("b", "{+all}"), ("c", "x://n/{n}"), ("d", "x://n/{m}")];
    let ask = |uri| owner(listed, templates, uri);
    assert_eq!(ask("x://1"), Some("a"));
    assert_eq!(ask("x://2"), Some("b"));
    assert_eq!(ask("x://3"), Some("a"));
    assert_eq!(ask("x://n/3"), Some("c"));
    assert_eq!(ask("y://"), Some("b"));
    assert_eq!(owner(listed, [("a", "x://{n}")], "z://"), None);
}
