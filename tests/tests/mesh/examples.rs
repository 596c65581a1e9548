//! Files to start from: each is valid once what its own comments say has been done.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use outrigger_tests::binary;
use outrigger_tests::mesh::Mesh;
use tokio::process::Command;

/// Folders of `config-examples` that hold configuration.
fn folders() -> Result<Vec<PathBuf>> {
    let mut folders = vec![];
    for folder in std::fs::read_dir(binary::root().join("config-examples"))? {
        let folder = folder?.path();
        if folder.is_dir() && !yaml(&folder)?.is_empty() {
            folders.push(folder);
        }
    }
    Ok(folders)
}

fn yaml(folder: &Path) -> Result<Vec<PathBuf>> {
    let files = std::fs::read_dir(folder)?.map(|file| Ok(file?.path())).collect::<Result<Vec<_>>>()?;
    Ok(files.into_iter().filter(|file| file.extension().is_some_and(|kind| kind == "yaml")).collect())
}

/// The `outrigger ca` commands in the comments of a file.
fn preparations(text: &str) -> Vec<Vec<&str>> {
    let comments = text.lines().filter_map(|line| line.strip_prefix('#'));
    let commands = comments.filter_map(|line| line.trim().strip_prefix("outrigger ca "));
    commands.map(|words| ["ca"].into_iter().chain(words.split_whitespace()).collect()).collect()
}

#[tokio::test]
async fn every_example_is_valid_once_it_is_prepared_as_it_says() -> Result<()> {
    let mesh = Mesh::new().await?;
    let folders = folders()?;
    assert!(folders.len() >= 2, "{folders:?}");
    for folder in folders {
        let copy = mesh.file(folder.file_name().and_then(|name| name.to_str()).context("a name")?);
        std::fs::create_dir(&copy)?;
        let mut files = vec![];
        for file in yaml(&folder)? {
            let there = copy.join(file.file_name().context("a name")?);
            std::fs::copy(&file, &there)?;
            files.push(there);
        }
        for file in &files {
            for words in preparations(&std::fs::read_to_string(file)?) {
                run(&copy, &words).await?;
            }
        }
        let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        let words: Vec<&str> = ["validate"].into_iter().chain(files.iter().map(String::as_str)).collect();
        run(&copy, &words).await?;
    }
    Ok(())
}

async fn run(folder: &Path, words: &[&str]) -> Result<()> {
    let done = Command::new(binary::outrigger()?).args(words).current_dir(folder).output().await?;
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    ensure!(done.status.success(), "outrigger {}: {said}", words.join(" "));
    Ok(())
}

#[tokio::test]
async fn the_committed_schemas_are_those_of_the_binary() -> Result<()> {
    let mesh = Mesh::new().await?;
    for kind in ["proxy", "control"] {
        let committed = std::fs::read_to_string(binary::root().join(format!("docs/schema/{kind}.json")))?;
        assert_eq!(mesh.must(&["schema", kind]).await?.trim(), committed.trim(), "outrigger schema {kind}");
    }
    Ok(())
}
