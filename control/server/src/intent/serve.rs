//! The intent service over gRPC.
//!
//! Invariant: over TLS only operators are heard, and the author of what they do is who their certificate says.

use outrigger_control_core::intent::record::IntentRecord;
use outrigger_control_core::plan::changes::Change;
use outrigger_control_core::plan::finding::Finding;
use outrigger_wire::proto::intent as wire;
use outrigger_wire::proto::intent::intent_server::Intent;
use outrigger_wire::time::timestamp;
use tonic::{Request, Response, Status};

use crate::authn::{Peer, Plaintext, peer};
use crate::intent::desk::{Asked, Desk, PAGE_MAX, Published, Refusal, Sent};
use crate::intent::difference::{Difference, FieldDifference};
use crate::intent::plan::{Plan, ViewPlan};

/// Largest request: a document of a megabyte, and what is said about it.
pub const REQUEST_BYTES_MAX: usize = (1 << 20) + (16 << 10);

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct IntentService {
    pub desk: Desk,
    pub plaintext: Plaintext,
}

impl IntentService {
    fn operator<T>(&self, request: &Request<T>) -> Result<Peer, Status> {
        let peer = peer(request.extensions(), self.plaintext)?;
        peer.must_be_operator()?;
        Ok(peer)
    }
}

fn author(peer: &Peer, said: String) -> String {
    peer.identity.as_ref().map_or(said, ToString::to_string)
}

#[tonic::async_trait]
impl Intent for IntentService {
    async fn plan(&self, request: Request<wire::PlanRequest>) -> Result<Response<wire::PlanResponse>, Status> {
        self.operator(&request)?;
        let plan = self.desk.plan(&Sent::Text(request.into_inner().document)).await.map_err(status)?;
        Ok(Response::new(planned(plan)))
    }

    async fn publish(&self, request: Request<wire::PublishRequest>) -> Result<Response<wire::PublishResponse>, Status> {
        let peer = self.operator(&request)?;
        let wire::PublishRequest { document, expected, author: said, reason } = request.into_inner();
        let asked = Asked { author: author(&peer, said), reason, expected };
        self.desk.publish(&Sent::Text(document), asked).await.map(published).map_err(status)
    }

    async fn rollback(
        &self,
        request: Request<wire::RollbackRequest>,
    ) -> Result<Response<wire::PublishResponse>, Status> {
        let peer = self.operator(&request)?;
        let wire::RollbackRequest { to, expected, author: said, reason } = request.into_inner();
        let asked = Asked { author: author(&peer, said), reason, expected };
        self.desk.roll_back((to > 0).then_some(to), asked).await.map(published).map_err(status)
    }

    async fn history(&self, request: Request<wire::HistoryRequest>) -> Result<Response<wire::HistoryResponse>, Status> {
        self.operator(&request)?;
        let wire::HistoryRequest { before, limit } = request.into_inner();
        let limit = if limit == 0 { PAGE_MAX } else { limit };
        let records = self.desk.history((before > 0).then_some(before), limit).await.map_err(status)?;
        let records = records.into_iter().map(record).collect();
        Ok(Response::new(wire::HistoryResponse { records, current: self.desk.current() }))
    }

    async fn diff(&self, request: Request<wire::DiffRequest>) -> Result<Response<wire::DiffResponse>, Status> {
        self.operator(&request)?;
        let wire::DiffRequest { before, after } = request.into_inner();
        let differences = self.desk.diff(before, after).await.map_err(status)?;
        Ok(Response::new(wire::DiffResponse { differences: differences.into_iter().map(difference).collect() }))
    }
}

pub fn status(refusal: Refusal) -> Status {
    let text = match &refusal {
        Refusal::Findings(findings) => findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    };
    match refusal {
        Refusal::Signature(_) | Refusal::Findings(_) => Status::invalid_argument(text),
        Refusal::Moved { .. } => Status::aborted(text),
        Refusal::NoIntent(_) => Status::not_found(text),
        Refusal::NoneBefore(_) => Status::failed_precondition(text),
        Refusal::NotStored | Refusal::NotLeading(_) | Refusal::Unread | Refusal::Unpublished(_) | Refusal::Stopping => {
            Status::unavailable(text)
        }
    }
}

fn planned(plan: Plan) -> wire::PlanResponse {
    let count = |all: usize| u32::try_from(all).unwrap_or(u32::MAX);
    let view = |ViewPlan { view, changes, change_count, proxies, proxy_count }: ViewPlan| wire::plan_response::View {
        view,
        change_count: count(change_count),
        proxy_count: count(proxy_count),
        changes: changes.into_iter().map(change).collect(),
        proxies: proxies.iter().map(ToString::to_string).collect(),
    };
    wire::PlanResponse {
        current: plan.current,
        findings: plan.findings.into_iter().map(finding).collect(),
        expressible: plan.expressible.into_iter().map(finding).collect(),
        views: plan.views.into_iter().map(view).collect(),
        view_count: count(plan.view_count),
        proxy_count: count(plan.proxy_count),
    }
}

fn published(published: Published) -> Response<wire::PublishResponse> {
    let Published { number, serial, is_new, findings } = published;
    let findings = findings.into_iter().map(finding).collect();
    Response::new(wire::PublishResponse { number, serial: serial.0, is_new, findings })
}

fn finding(finding: Finding) -> wire::Finding {
    let (severity, kind) = (finding.severity().as_str().to_owned(), finding.kind.as_str().to_owned());
    wire::Finding { severity, kind, path: finding.path, detail: finding.detail }
}

fn change(change: Change) -> wire::Change {
    let Change { kind, name, change } = change;
    wire::Change { change: change.as_str().to_owned(), kind: kind.as_str().to_owned(), name }
}

fn record(record: IntentRecord) -> wire::Record {
    let IntentRecord { number, at, author, reason, parent, undoes, source, .. } = record;
    wire::Record {
        number,
        at: Some(timestamp(at)),
        author,
        reason,
        parent: parent.unwrap_or_default(),
        undoes: undoes.unwrap_or_default(),
        source: source.as_str().to_owned(),
    }
}

fn difference(difference: Difference) -> wire::Difference {
    let Difference { kind, name, change, fields } = difference;
    let field =
        |FieldDifference { path, before, after }: FieldDifference| wire::difference::Field { path, before, after };
    wire::Difference {
        change: change.as_str().to_owned(),
        kind: kind.to_owned(),
        name,
        fields: fields.into_iter().map(field).collect(),
    }
}
