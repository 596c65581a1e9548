//! What a document would change if it were published now: builds every watched view with it, and writes nothing.
//!
//! In: what runs, who watches, a document. Out: a [`Plan`].
//! Never here: publishing.
//! Invariant: the views are compared with what their watchers are told now; nothing in a plan is the value of a header field.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use outrigger_control_core::plan::changes::{Change, changes};
use outrigger_control_core::plan::finding::{Finding, FindingKind, Severity};
use outrigger_control_core::plan::{judge, stock};
use outrigger_control_core::snapshot::build::{Shared, build};
use outrigger_model::name::NodeId;
use outrigger_wire::watcher::Role;

use crate::causes::chain;
use crate::config::document::Document;
use crate::discovery::watchers::Row;
use crate::publish::view::View;
use crate::writer::Picture;

/// What proxies of this build call it.
const BUILD: &str = concat!("outrigger/", env!("CARGO_PKG_VERSION"));

/// Most findings, views, changes of one view and proxies of one view that are listed; the counts are of all.
const FINDINGS_LISTED: usize = 1_000;
const VIEWS_LISTED: usize = 100;
const CHANGES_LISTED: usize = 500;
const PROXIES_LISTED: usize = 100;

/// What a document would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The intent that runs, which the document is compared with.
    pub current: u64,
    /// What is wrong with it, and what is odd about it; errors first.
    pub findings: Vec<Finding>,
    /// What clients that are not proxies of ours cannot be told of it.
    pub expressible: Vec<Finding>,
    /// The views that would change.
    pub views: Vec<ViewPlan>,
    pub view_count: usize,
    /// Connected proxies whose view would change.
    pub proxy_count: usize,
}

/// One view, and who watches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewPlan {
    pub view: String,
    pub changes: Vec<Change>,
    pub change_count: usize,
    /// Connected proxies, sorted.
    pub proxies: Vec<NodeId>,
    pub proxy_count: usize,
}

/// What a plan is made from; all of it is shared.
#[derive(Debug)]
pub struct Scene {
    pub picture: Arc<Picture>,
    pub views: Vec<Arc<View>>,
    pub watchers: Vec<Row>,
}

impl Plan {
    /// Of a document that is none.
    pub fn refused(current: u64, finding: Finding) -> Self {
        Self { current, findings: vec![finding], ..Self::default() }
    }

    /// Whether it would be published.
    pub fn is_good(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity() < Severity::Error)
    }
}

pub fn plan(scene: &Scene, document: &Document) -> Plan {
    let Scene { picture, views, watchers } = scene;
    let mut findings = judge::judge(&document.intent, &picture.facts);
    let shared = Shared { revocations: picture.book.revocations(), keyring: &picture.keyring };
    let mut changing = Vec::new();
    for view in views {
        let built = match build(&picture.facts, &document.intent, &shared, view.scope()) {
            Ok(built) => built,
            Err(error) => {
                let detail = format!("no snapshot of view `{}` can be built: {}", view.key(), chain(&error));
                findings.push(Finding::new(FindingKind::Unbuildable, "document", detail));
                continue;
            }
        };
        findings.extend(judge::shadowed(&document.intent, &built));
        let changes = changes(&view.newest().built.snapshot, &built.snapshot);
        if !changes.is_empty() {
            let proxies = proxies(watchers, view);
            let (change_count, proxy_count) = (changes.len(), proxies.len());
            changing.push(ViewPlan { view: view.key().to_string(), changes, change_count, proxies, proxy_count });
        }
    }
    findings.extend(other_builds(watchers, &changing));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity()));
    // Several views may have the same to say.
    let mut said = BTreeSet::new();
    findings.retain(|finding| said.insert(finding.to_string()));
    findings.truncate(FINDINGS_LISTED);
    let mut expressible = stock::expressible(&document.intent);
    expressible.truncate(FINDINGS_LISTED);
    let (view_count, proxy_count) = (changing.len(), changing.iter().map(|view| view.proxy_count).sum());
    changing.truncate(VIEWS_LISTED);
    for view in &mut changing {
        view.changes.truncate(CHANGES_LISTED);
        view.proxies.truncate(PROXIES_LISTED);
    }
    Plan { current: picture.main.number, findings, expressible, views: changing, view_count, proxy_count }
}

fn proxies(watchers: &[Row], view: &View) -> Vec<NodeId> {
    let of_view = connected(watchers).filter(|row| row.view == *view.key());
    of_view.map(|row| row.node.clone()).collect()
}

fn connected(watchers: &[Row]) -> impl Iterator<Item = &Row> {
    watchers.iter().filter(|row| row.streams > 0 && row.role == Role::Proxy)
}

/// A snapshot that a proxy cannot obey is refused by it whole; its build says whether it might.
fn other_builds(watchers: &[Row], changing: &[ViewPlan]) -> Vec<Finding> {
    let touched: BTreeSet<&NodeId> = changing.iter().flat_map(|view| &view.proxies).collect();
    let mut builds: BTreeMap<&str, Vec<&NodeId>> = BTreeMap::new();
    for row in connected(watchers).filter(|row| row.build != BUILD && touched.contains(&row.node)) {
        builds.entry(&row.build).or_default().push(&row.node);
    }
    let finding = |(build, nodes): (&str, Vec<&NodeId>)| {
        let first = nodes.first().map(ToString::to_string).unwrap_or_default();
        let more = if nodes.len() > 1 { format!(" and {} more", nodes.len() - 1) } else { String::new() };
        let detail =
            format!("{first}{more} runs build `{build}`, control is `{BUILD}`; what it cannot obey it refuses whole");
        Finding::new(FindingKind::OtherBuild, "document", detail)
    };
    builds.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests;
