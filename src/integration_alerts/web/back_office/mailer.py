"""The operators' page about the mailer: does it take our mail, how fast may it go, what waits?"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.template.response import TemplateResponse

from integration_alerts.configuration import Configuration
from integration_alerts.engine import clock
from integration_alerts.mail.circuits import OpenCircuit, open_circuits
from integration_alerts.mail.queue_state import COUNTED, QueueState, queue_state
from integration_alerts.rules.retry import Phase
from integration_alerts.web.wording import ago, exact

_TO_DO = {
    Phase.AUTH: "Correct the user name, password or key in EMAIL_URL and restart the worker: mail "
    "then goes at once. If the setting is right, ask whoever runs the mail server, or the service.",
    Phase.TLS: "The certificate must be valid for the host in EMAIL_URL, and this machine must "
    "trust who issued it. Correct either, and restart the worker if a setting changed.",
}
_OTHERWISE = "Check EMAIL_URL, and what the mail server asks of those who hand mail in."


def mailer_page(request: HttpRequest, context: dict[str, Any]) -> TemplateResponse:
    """Show the state; nothing can be done here but looking."""
    now = clock.now()
    configuration: Configuration = settings.CONFIGURATION
    server = configuration.mail_server
    return TemplateResponse(
        request,
        "admin/mailer.html",
        {
            **context,
            "title": "Mailer",
            "mailer": "the built-in inbox, which catches all mail"
            if server is None
            else server.place,
            "refusing": [_refusal(circuit, now) for circuit in open_circuits()],
            "limits": list(_limits(configuration)),
            "queue": list(_queue(queue_state(now), now)),
        },
    )


def _refusal(circuit: OpenCircuit, now: datetime) -> dict[str, str]:
    return {
        "mailer": circuit.mailer,
        "since": _moment(circuit.opened_at, now),
        "words": circuit.words,
        "probes": f"{circuit.probes:,}",
        "next": _moment(circuit.probe_at, now),
        "to_do": _TO_DO.get(Phase(circuit.phase), _OTHERWISE),
    }


def _limits(configuration: Configuration) -> Iterator[tuple[str, str]]:
    yield "All mail", _rate(configuration.mail_rate)
    domains = configuration.mail_rate_per_domain
    for domain in sorted(domains.keys() - {"*"}):
        yield f"To {domain}", _rate(domains[domain])
    yield "To each other domain" if domains else "To each domain", _rate(domains.get("*"))


def _queue(state: QueueState, now: datetime) -> Iterator[tuple[str, str]]:
    yield "Could go now", _number(state.due)
    yield "Go later: wait for others, for their turn, or for another attempt", _number(state.later)
    yield "Being sent", _number(state.sending)
    yield "Oldest of these", _moment(state.oldest, now)
    yield "Last one taken over", _moment(state.last_accepted_at, now)


def _rate(per_second: float | None) -> str:
    return "no limit" if per_second is None else f"{per_second:g} a second"


def _number(number: int) -> str:
    return f"{number:,}" + (" or more" if number == COUNTED else "")


def _moment(moment: datetime | None, now: datetime) -> str:
    return "none" if moment is None else f"{exact(moment, UTC)}, {ago(moment, now, UTC)}"
