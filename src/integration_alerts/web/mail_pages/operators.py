"""The samples for operators: with the brand of any account, or with ours."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from integration_alerts.directory.ids import LARGEST_ID
from integration_alerts.directory.models import Account
from integration_alerts.web.mail_pages import showing, wording
from integration_alerts.web.mail_pages.gallery import Gallery
from integration_alerts.web.mail_pages.showing import Pages
from integration_alerts.web.operators import operators_only


@require_safe
@operators_only
def mails(request: HttpRequest, of: int | None = None) -> HttpResponse:
    """Every kind of mail; `of` an account, else of none."""
    return showing.mails(request, _pages(of))


@require_safe
@operators_only
def sample_mail(request: HttpRequest, kind: str, of: int | None = None) -> HttpResponse:
    """One of them."""
    return showing.sample_mail(request, _pages(of), kind)


@require_safe
@operators_only
@xframe_options_sameorigin
def sample_mail_html(request: HttpRequest, kind: str, of: int | None = None) -> HttpResponse:
    """Its HTML part, for the frame."""
    return showing.sample_mail_html(request, _pages(of), kind)


@require_safe
@operators_only
def sample_mail_source(request: HttpRequest, kind: str, of: int | None = None) -> HttpResponse:
    """Its bytes."""
    return showing.sample_mail_source(request, _pages(of), kind)


def _pages(of: int | None) -> Pages:
    if of is None:
        wait, interval = settings.CONFIGURATION.group_wait, settings.CONFIGURATION.group_interval
        account, set_by = None, "GROUP_WAIT and GROUP_INTERVAL set this for new accounts."
    else:
        account = get_object_or_404(Account, pk=min(of, LARGEST_ID))
        wait, interval = account.group_wait, account.group_interval
        set_by = "The platform sets this for the account."
    grouping = f"{wording.grouping(wait, interval)} {set_by}"
    return Pages(Gallery(account), "web/base.html", "operator_", grouping)
