use serde_json::json;

use super::{Check, Checks, Difference, Status, add, count, differences, load, scenario_of};

fn check(scenario: &str, id: &str) -> Check {
    Check { scenario: scenario.to_owned(), id: id.to_owned() }
}

fn checks(list: &[(&str, Status)]) -> Checks {
    list.iter().map(|(id, status)| (check("ping", id), *status)).collect()
}

#[test]
fn a_folder_names_its_scenario() {
    for (folder, scenario) in [
        ("initialize-2026-11-28T19-57-15-750Z", "initialize"),
        ("json-schema-2020-12-preservation-2026-11-28T19-57-15-754Z", "json-schema-2020-12-preservation"),
        ("auth/basic-cimd-2026-11-28T19-57-15-753Z", "auth/basic-cimd"),
        ("server-ping-2026-11-28T19-57-15-753Z", "ping"),
        ("ping", "ping"),
    ] {
        assert_eq!(scenario_of(folder.as_ref()), scenario);
    }
}

#[test]
fn of_several_statuses_the_worst_counts_and_remarks_do_not() {
    let mut all = Checks::new();
    let list = json!([
        { "id": "a", "status": "SUCCESS" }, { "id": "a", "status": "FAILURE" }, { "id": "a", "status": "SKIPPED" },
        { "id": "b", "status": "INFO" }, { "id": "c", "status": "SKIPPED" },
    ]);
    add(&mut all, "ping", &list);
    assert_eq!(all, checks(&[("a", Status::Failure), ("c", Status::Skipped)]));
    assert_eq!((count(&all, Status::Failure), count(&all, Status::Success)), (1, 0));
}

#[test]
fn what_differs_is_named_whether_it_changed_or_is_missing() {
    let direct = checks(&[("same", Status::Success), ("worse", Status::Success), ("gone", Status::Warning)]);
    let through = checks(&[("same", Status::Success), ("worse", Status::Failure), ("new", Status::Skipped)]);
    let difference = |id, direct, through| Difference { check: check("ping", id), direct, through };
    assert_eq!(
        differences(&direct, &through),
        [
            difference("gone", Some(Status::Warning), None),
            difference("new", None, Some(Status::Skipped)),
            difference("worse", Some(Status::Success), Some(Status::Failure)),
        ]
    );
    assert!(differences(&direct, &direct).is_empty());
}

#[test]
fn a_run_is_read_from_its_folders() {
    let folder = tempfile::tempdir().unwrap();
    let one = folder.path().join("auth/iss-2026-11-28T19-57-15-753Z");
    std::fs::create_dir_all(&one).unwrap();
    std::fs::write(one.join("checks.json"), r#"[{"id": "a", "status": "WARNING"}]"#).unwrap();
    std::fs::write(one.join("stdout.txt"), "").unwrap();
    assert_eq!(load(folder.path()).unwrap(), Checks::from([(check("auth/iss", "a"), Status::Warning)]));
    std::fs::write(one.join("checks.json"), "[").unwrap();
    assert!(load(folder.path()).is_err());
}
