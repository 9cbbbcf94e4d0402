"""Who looks at a page: the member behind the signed-in user, in the account of the address.

Fetching the account is the authorisation: to everybody else it does not exist (404). What the
viewer may do with an alert is asked of `rules.permissions`.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, cast
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers
from django.utils.functional import SimpleLazyObject

from integration_alerts.directory.ids import LARGEST_ID
from integration_alerts.directory.models import Account, Company, Member, User
from integration_alerts.directory.people import person
from integration_alerts.directory.time_zones import is_time_zone
from integration_alerts.engine import clock
from integration_alerts.integrations.listing import anything_failed
from integration_alerts.rules.eligibility import Role
from integration_alerts.rules.permissions import Denial, Person
from integration_alerts.web.drafts import ask_to_sign_in

Rest = ParamSpec("Rest")
MemberView = Callable[Concatenate[HttpRequest, "Viewer", Rest], HttpResponse]
View = Callable[..., HttpResponse]
ZONE_COOKIE = "time_zone"  # set by zone.js: the zone of the browser
LAST_ACCOUNT = "account"  # in the session: where `/` leads


@dataclass(frozen=True, slots=True)
class Viewer:
    """A member who looks at a page, with their rights and their time zone."""

    member: Member
    person: Person
    zone: ZoneInfo

    @property
    def account(self) -> Account:
        """The account that this page is about."""
        return self.member.account

    @property
    def role(self) -> Role:
        """The viewer's role in this account."""
        return self.person.role

    @property
    def manages_alerts(self) -> bool:
        """Whether the alert pages exist for this viewer at all: never for Reporting users."""
        return self.role is not Role.REPORTING

    @property
    def company_ids(self) -> list[int] | None:
        """The companies that the viewer may see; None: all of the account."""
        return None if self.person.is_administrator else sorted(self.person.companies)

    def companies(self) -> QuerySet[Company]:
        """The companies that the viewer may see, by name, those switched off left out."""
        rows = Company.objects.filter(account=self.account, active=True).order_by("name", "id")
        return rows if self.company_ids is None else rows.filter(pk__in=self.company_ids)

    def has_failures(self) -> bool:
        """Whether an integration that the viewer may see has failed: the badge of the icon."""
        return anything_failed(self.account.pk, self.company_ids)


def account_page(view: MemberView[Rest]) -> View:
    """Let members of the account in the address in; it does not exist for anybody else (404)."""

    @functools.wraps(view)
    def guarded(
        request: HttpRequest, account_id: int, *args: Rest.args, **kwargs: Rest.kwargs
    ) -> HttpResponse:
        if isinstance(request.user, AnonymousUser):
            return ask_to_sign_in(request)
        viewer = _viewer(request, request.user, account_id)
        request.viewer = viewer  # type: ignore[attr-defined]  # for `shell`
        if request.session.get(LAST_ACCOUNT) != account_id:
            request.session[LAST_ACCOUNT] = account_id
        response = view(request, viewer, *args, **kwargs)
        add_never_cache_headers(response)  # the next person at this browser goes back in vain
        return response

    return cast("View", guarded)


def alerts_page(view: MemberView[Rest]) -> View:
    """As `account_page`, and 403 for Reporting users."""

    @functools.wraps(view)
    def guarded(
        request: HttpRequest, viewer: Viewer, *args: Rest.args, **kwargs: Rest.kwargs
    ) -> HttpResponse:
        if not viewer.manages_alerts:
            raise PermissionDenied(
                f"{Denial.REPORTING_ACTOR.value} An Administrator of {viewer.account.name} "
                "can change your role."
            )
        return view(request, viewer, *args, **kwargs)

    return account_page(cast("MemberView[Rest]", guarded))


def administrators_page(view: MemberView[Rest]) -> View:
    """As `account_page`, and 403 for all but Administrators."""

    @functools.wraps(view)
    def guarded(
        request: HttpRequest, viewer: Viewer, *args: Rest.args, **kwargs: Rest.kwargs
    ) -> HttpResponse:
        if not viewer.person.is_administrator:
            raise PermissionDenied(
                f"This page is for Administrators of {viewer.account.name}. "
                "One of them can change your role."
            )
        return view(request, viewer, *args, **kwargs)

    return account_page(cast("MemberView[Rest]", guarded))


def memberships(user: User) -> QuerySet[Member]:
    """The members that a user acts as, by the names of their accounts."""
    rows = Member.objects.filter(user=user, active=True, account__active=True)
    return rows.select_related("account").order_by("account__name", "id")


def last_membership(request: HttpRequest, members: Sequence[Member]) -> Member | None:
    """The membership that was looked at last, or the first one; None: there is none."""
    last = request.session.get(LAST_ACCOUNT)
    return next((m for m in members if m.account_id == last), members[0] if members else None)


def shell(request: HttpRequest) -> dict[str, Any]:
    """A context processor: what the frame around every page needs, fetched when it is used."""
    user = cast("User | AnonymousUser", getattr(request, "user", AnonymousUser()))
    if isinstance(user, AnonymousUser):
        return {"viewer": None, "now": clock.now()}
    members = cast("Sequence[Member]", SimpleLazyObject(lambda: list(memberships(user))))
    return {
        "viewer": SimpleLazyObject(lambda: _shell_viewer(request, members)),
        "memberships": members,
        "now": clock.now(),
    }


def _shell_viewer(request: HttpRequest, members: Sequence[Member]) -> Viewer | None:
    if (known := getattr(request, "viewer", None)) is not None:
        return cast("Viewer", known)
    member = last_membership(request, members)
    return None if member is None else _as_viewer(request, member)


def _viewer(request: HttpRequest, user: User, account_id: int) -> Viewer:
    member = memberships(user).filter(account_id=min(account_id, LARGEST_ID)).first()
    if member is None:
        raise Http404
    return _as_viewer(request, member)


def _as_viewer(request: HttpRequest, member: Member) -> Viewer:
    wanted = request.COOKIES.get(ZONE_COOKIE, "")
    zone = wanted if is_time_zone(wanted) else member.account.time_zone
    return Viewer(member, person(member), ZoneInfo(zone))
