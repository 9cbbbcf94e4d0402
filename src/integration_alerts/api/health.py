"""What machines ask: is the process up, can it do its work?"""

from django.db import Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from integration_alerts.engine import health
from integration_alerts.mail.circuits import OpenCircuit
from integration_alerts.rules.retry import Phase


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """200 while this process answers at all."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """200 when the database answers, a worker was seen lately and the mailer takes our mail.

    503 and the reason otherwise. Whether the web process itself is up is `healthz`'s question.
    """
    try:
        worker, refusing = health.worker_seen(), health.refusing_mailer()
    except Error:
        return JsonResponse(
            {"database": "unreachable", "worker": "unknown", "mail": "unknown"}, status=503
        )
    said = {
        "database": "ok",
        "worker": "ok" if worker else "none seen lately",
        "mail": "ok" if refusing is None else _no_mail_since(refusing),
    }
    return JsonResponse(said, status=200 if worker and refusing is None else 503)


def _no_mail_since(circuit: OpenCircuit) -> str:
    # Without the server's words, which are for operators: anybody may ask this.
    what = "sign-in" if circuit.phase == Phase.AUTH else "TLS" if circuit.phase == Phase.TLS else ""
    return f"none is sent since {circuit.opened_at:%Y-%m-%dT%H:%M:%SZ}: {what or 'refused'}"
