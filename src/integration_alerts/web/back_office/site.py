"""The back office as a whole: who may enter, and that one enters through the one sign-in."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import LogoutView, redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from integration_alerts.web.back_office.mailer import mailer_page

# Of passwords and second steps the sign-in takes care, for operators as for everybody.
_LEFT_OUT = {"password_change", "password_change_done", "view_on_site", "autocomplete"}


class BackOffice(AdminSite):
    """For operators (`is_staff`) alone."""

    site_title = "Back office"
    site_header = "Back office"
    index_title = "Find and look"
    enable_nav_sidebar = False

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """The addresses, without those that are somewhere else or nowhere."""
        urls = [url for url in super().get_urls() if getattr(url, "name", "") not in _LEFT_OUT]
        return [path("mailer/", self.admin_view(self.mailer), name="mailer"), *urls]

    def mailer(self, request: HttpRequest) -> HttpResponse:
        """How the mailer and the outbox stand."""
        return mailer_page(request, self.each_context(request))

    def login(
        self,
        request: HttpRequest,
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        """Send visitors to the sign-in and back here; refuse who is no operator."""
        wanted = request.GET.get("next", "")
        if not url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
            wanted = reverse("back_office:index")
        if self.has_permission(request):
            return HttpResponseRedirect(wanted)  # `redirect` takes a bare word for a view
        if request.user.is_authenticated:
            raise PermissionDenied("Only operators may open the back office.")
        return redirect_to_login(wanted)

    def logout(  # type: ignore[override]
        self,
        request: HttpRequest,
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        """Sign out, to the start page."""
        return LogoutView.as_view(next_page=reverse("start"))(request)


site = BackOffice(name="back_office")
