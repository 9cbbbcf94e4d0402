"""Recording status reports: a batch becomes history, standings and incidents (SPEC R2 to R4).

Runs inside the caller's transaction, which makes the whole batch durable at once (R24). Decides
nothing by itself: `rules.states` does. Does not plan notices and does not wake anybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from integration_alerts.integrations import report_rows
from integration_alerts.integrations.report_batch import Change, Key, Known, Row
from integration_alerts.integrations.reports import Report
from integration_alerts.rules.states import Decision, IncidentEffect, Result, decide


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


def record(
    reports: Sequence[Report], now: datetime, *, only_account: str | None = None
) -> Recorded:
    """Apply reports in the order given. Call inside a transaction.

    `only_account` is the account that the caller's key is bound to: every other account is unknown
    to it. A report that cannot be applied is rejected alone; its neighbours are not touched.
    """
    known = report_rows.resolve(reports)
    owners = dict(known.owners)  # with those that this batch makes
    outcomes = [_refusal(report, known, owners, only_account) for report in reports]
    accepted = [index for index, refused in enumerate(outcomes) if refused is None]
    fresh = report_rows.claim_event_ids([reports[i] for i in accepted], known, now)
    rows = report_rows.lock_integrations([reports[i] for i in accepted], known, fresh)
    recorded = Recorded([refused or _DUPLICATE for refused in outcomes])
    changes: list[Change] = []
    for index in accepted:
        report = reports[index]
        account_id = known.accounts[report.account].id
        if (account_id, report.id) not in fresh:
            continue
        fresh.discard((account_id, report.id))  # the same id later in this batch is a duplicate
        row = rows[account_id, report.integration]
        decision = _apply(report, row)
        recorded.outcomes[index] = _OUTCOMES[decision.result]
        if decision.result is not Result.UNCHANGED:
            changes.append(Change(row, report, stale=decision.result is Result.STALE))
        if decision.activated and report.actor is not None:
            recorded.activations.append(Activation(account_id, report.actor))
        recorded.due |= decision.incident is not IncidentEffect.NONE
    report_rows.save(rows.values(), changes, now)
    return recorded


def _refusal(
    report: Report, known: Known, owners: dict[Key, int], only_account: str | None
) -> Outcome | None:
    account = known.accounts.get(report.account)
    if account is None or (only_account is not None and report.account != only_account):
        return _rejected("account", f"no account {report.account!r}; import it first")
    if not account.active:
        return _rejected("account", f"account {report.account!r} is closed")
    company = known.companies.get((account.id, report.company))
    if company is None:
        return _rejected("company", f"no company {report.company!r} in account {report.account!r}")
    if not company.active:
        return _rejected("company", f"company {report.company!r} is switched off")
    if owners.setdefault((account.id, report.integration), company.id) != company.id:
        return _rejected(
            "company",
            f"integration {report.integration!r} belongs to another company of this account; "
            "move it with a directory line",
        )
    return None


def _apply(report: Report, row: Row) -> Decision:
    decision = decide(row.standing, report.state, report.occurred_at)
    if decision.result is not Result.STALE:
        row.describe(report)
    row.standing = decision.standing
    match decision.incident:
        case IncidentEffect.OPENS:
            row.open_incident(report.state, report.occurred_at)
        case IncidentEffect.ENTERS:
            row.enter_state(report.state, report.occurred_at)
        case IncidentEffect.CLOSES:
            row.close_incident(report.occurred_at)
        case IncidentEffect.NONE:
            pass
    return decision


def _rejected(name: str, error: str) -> Outcome:
    return Outcome(Result.REJECTED, name, error)


_DUPLICATE = Outcome(Result.DUPLICATE)
_OUTCOMES = {result: Outcome(result) for result in Result}
