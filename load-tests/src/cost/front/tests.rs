use super::*;

#[test]
fn a_path_is_one_word_for_the_shell_whatever_is_in_it() {
    let said = |path: &str| {
        let script = format!("printf %s {}", quoted(Path::new(path)));
        String::from_utf8(Command::new("sh").args(["-c", &script]).output().unwrap().stdout).unwrap()
    };
    for path in ["/a/b", "/a b/c", "/it's/$HOME/`x`", "/a\"b"] {
        assert_eq!(said(path), path);
    }
}
