//! Rollouts over gRPC.
//!
//! Invariant: over TLS only operators are heard, and the author of what they do is who their certificate says.

use std::time::Duration;

use outrigger_control_core::rollout::compare::Group;
use outrigger_control_core::rollout::course::Phase;
use outrigger_control_core::rollout::gate::mean;
use outrigger_wire::proto::rollout as wire;
use outrigger_wire::proto::rollout::rollouts_server;
use outrigger_wire::time::timestamp;
use tonic::{Request, Response, Status};

use crate::authn::{Plaintext, peer};
use crate::intent::desk::{Asked, Sent};
use crate::intent::serve::status as refused;
use crate::rollout::desk::{Manner, NotDone, Report, Rollouts};
use crate::writer::{NotMoved, NotPublished};

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct RolloutService {
    pub rollouts: Rollouts,
    pub plaintext: Plaintext,
}

type Answer = Result<Response<wire::Rollout>, Status>;

impl RolloutService {
    /// Who asks: what its certificate says, or without one what it says itself.
    fn author<T>(&self, request: &Request<T>, said: &str) -> Result<String, Status> {
        let peer = peer(request.extensions(), self.plaintext)?;
        peer.must_be_operator()?;
        Ok(peer.identity.map_or_else(|| said.to_owned(), |identity| identity.to_string()))
    }
}

#[tonic::async_trait]
impl rollouts_server::Rollouts for RolloutService {
    async fn start(&self, request: Request<wire::StartRequest>) -> Answer {
        let author = self.author(&request, &request.get_ref().author)?;
        let wanted = request.into_inner();
        let asked = Asked { author, reason: wanted.reason.clone(), expected: wanted.expected };
        let sent = Sent::Text(wanted.document.clone());
        answer(self.rollouts.start(&sent, asked, manner(wanted)?).await)
    }

    async fn current(&self, request: Request<wire::CurrentRequest>) -> Answer {
        self.author(&request, "")?;
        answer(self.rollouts.current())
    }

    async fn widen(&self, request: Request<wire::WidenRequest>) -> Answer {
        let author = self.author(&request, &request.get_ref().author)?;
        answer(self.rollouts.widen(&author).await)
    }

    async fn promote(&self, request: Request<wire::PromoteRequest>) -> Answer {
        let author = self.author(&request, &request.get_ref().author)?;
        answer(self.rollouts.promote(&author).await)
    }

    async fn abort(&self, request: Request<wire::AbortRequest>) -> Answer {
        let author = self.author(&request, &request.get_ref().author)?;
        answer(self.rollouts.abort(&author, &request.get_ref().reason).await)
    }
}

fn manner(wanted: wire::StartRequest) -> Result<Manner, Status> {
    let steps = wanted.steps.iter().map(|step| u8::try_from(*step)).collect::<Result<Vec<_>, _>>();
    let steps = steps.map_err(|_| Status::invalid_argument("steps: each is 1 to 100"))?;
    let odd = |name| Status::invalid_argument(format!("{name}: it is no length of time"));
    Ok(Manner {
        steps: (!steps.is_empty()).then_some(steps),
        labels: Some(wanted.labels),
        is_manual: wanted.manual,
        soak: wanted.soak.map(Duration::try_from).transpose().map_err(|_| odd("soak"))?,
        patience: wanted.patience.map(Duration::try_from).transpose().map_err(|_| odd("patience"))?,
        error_ratio_max_increase: wanted.error_ratio_max_increase,
        min_calls: wanted.min_calls,
        slow_factor_max: wanted.slow_factor_max,
    })
}

fn answer(done: Result<Report, NotDone>) -> Answer {
    done.map(|report| Response::new(shown(&report))).map_err(status)
}

fn shown(Report { rollout, standing }: &Report) -> wire::Rollout {
    let lane = rollout.plan.membership(rollout.step);
    let phase = match rollout.phase {
        Phase::Running => wire::rollout::Phase::Running,
        Phase::Held(_) => wire::rollout::Phase::Held,
        Phase::Promoted => wire::rollout::Phase::Promoted,
        Phase::Aborted(_) => wire::rollout::Phase::Aborted,
    };
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let waits_for = standing.as_ref().filter(|_| !rollout.is_over()).and_then(|standing| standing.waits_for.clone());
    wire::Rollout {
        phase: phase.into(),
        why: rollout.phase.why().unwrap_or_default().to_owned(),
        author: rollout.candidate.author.clone(),
        reason: rollout.candidate.reason.clone(),
        base: rollout.candidate.base,
        started_at: Some(timestamp(rollout.started_at)),
        step: count(rollout.step + 1),
        steps: count(rollout.plan.steps()),
        share: lane.share.into(),
        labels: lane.selector.map(|selector| selector.to_string()).unwrap_or_default(),
        lead: rollout.lead.as_ref().map(ToString::to_string).unwrap_or_default(),
        manual: rollout.plan.is_manual,
        serial: rollout.since.step.0,
        ended: rollout.ended.map(|serial| serial.0).unwrap_or_default(),
        lasts: standing.as_ref().and_then(|standing| standing.lasts.try_into().ok()),
        waits_for: waits_for.unwrap_or_default(),
        canary: standing.as_ref().map(|standing| group(&standing.groups.canary)),
        control: standing.as_ref().map(|standing| group(&standing.groups.control)),
    }
}

fn group(group: &Group) -> wire::Group {
    let Group { proxies, applied, refused, refusal, tally, serials } = group;
    wire::Group {
        proxies: *proxies,
        applied: *applied,
        calls: tally.calls,
        failed: tally.failed,
        mean: mean(tally).and_then(|mean| mean.try_into().ok()),
        refused: *refused,
        refusal: refusal.clone().unwrap_or_default(),
        oldest: serials.map(|(oldest, _)| oldest.0).unwrap_or_default(),
        newest: serials.map(|(_, newest)| newest.0).unwrap_or_default(),
    }
}

fn status(not: NotDone) -> Status {
    let text = not.to_string();
    match not {
        NotDone::Candidate(refusal) => refused(refusal),
        NotDone::Plan(_) | NotDone::Labels(_) | NotDone::Move(NotMoved::Signature(_)) => Status::invalid_argument(text),
        NotDone::Move(not) => match not {
            NotMoved::None => Status::not_found(text),
            NotMoved::NotPublished(NotPublished::Moved { .. }) => Status::aborted(text),
            NotMoved::Stopped | NotMoved::NotPublished(_) => Status::unavailable(text),
            _ => Status::failed_precondition(text),
        },
    }
}
