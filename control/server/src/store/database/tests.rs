use super::*;

fn database(text: &str) -> Database {
    text.parse().unwrap()
}

#[test]
fn no_text_shows_the_password() {
    let one = database("postgres://mesh:s3cret@db.example:6432/control?sslmode=require&schema=prod");
    assert_eq!(one.to_string(), "postgres://mesh@db.example:6432/control schema prod");
    assert!(!format!("{one:?}").contains("s3cret"));
    for bad in ["postgres://mesh:s3cret@:x/", "postgres://mesh:s3cret@db/control?password=s3cret", "postgres:s3cret@"] {
        let refused = bad.parse::<Database>().map(|good| good.to_string());
        let text = refused.unwrap_or_else(|error| error.to_string());
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[test]
fn an_unknown_parameter_is_refused_rather_than_ignored() {
    let bad = "postgres://mesh@db/control?ssl=on".parse::<Database>().unwrap_err();
    assert_eq!(bad, BadDatabase::Key("ssl".to_owned()));
    assert!(bad.to_string().contains("sslmode"), "{bad}");
    for schema in ["", "1st", "a-b", "A", "a;drop"] {
        let text = format!("postgres://mesh@db/control?schema={schema}");
        assert_eq!(text.parse::<Database>(), Err(BadDatabase::Schema), "{schema}");
    }
}

#[test]
fn a_password_may_lie_in_a_file_beside_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let one = database("postgres://mesh@db/control?password_file=db.word").within(folder.path());
    assert!(one.options().is_err(), "a file that is not there is said at the start");
    std::fs::write(folder.path().join("db.word"), "s3cret\n").unwrap();
    assert!(format!("{:?}", one.options().unwrap()).contains("s3cret"), "without the line end");
}

#[test]
fn what_leaves_the_machine_unprotected_is_known() {
    for (url, exposed) in [
        ("postgres://mesh@127.0.0.1/control", false),
        ("postgres://mesh@localhost/control", false),
        ("postgres:///control?host=/run/postgresql", false),
        ("postgres://mesh@db.example/control?sslmode=verify-full", false),
        ("postgres://mesh@db.example/control?sslmode=require", false),
        ("postgres://mesh@db.example/control?sslmode=prefer", true),
        ("postgres://mesh@db.example/control", true),
    ] {
        assert_eq!(database(url).is_exposed(), exposed, "{url}");
    }
}
