"""The list of integrations: what needs somebody first."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from integration_alerts.alerts.overview import has_alert
from integration_alerts.directory.models import Company
from integration_alerts.engine import clock
from integration_alerts.integrations import listing
from integration_alerts.integrations.listing import NEVER, Filters, Listed, Position
from integration_alerts.integrations.providers import providers
from integration_alerts.rules.flapping import Openings, is_flapping
from integration_alerts.rules.states import UNHEALTHY, State
from integration_alerts.web.integration_pages import told, wording
from integration_alerts.web.replica import from_replica
from integration_alerts.web.viewer import Viewer, account_page
from integration_alerts.web.wording import plain

PAGE_SIZE = 50
CHOICES = 200  # more companies or providers than this are found by searching
_LONGEST_SEARCH = 200
_STATES = {
    State.FAILED.value: "failed",
    State.PENDING.value: "pending",
    NEVER: "no report yet",
    State.DISABLED.value: "disabled",
    State.ACTIVE.value: "active",
}


@dataclass(frozen=True, slots=True)
class Row:
    """An integration as the list shows it."""

    listed: Listed
    reason: str
    told: str
    needs: bool
    flapping: bool


@require_safe
@account_page
@from_replica
def integrations(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """What needs the viewer first; filters and search narrow it."""
    filters = _filters(request.GET)
    after = listing.read_position(request.GET.get("after", ""))
    found = listing.listed(
        viewer.account.pk, viewer.company_ids, filters, PAGE_SIZE + 1, after
    )  # fmt: skip
    counts = listing.counts(viewer.account.pk, viewer.company_ids)
    context = {
        "rows": _rows(viewer, found[:PAGE_SIZE]),
        "headline": wording.headline(counts),
        # A healthy account sees one calm sentence, not a wall of green.
        "quiet": not (counts[State.FAILED] or counts[State.PENDING] or filters or after),
        "any": any(counts.values()),
        "untold": viewer.manages_alerts and not has_alert(viewer.person),
        "filters": filters,
        "form": _choices(viewer),
        "first": _address(request, None),
        "next": _address(request, found[PAGE_SIZE - 1].position) if len(found) > PAGE_SIZE else "",
        "after": after,
    }
    return render(request, "web/integrations/home.html", context)


def _rows(viewer: Viewer, found: list[Listed]) -> list[Row]:
    now = clock.now()
    told_about = told.told_about(viewer, {row.company_id for row in found})
    return [
        Row(
            row,
            wording.reason(row.state, row.reason_code, row.reason_message),
            told_about[row.company_id],
            row.state in UNHEALTHY,
            is_flapping(Openings(row.last_opened_at, None, row.flapping_since), now),
        )
        for row in found
    ]


def _filters(query: QueryDict) -> Filters:
    state, company = query.get("state", ""), query.get("company", "")
    return Filters(
        state=state if state in _STATES else "",
        company=int(company) if company.isascii() and company.isdigit() and len(company) < 19
        else None,
        provider=plain(query.get("provider", "")),
        text=plain(query.get("q", ""))[:_LONGEST_SEARCH],
    )  # fmt: skip


def _choices(viewer: Viewer) -> dict[str, Any]:
    companies: list[Company] = list(viewer.companies()[: CHOICES + 1])
    names = providers(viewer.account.pk, viewer.company_ids, CHOICES + 1)
    return {
        "states": _STATES.items(),
        "companies": companies[:CHOICES],
        "more_companies": len(companies) > CHOICES,
        "providers": names[:CHOICES],
        "more_providers": len(names) > CHOICES,
    }


def _address(request: HttpRequest, after: Position | None) -> str:
    query = request.GET.copy()
    query.pop("after", None)
    if after is not None:
        query["after"] = str(after)
    for name in [name for name, value in query.items() if not value]:
        del query[name]
    return f"?{query.urlencode()}" if query else request.path
