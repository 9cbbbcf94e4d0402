"""What tests of sign-in share: a signed-in browser, and the mails of the pages with their links."""

import re
from datetime import datetime, timedelta
from typing import Any

from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from integration_alerts.directory import invitations
from integration_alerts.directory.models import Member, User
from integration_alerts.directory.sign_in_addresses import prove

PASSWORD = "cobalt-lantern-47"
SIGN_IN = "/sign-in/login/"


def user(address: str, password: str = PASSWORD) -> User:
    """Somebody who can sign in with an address that is proven theirs."""
    made = User(email=address.lower())
    made.set_password(password)
    made.save()
    prove(made, address)
    return made


def signed_in(member: Member) -> Client:
    """A browser in which this member's user is signed in."""
    owner = user(member.email)
    invitations.link(owner, [member.email])
    client = Client()
    client.force_login(owner)
    return client


def invitation_of(member: Member, now: datetime, **ago: float) -> str:
    """The address of an invitation's page, sent some time ago."""
    return f"/invitation/{invitations.token(member, now - timedelta(**ago))}"


def sent() -> list[EmailMultiAlternatives]:
    """The mails that the pages have sent so far."""
    return [message for message in mail.outbox if isinstance(message, EmailMultiAlternatives)]


def link_in(message: EmailMultiAlternatives) -> str:
    """The path of the link in a mail, which begins with PUBLIC_URL."""
    found = re.search(r"^http://localhost:8000(/\S+)$", str(message.body), re.MULTILINE)
    assert found, message.body
    return found[1]


def sign_in(client: Client, address: str, password: str = PASSWORD, **more: str) -> Any:
    """Type address and password into the form."""
    return client.post(SIGN_IN, {"login": address, "password": password, **more})


def body(response: Any) -> str:
    """What a page says, with its tags."""
    return str(response.content.decode())


def reauthenticated(client: Client) -> None:
    """Type the password once more, as what protects the sign-in asks for."""
    client.post("/sign-in/reauthenticate/", {"password": PASSWORD})


def scrubbed(page: str) -> str:
    """A page without its tokens."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)
