"""`POST /bounces`: takes returned mails from a mail server. Thin: `mail.bounces` decides."""

from http import HTTPStatus
from typing import Literal

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router

from integration_alerts.api import descriptions
from integration_alerts.api.bodies import read_body
from integration_alerts.api.keys import PlatformKey
from integration_alerts.api.problems import Problem
from integration_alerts.engine import clock
from integration_alerts.mail import bounces, dsn

MESSAGE = "message/rfc822"

router = Router(tags=["In"], auth=PlatformKey())


class BounceResult(msgspec.Struct, omit_defaults=True):
    """What became of a returned mail."""

    result: Literal["recorded", "duplicate", "ignored"]
    reason: str = ""


@router.post(
    "",
    summary="Hand over a returned mail",
    openapi_extra=descriptions.message(MESSAGE, BounceResult),
)
def take_bounce(request: HttpRequest, recipient: str = "") -> HttpResponse:
    """Take a mail in that came to the bounce address: a delivery report, or a complaint.

    The body is the message as it came, at most 1 MB. `recipient` is the address of the envelope;
    without it, `Delivered-To`, `X-Original-To` and `To` of the message are searched for a signed
    address. Sending it again changes nothing.
    """
    if request.content_type != MESSAGE:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Type: expected {MESSAGE}, got {request.content_type or 'none'}",
        )
    raw = read_body(request, dsn.LARGEST)
    if not raw.strip():
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the body holds no message")
    try:
        taken = bounces.take_message(raw, recipient, clock.now())
    except bounces.StillSending:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "the email is being sent at this moment; try again"
        ) from None
    answer = BounceResult(taken.result.value, taken.reason)
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json")
