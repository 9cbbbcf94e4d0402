"""The HTML part of a mail alone, for the frame that shows it on a page."""

import re

from django.http import HttpResponse

# Nothing in a mail may run or load; `picture` is the one exception, see `framed`.
_POLICY = (
    "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src data:{picture}; "
    "frame-ancestors 'self'"
)
# What can stand in a policy as it is (CSP 3, host-source): no separator, no quote, no query.
_SOURCE = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?/[A-Za-z0-9._~/%@+=-]*")


def framed(html: str, picture: str = "") -> HttpResponse:
    """The response for the frame; the view around it allows framing by our own pages.

    `picture` is the address of one picture that may be loaded, over https: for a sample, an
    account's own logo. Pictures in real mails stay away, as they tell their host who looks.
    """
    response = HttpResponse(html)
    allowed = f" {picture.partition('?')[0]}" if may_load(picture) else ""
    response.headers["Content-Security-Policy"] = _POLICY.format(picture=allowed)
    return response


def may_load(picture: str) -> bool:
    """Whether a frame can be allowed to load exactly this picture."""
    return _SOURCE.fullmatch(picture.partition("?")[0]) is not None
