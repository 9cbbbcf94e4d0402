"""Every page and action, for every role, on what is theirs, shared, foreign, of another account.

What a viewer may not know answers as what does not exist, and no name of it stands anywhere in the
answer. An address that is not in the table fails the last test.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from tests import pages
from tests.pages import account, alert, browser, give, member
from tests.signing_in import scrubbed
from tests.world import World

from integration_alerts.alerts.models import Subscription
from integration_alerts.integrations.models import Integration
from integration_alerts.mail.models import Email

pytestmark = pytest.mark.django_db

GLOBEX = {"account": "globex", "company": "works"}
# What must not be read, in any answer, by whom. Ada is an Administrator of Acme; Max a Manager of
# North and South, Rita a Reporting user of both. Sam and Secret Harbour are foreign to both.
FOREIGN = ("Globex", "gus@", "Hidden Works", "Works CRM")
SECRETS = {
    "ada": FOREIGN,
    "max": (*FOREIGN, "Secret Harbour", "Harbour CRM", "Stranger", "sam@"),
    "rita": (
        *FOREIGN, "Secret Harbour", "Harbour CRM", "Stranger", "sam@", "ivy@", "ann@", "Ivy", "Ann",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A page or an action, on whose object, and what ada, max and rita are answered."""

    name: str
    of: str
    ada: int
    max: int
    rita: int
    query: str = ""
    account: str = "acme"

    def __str__(self) -> str:
        return f"{self.name}-{self.of or self.account}"


def on(name: str, query: str = "", **answers: tuple[int, int, int]) -> list[Case]:
    """Cases of one address: the object, and the three answers."""
    return [
        Case(name, of, *codes, query, "globex" if of in {"gus", "works"} else "acme")
        for of, codes in answers.items()
    ]


def alone(name: str, *answers: int) -> list[Case]:
    """A page without an object: in Acme, and in Globex, which does not exist for anybody here."""
    return [Case(name, "", *answers), Case(name, "", 404, 404, 404, account="globex")]  # type: ignore[arg-type]


ALERTS: dict[str, tuple[int, int, int]] = {
    "ada": (200, 404, 403),
    "ann": (200, 404, 403),
    "max": (200, 200, 403),
    "ivy": (200, 200, 403),
    "pia": (200, 200, 403),
    "sam": (200, 404, 403),
    "gus": (404, 404, 404),
}
INTEGRATIONS: dict[str, tuple[int, int, int]] = {
    "north": (200, 200, 200),
    "south": (200, 200, 200),
    "harbour": (200, 404, 404),
    "works": (404, 404, 404),
}
# A mail about each company, to its own recipient.
EMAILS: dict[str, tuple[int, int, int]] = {
    "ada": (200, 404, 404),
    "max": (200, 200, 404),
    "ivy": (200, 404, 404),  # about Secret Harbour
    "pia": (200, 200, 404),
    "gus": (404, 404, 404),
}
CASES = [
    *alone("integrations", 200, 200, 200),
    *alone("address", 200, 200, 200),
    *alone("notifications", 200, 200, 403),
    *alone("alerts", 200, 200, 403),
    *alone("alert_new", 200, 200, 403),
    *alone("mails", 200, 403, 403),
    *(
        Case(name, "failed", *codes, account=where)
        for name in ("sample_mail", "sample_mail_html", "sample_mail_source")
        for where, codes in (("acme", (200, 403, 403)), ("globex", (404, 404, 404)))
    ),
    *on("alert", **ALERTS),
    *on("alert_delete", **ALERTS),
    *on("alert_pause", **ALERTS),
    *on("alert_resume", **ALERTS),
    *on("alert_mail_again", **ALERTS),
    *on("alert_test", **ALERTS),
    *on("integration", **INTEGRATIONS),
    *on("integration_state", "?to=disabled", **{
        name: (ada, max_, 403 if rita == 200 else rita)
        for name, (ada, max_, rita) in INTEGRATIONS.items()
    }),
    *on("email", **EMAILS),
    *on("email_html", **EMAILS),
]  # fmt: skip
SEEN_OTHERWISE = {"alert_undo"}  # its key is of the session: tests/integration/test_alert_pages.py


@pytest.fixture
def acme(db: None) -> World:
    """Everybody has an alert, every company a failed integration, and everybody a mail."""
    world = World(pages.DIRECTORY)
    world.directory(pages.user("rita", "reporting", "north", "south"))
    for who, companies in (
        ("ada", ()), ("ann", ("north",)), ("max", ("north",)), ("ivy", ("harbour",)),
        ("pia", ("south",)), ("sam", ()),
    ):  # fmt: skip
        give(world, who, *companies)
    for company in ("north", "south", "harbour"):
        world.report("failed", f"{company}-crm", company=company, name=f"{company.title()} CRM")
    world.take(world.a_report("failed", "works-crm", name="Works CRM", **GLOBEX))
    world.work()
    return world


@pytest.mark.parametrize("who", ["ada", "max", "rita"])
@pytest.mark.parametrize("name", sorted({case.name for case in CASES}))
def test_who_may_open_what(acme: World, name: str, who: str) -> None:
    client = browser(who)
    for case in (case for case in CASES if case.name == name):
        response = client.get(address(case), follow=True)
        assert response.status_code == getattr(case, who), str(case)
        _says_nothing_of(SECRETS[who], response.content.decode())


