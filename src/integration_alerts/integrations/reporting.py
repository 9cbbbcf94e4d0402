"""Recording status reports: a batch becomes history, standings and incidents (SPEC R2 to R4).

Runs inside the caller's transaction, which makes the whole batch durable at once (R24). Decides
nothing by itself: `rules.states` does. Does not plan notices and does not wake anybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from integration_alerts.integrations import report_rows
from integration_alerts.integrations.report_batch import Accepted, Change, Key, Known, Row, Tenant
from integration_alerts.integrations.reports import Report
from integration_alerts.rules.states import IncidentEffect, Result, decide


@dataclass(frozen=True, slots=True)
class Activation:
    """A user turned an integration on: R17 may give them a subscription."""

    account_id: int
    actor: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one report; `field` and `error` say why it was rejected."""

    result: Result
    field: str = ""
    error: str = ""


@dataclass(slots=True)
class Recorded:
    """What became of a batch: an outcome per report in order, and what follows from them."""

    outcomes: list[Outcome]
    activations: list[Activation] = field(default_factory=list)
    due: bool = False  # an incident opened, changed or closed: planning has work


def record(reports: Sequence[Report], now: datetime) -> Recorded:
    """Apply reports in the order given. Call inside a transaction.

    A report that cannot be applied is rejected alone; its neighbours are not touched.
    """
    known = report_rows.resolve(reports)
    recorded = Recorded([_DUPLICATE] * len(reports))
    accepted = _accepted(reports, known, recorded.outcomes)
    fresh = _fresh(accepted, report_rows.claim_event_ids(accepted, now)) if accepted else []
    if not fresh:
        return recorded
    rows = report_rows.lock_integrations(fresh, known)
    changes: list[Change] = []
    for index, report, account_id in fresh:
        row = rows[account_id, report.integration]
        decision = decide(row.standing, report.state, report.occurred_at)
        result = decision.result
        recorded.outcomes[index] = _OUTCOMES[result.value]
        if result is not Result.UNCHANGED:
            changes.append(Change(row, report, stale=result is Result.STALE))
        if result is not Result.STALE:
            row.apply(decision, report)
        if decision.incident is not IncidentEffect.NONE:
            recorded.due = True
            _move_incident(row, decision.incident, report)
        if decision.activated and report.actor is not None:
            recorded.activations.append(Activation(account_id, report.actor))
    report_rows.save(rows.values(), changes, now)
    return recorded


def _accepted(reports: Sequence[Report], known: Known, outcomes: list[Outcome]) -> list[Accepted]:
    """The reports that may be applied; the others' outcomes are noted."""
    accepted = []
    for index, report in enumerate(reports):
        account = known.accounts.get(report.account)
        if account is None:
            outcomes[index] = unknown_account(report.account)
        elif refusal := _refusal(report, account, known):
            outcomes[index] = refusal
        else:
            accepted.append(Accepted(index, report, account.id))
    return accepted


def _fresh(accepted: Sequence[Accepted], claimed: set[Key]) -> list[Accepted]:
    """Those whose event id is new; the same id later in this batch is a duplicate."""
    fresh = []
    for each in accepted:
        key = (each.account_id, each.report.id)
        if key in claimed:
            claimed.remove(key)
            fresh.append(each)
    return fresh


def unknown_account(name: str) -> Outcome:
    """The outcome of a report about an account that is not there, or not for this caller."""
    return _rejected("account", f"no account {name!r}; import it first")


def _refusal(report: Report, account: Tenant, known: Known) -> Outcome | None:
    if not account.active:
        return _rejected("account", f"account {report.account!r} is closed")
    company = known.companies.get((account.id, report.company))
    if company is None:
        return _rejected("company", f"no company {report.company!r} in account {report.account!r}")
    if not company.active:
        return _rejected("company", f"company {report.company!r} is switched off")
    if known.owners.setdefault((account.id, report.integration), company.id) != company.id:
        return _rejected(
            "company",
            f"integration {report.integration!r} belongs to another company of this account; "
            "move it with a directory line",
        )
    return None


def _move_incident(row: Row, effect: IncidentEffect, report: Report) -> None:
    match effect:
        case IncidentEffect.OPENS:
            row.open_incident(report.state, report.occurred_at)
        case IncidentEffect.ENTERS:
            row.enter_state(report.state, report.occurred_at)
        case IncidentEffect.CLOSES:
            row.close_incident(report.occurred_at)
        case IncidentEffect.NONE:
            pass


def _rejected(name: str, error: str) -> Outcome:
    return Outcome(Result.REJECTED, name, error)


_DUPLICATE = Outcome(Result.DUPLICATE)
_OUTCOMES = {result.value: Outcome(result) for result in Result}  # quicker to find than by members
