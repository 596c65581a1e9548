use std::path::{Path, PathBuf};

use super::{control, proxy};
use crate::problem::Kind;

fn examples(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../config-examples"));
    let files = std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect()
}

fn is_control(path: &Path) -> bool {
    path.file_name().unwrap().to_string_lossy().starts_with("control")
}

#[test]
fn every_example_of_the_quickstart_is_accepted() {
    let files = examples("quickstart");
    assert_eq!(files.len(), 5);
    for file in files {
        let checked = if is_control(&file) { control(Some(&file)).map(drop) } else { proxy(Some(&file)).map(drop) };
        checked.unwrap_or_else(|problem| panic!("{}", problem.report()));
    }
}

#[test]
fn every_example_with_identities_is_accepted_up_to_the_certificates_that_are_yours_to_make() {
    for file in examples("mtls") {
        let checked = if is_control(&file) { control(Some(&file)).map(drop) } else { proxy(Some(&file)).map(drop) };
        if let Err(problem) = checked {
            assert!(problem.report().contains("certificates/control.pem"), "{}", problem.report());
        }
    }
}

#[test]
fn a_refused_file_is_named_with_line_and_suggestion() {
    let file = std::env::temp_dir().join(format!("outrigger-refused-{}.yaml", std::process::id()));
    std::fs::write(&file, "listen:\n  outbond: 127.0.0.1:0\n").unwrap();
    let problem = proxy(Some(&file)).unwrap_err();
    assert_eq!(problem.kind, Kind::Configuration);
    let report = problem.report();
    assert!(report.contains(&format!("{}:2: unknown key", file.display())), "{report}");
    assert!(report.contains("did you mean `outbound`?"), "{report}");
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn a_value_that_means_nothing_is_named_with_file_and_key() {
    let file = std::env::temp_dir().join(format!("outrigger-meaning-{}.yaml", std::process::id()));
    std::fs::write(&file, "listen:\n  outbound: nowhere\n").unwrap();
    let report = proxy(Some(&file)).unwrap_err().report();
    assert!(report.contains(&file.display().to_string()) && report.contains("listen.outbound"), "{report}");
    std::fs::write(&file, "store: oracle\n").unwrap();
    let report = control(Some(&file)).unwrap_err().report();
    assert!(report.contains(&file.display().to_string()) && report.contains("`oracle`"), "{report}");
    std::fs::remove_file(&file).unwrap();
}
