"""What is answered where nothing else could: problems for API clients, pages for people."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from integration_alerts.api import problems


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page that this person may not open; the exception says why."""
    return _page(request, HTTPStatus.FORBIDDEN, "You may not open this page", str(exception))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Any unknown address; what belongs to others is answered the same way."""
    if problems.is_api(request):
        return problems.not_found(request)
    text = "It may have been deleted, or it belongs to an account or company you have no access to."
    return _page(request, HTTPStatus.NOT_FOUND, "There is nothing at this address", text)


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours: logged with its traceback, told without one, without asking the database."""
    if problems.is_api(request):
        return problems.server_error(request)
    return HttpResponse(
        "Something went wrong here, and it is in our log. Try again.", status=500,
        content_type="text/plain; charset=utf-8",
    )  # fmt: skip


def _page(request: HttpRequest, status: HTTPStatus, title: str, text: str) -> HttpResponse:
    return render(request, "web/failure.html", {"title": title, "text": text}, status=status)
