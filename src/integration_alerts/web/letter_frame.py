"""The HTML part of a mail alone, for the frame that shows it on a page."""

from django.http import HttpResponse

# Nothing in a mail may run or load.
_POLICY = (
    "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'self'"
)


def framed(html: str) -> HttpResponse:
    """The response for the frame; the view around it allows framing by our own pages."""
    response = HttpResponse(html)
    response.headers["Content-Security-Policy"] = _POLICY
    return response
