"""`POST /webhooks/<service>`: what the email service (ESP) of EMAIL_URL tells about mails.

django-anymail checks who calls and reads each service's own form. There is no such address without
a secret or a signing key: whoever knew it could have addresses held back. Opens and clicks are not
asked for, and ignored.
"""

import functools
import importlib
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from integration_alerts.configuration import Configuration
from integration_alerts.engine import clock
from integration_alerts.mail import bounces, dsn
from integration_alerts.mail.dsn import Report
from integration_alerts.mail.esp_url import Esp
from integration_alerts.rules.suppression import BounceKind, Fault

logger = logging.getLogger(__name__)

# The event types of anymail.signals.EventType that say that a mail did not arrive.
_RETURNED = frozenset({"bounced", "rejected", "failed"})
# What a service says without a server's words (anymail.signals.RejectReason). With `rejected`, it
# has the address on a list of its own.
_HARD_REASONS = frozenset({"invalid"})


@csrf_exempt
def webhook(request: HttpRequest, service: str) -> HttpResponse:
    """Take events in; 503 asks the service to send them again, 404: this one is not configured."""
    configuration: Configuration = settings.CONFIGURATION
    esp = configuration.mail_server
    if not isinstance(esp, Esp) or esp.scheme != service or not _is_guarded(configuration, esp):
        raise Http404
    try:
        return _view(esp.kind.backend)(request)
    except (bounces.StillSending, OperationalError, InterfaceError) as error:
        logger.warning("events of %s are put off: %s", service, str(error).strip() or "sending")
        return HttpResponse(status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": "30"})


def report_of(event: Any, source: str) -> Report | None:
    """What an event of anymail's says; None: nothing that concerns us."""
    if event.event_type == "complained":
        return dsn.complaint(source)
    if event.event_type not in _RETURNED:
        return None
    if event.reject_reason == "spam":
        return dsn.complaint(source)
    words = str(event.mta_response or event.description or "")
    report = dsn.returned("", words, source)
    gone = event.reject_reason in _HARD_REASONS or (
        event.event_type == "rejected" and event.reject_reason == "bounced"
    )
    if gone and report.fault is Fault.UNDELIVERABLE:
        return Report(BounceKind.HARD, Fault.NO_MAILBOX, "", report.diagnostic, source)
    return report


def _is_guarded(configuration: Configuration, esp: Esp) -> bool:
    return bool(configuration.webhook_secret or esp.kind.webhook_settings & esp.settings.keys())


@functools.cache
def _view(backend: str) -> Callable[[HttpRequest], HttpResponse]:
    """Anymail's view for a service; it is installed only where one is used."""
    try:
        module = importlib.import_module(f"anymail.webhooks.{backend}")
        signals = importlib.import_module("anymail.signals")
    except ImportError:
        raise Http404 from None
    signals.tracking.connect(_take, dispatch_uid="integration_alerts.bounces")
    names = [name for name in vars(module) if name.endswith(_VIEWS)]
    view: Callable[[HttpRequest], HttpResponse] = getattr(module, names[0]).as_view()
    return view


_VIEWS = ("TrackingWebhookView", "CombinedWebhookView")


def _take(event: Any, esp_name: str, **_: object) -> None:
    source = esp_name.lower()
    report = report_of(event, source)
    if report is None:
        return
    reference = str((event.metadata or {}).get("email", ""))
    email_id = bounces.sent_as(reference, str(event.message_id or ""))
    if email_id is None:
        logger.info("an event of %s names no email of ours", esp_name)
        return
    taken = bounces.take(report, email_id, clock.now())
    logger.info("email %s, %s says %s: %s %s", email_id, esp_name, report.kind.value,
                taken.result.value, taken.reason)  # fmt: skip
