"""The samples of an account, for its Administrators."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from integration_alerts.web.mail_pages import showing, wording
from integration_alerts.web.mail_pages.gallery import Gallery
from integration_alerts.web.mail_pages.showing import Pages
from integration_alerts.web.viewer import Viewer, administrators_page


@require_safe
@administrators_page
def mails(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Every kind of mail that people in this account get."""
    return showing.mails(request, _pages(viewer))


@require_safe
@administrators_page
def sample_mail(request: HttpRequest, viewer: Viewer, kind: str) -> HttpResponse:
    """One of them."""
    return showing.sample_mail(request, _pages(viewer), kind)


@require_safe
@administrators_page
@xframe_options_sameorigin
def sample_mail_html(request: HttpRequest, viewer: Viewer, kind: str) -> HttpResponse:
    """Its HTML part, for the frame."""
    return showing.sample_mail_html(request, _pages(viewer), kind)


@require_safe
@administrators_page
def sample_mail_source(request: HttpRequest, viewer: Viewer, kind: str) -> HttpResponse:
    """Its bytes."""
    return showing.sample_mail_source(request, _pages(viewer), kind)


def _pages(viewer: Viewer) -> Pages:
    account = viewer.account
    grouping = wording.grouping(account.group_wait, account.group_interval)
    return Pages(Gallery(account), "web/with_menu.html", "", f"{grouping} Your platform sets this.")