@pytest.mark.parametrize("who", ["ada", "max", "rita"])
@pytest.mark.parametrize("name", sorted({c.name for c in CASES if c.name.startswith("alert_")}))
def test_who_may_do_what_to_an_alert(acme: World, name: str, who: str) -> None:
    client = browser(who)
    for case in (case for case in CASES if case.name == name):
        before, path = _alerts(), address(case)
        response = client.post(path, {"scope": "chosen"}, follow=True)
        assert response.status_code == getattr(case, who), str(case)
        _says_nothing_of(SECRETS[who], response.content.decode())
        if response.status_code != 200:
            assert _alerts() == before, str(case)


@pytest.mark.parametrize("action", ["alert_pause", "alert_delete"])
def test_an_alert_that_covers_more_is_only_changed_in_part(acme: World, action: str) -> None:
    """Ivy's alert covers Secret Harbour, which Max does not see."""
    before = _alerts()
    page = browser("max").post(_of(action, alert("ivy").pk), follow=True)
    assert "This alert covers companies that you have no access to." in page.content.decode()
    assert _alerts() == before


@pytest.mark.parametrize("who", ["ada", "max", "rita"])
@pytest.mark.parametrize("company", INTEGRATIONS)
def test_who_may_change_a_state(acme: World, company: str, who: str) -> None:
    case = next(c for c in CASES if (c.name, c.of) == ("integration_state", company))
    form = {"to": "active", "event": "6e9c1c9e-33b0-4c9f-9f0a-2d5a3a4b5c6d"}
    response = browser(who).post(address(case), form, follow=True)
    assert response.status_code == getattr(case, who)
    _says_nothing_of(SECRETS[who], response.content.decode())
    state = Integration.objects.get(external_id=f"{company}-crm").state
    assert state == ("active" if response.status_code == 200 else "failed")


@pytest.mark.parametrize("who", ["ada", "max", "rita"])
@pytest.mark.parametrize(
    ("name", "foreign"),
    [("alert", "sam"), ("integration", "harbour"), ("email", "ivy"), ("email_html", "ivy")],
)
def test_what_is_foreign_answers_as_what_does_not_exist(
    acme: World, name: str, foreign: str, who: str
) -> None:
    case = next(c for c in CASES if (c.name, c.of) == (name, foreign))
    client = browser(who)
    unknown = client.get(_of(name, 10**15))
    known = client.get(address(case))
    if known.status_code != 200:
        assert (known.status_code, _body(known)) == (unknown.status_code, _body(unknown))


def test_nobody_is_let_in_without_signing_in(acme: World) -> None:
    for case in CASES:
        asked = Client().get(address(case))
        assert (asked.status_code, asked["Location"][:8]) == (302, "/sign-in"), str(case)
        posted = Client().post(address(case))
        assert posted.status_code == 405 or posted["Location"].startswith("/sign-in"), str(case)


@pytest.mark.parametrize("who", ["ada", "max", "rita"])
def test_a_deactivated_member_and_a_closed_account_are_out(acme: World, who: str) -> None:
    client = browser(who)
    home = reverse("integrations", args=[account()])
    assert client.get(home).status_code == 200
    acme.directory({"type": "user", "account": "acme", "id": who, "active": False})
    assert client.get(home).status_code == 404
    acme.directory({"type": "user", "account": "acme", "id": who, "active": True})
    acme.directory({"type": "account", "id": "acme", "active": False})
    assert client.get(home).status_code == 404


def test_the_menu_of_a_reporting_user_has_no_notifications(acme: World) -> None:
    for who, entries in (("ada", 1), ("max", 1), ("rita", 0)):
        body = browser(who).get(reverse("integrations", args=[account()])).content.decode()
        assert body.count(">Notifications</a>") == entries


def test_no_address_is_left_out_of_the_table() -> None:
    covered = {case.name for case in CASES} | SEEN_OTHERWISE
    assert {pattern.name for pattern in _account_patterns()} == covered


def address(case: Case) -> str:
    """The address of a case."""
    home = account(case.account)
    if not case.of:
        return reverse(case.name, args=[home])
    return reverse(case.name, args=[home, _ids(case.name)(case.of)]) + case.query


def _of(name: str, object_id: int | str) -> str:
    return reverse(name, args=[account(), object_id])


def _ids(name: str) -> Callable[[str], int | str]:
    if name.startswith("sample_mail"):
        return lambda kind: kind
    if name.startswith("alert"):
        return lambda who: alert(who).pk
    if name.startswith("email"):
        return _mail_to
    return lambda company: Integration.objects.get(external_id=f"{company}-crm").pk


def _mail_to(who: str) -> int:
    return int(
        Email.objects.filter(member=member(who)).order_by("id").values_list("pk", flat=True)[0]
    )


def _alerts() -> list[tuple[object, ...]]:
    return list(Subscription.objects.order_by("pk").values_list())


def _says_nothing_of(secrets: tuple[str, ...], body: str) -> None:
    said = scrubbed(body)  # a random token may well spell a short name
    assert [secret for secret in secrets if secret in said] == []


def _body(response: object) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())  # type: ignore[attr-defined]


def _account_patterns(
    resolver: URLResolver | None = None, before: str = ""
) -> Iterator[URLPattern]:
    for entry in (resolver or get_resolver("integration_alerts.web.urls")).url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _account_patterns(entry, route)
        elif "<int:account_id>" in route:
            yield entry
