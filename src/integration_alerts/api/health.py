"""What machines ask: is the process up, can it do its work?"""

from django.db import Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from integration_alerts.engine import health


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """200 while this process answers at all."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """200 when the database answers and a worker was seen lately; 503 and the reason otherwise."""
    try:
        worker = health.worker_seen()
    except Error:
        return JsonResponse({"database": "unreachable", "worker": "unknown"}, status=503)
    return JsonResponse(
        {"database": "ok", "worker": "ok" if worker else "none seen lately"},
        status=200 if worker else 503,
    )
