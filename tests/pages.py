"""Everybody the permission table speaks of, in Acme and in a foreign account, with browsers."""

import re
from typing import Any

from django.test import Client
from tests.browsing import signed_in
from tests.world import World

from integration_alerts.alerts.models import Subscription
from integration_alerts.alerts.subscribing import scope_of
from integration_alerts.directory.models import Account, Company, Member

ACME = {"account": "acme"}


def user(
    id_: str, role: str, *companies: str, name: str = "", account: str = "acme"
) -> dict[str, Any]:
    return {
        "type": "user", "account": account, "id": id_, "email": f"{id_}@{account}.example",
        "name": name or id_.title(), "role": role, "companies": list(companies),
    }  # fmt: skip


DIRECTORY: list[dict[str, Any]] = [
    {"type": "account", "id": "acme", "name": "Acme Agency", "time_zone": "Europe/Berlin"},
    {"type": "company", **ACME, "id": "north", "name": "North Bakery"},
    {"type": "company", **ACME, "id": "south", "name": "South Hotel"},
    {"type": "company", **ACME, "id": "harbour", "name": "Secret Harbour"},
    user("ada", "administrator"),
    user("ann", "administrator"),
    user("max", "manager", "north", "south"),
    user("ivy", "manager", "south", "harbour"),
    user("pia", "manager", "south"),
    user("sam", "manager", "harbour", name="Stranger Sam"),
    user("rita", "reporting", "north", "south", "harbour"),
    {"type": "account", "id": "globex", "name": "Globex Secret Group"},
    {"type": "company", "account": "globex", "id": "works", "name": "Globex Hidden Works"},
    user("gus", "administrator", account="globex", name="Gus of Globex"),
    {"type": "subscription", "account": "globex", "user": "gus", "companies": "all"},
]
"""Max and Ivy share South, Pia has only South, Sam shares nothing with Max; Acme has no alert."""


def member(external_id: str) -> Member:
    """A member of either account."""
    return Member.objects.select_related("account").get(external_id=external_id)


def company(external_id: str) -> Company:
    """A company of either account."""
    return Company.objects.get(external_id=external_id)


def account(external_id: str = "acme") -> int:
    """An account's id, as its addresses have it."""
    return Account.objects.get(external_id=external_id).pk


def alert(external_id: str) -> Subscription:
    """A member's alert."""
    return Subscription.objects.get(member=member(external_id))


def give(world: World, user: str, *companies: str) -> Subscription:
    """An alert for a member of Acme, as the platform imports it; no company: all of them."""
    wanted = list(companies) or "all"
    world.directory({"type": "subscription", **ACME, "user": user, "companies": wanted})
    return alert(user)


def give_brands(world: World) -> None:
    """Brands of their own for the mails of both accounts."""
    for name, colour in (("acme", "#ffb000"), ("globex", "#00b0ff")):
        brand = {
            "name": f"{name.title()} Works", "colour": colour,
            "logo_url": f"https://pictures.example/{name}/logo.png",
            "reply_to": f"help@{name}.example",
        }  # fmt: skip
        world.directory({"type": "account", "id": name, "brand": brand})


def browser(external_id: str) -> Client:
    """A browser in which this member is signed in."""
    return signed_in(member(external_id))


def text_of(response: Any) -> str:
    """What a page says, without its tags, spaces as one."""
    body = re.sub(r"<(script|style|svg).*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


COMPANIES = ("north", "south", "harbour")


def address(tail: str = "", *, of: str = "acme") -> str:
    """An address of the alert pages."""
    return f"/accounts/{account(of)}/alerts{tail}"


def save(client: Client, tail: str, **fields: object) -> str:
    """Post a form and follow; returns what the page then says."""
    response = client.post(address(tail), fields, follow=True)
    assert response.status_code == 200, response.status_code
    return text_of(response)


def chosen(user: str) -> set[str] | None:
    """The companies of an alert by their ids; None: all."""
    found = scope_of(alert(user)).chosen
    return None if found is None else {name for name in COMPANIES if company(name).pk in found}
