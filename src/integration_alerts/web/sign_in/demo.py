"""Signing in with one click, in a demo on this machine only."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from integration_alerts.engine import demo_people as people_of_the_demo
from integration_alerts.engine.operators import is_local_demo
from integration_alerts.web.sign_in.entering import let_in


def demo_people(request: HttpRequest) -> list[people_of_the_demo.Person]:
    """Who can be tried; nobody outside the demo or from another machine."""
    return people_of_the_demo.people() if is_local_demo(request) else []


@require_http_methods(["GET", "POST"])
def demo_sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in as one of the people of the demo."""
    if not is_local_demo(request):
        raise Http404
    if request.method == "GET":
        return redirect(settings.LOGIN_URL)
    user = people_of_the_demo.find_user(request.POST.get("person", ""))
    if user is None:
        raise Http404
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    return let_in(request, user, target if safe else reverse("start"))
