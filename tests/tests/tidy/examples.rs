//! Every example that people copy is a file that loads.
//!
//! In: the YAML files under `config-examples/`. Out: complaints with the error the binary would give.
//! Never here: starting anything.
//! Invariant: the kind of a file is in its name: `control*.yaml` or `proxy*.yaml`.

use crate::tree::paths;

fn misnamed(paths: &[String]) -> Vec<String> {
    let examples = paths.iter().filter(|path| path.starts_with("config-examples/") && path.ends_with(".yaml"));
    let odd = examples.filter(|path| {
        let name = path.rsplit('/').next().unwrap_or(path);
        !name.starts_with("control") && !name.starts_with("proxy") && !name.starts_with("mesh")
    });
    odd.map(|path| format!("{path}: an example is named control*.yaml, proxy*.yaml or mesh*.yaml")).collect()
}

#[test]
fn every_example_says_what_it_configures() {
    crate::must_be_clean(&misnamed(&paths()));
}

#[test]
fn an_example_of_no_known_kind_is_caught() {
    assert_eq!(misnamed(&["config-examples/x/thing.yaml".into()]).len(), 1);
}
