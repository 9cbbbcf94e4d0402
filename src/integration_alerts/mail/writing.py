"""Writing an email: what its letter says, fixed as bytes.

Does not decide whether it goes, or which notices it carries: that is `outbox`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parseaddr

from django.db import DatabaseError

from integration_alerts.mail.gathering import Addresses, gather
from integration_alerts.mail.headers import Envelope
from integration_alerts.mail.letters import Links
from integration_alerts.mail.models import Email
from integration_alerts.mail.rendering import render
from integration_alerts.mail.return_path import return_path
from integration_alerts.mail.subjects import subject
from integration_alerts.mail.unsubscribing import unsubscribe_url


class Unwritable(Exception):
    """An email cannot be written; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class Stationery:
    """What is the same in every mail of this installation."""

    sender: str  # `Name <address>`
    public_url: str  # where links begin
    bounce_address: str = ""  # where bounces go, with what they speak of; empty: to the sender
    sign: Callable[[bytes], bytes] | None = None  # DKIM, over the finished message

    @property
    def message_id_domain(self) -> str:
        """The part of a Message-ID after the @: the sender's domain."""
        domain = parseaddr(self.sender)[1].rpartition("@")[2]
        return domain.encode("idna").decode() or "localhost"

    def envelope_sender(self, email_id: int) -> str:
        """Where a mail server reports what became of this email (RFC 5321 section 4.4)."""
        if self.bounce_address:
            return return_path(email_id, self.bounce_address)
        return parseaddr(self.sender)[1]

    def manage_url(self, account_id: int) -> str:
        """The page where readers change their alerts of this account."""
        return f"{self.public_url}/accounts/{account_id}/alerts"

    def listing_url(self, account_id: int) -> str:
        """The page that lists the account's integrations, those that need somebody first."""
        return f"{self.public_url}/accounts/{account_id}/"


@dataclass(frozen=True, slots=True)
class Written:
    """A message, final."""

    subject: str
    message: bytes


def write(email: Email, address: str, stationery: Stationery) -> Written:
    """Write an email for its recipient at this address, as of its date; raises Unwritable.

    Call it inside the transaction in which the email is claimed.
    """
    # A name that no header can hold, a template that fails: this email ends, the others go out.
    # A database that fails is another matter: the claim itself is void.
    try:
        return _written(email, address, stationery)
    except (DatabaseError, Unwritable):
        raise
    except Exception as error:
        raise Unwritable(f"{type(error).__name__}: {error}") from error


def _written(email: Email, address: str, stationery: Stationery) -> Written:
    links = Links(
        listing=stationery.listing_url(email.account_id),
        manage=stationery.manage_url(email.account_id),
        unsubscribe=unsubscribe_url(stationery.public_url, email.member_id),
    )
    gathered = gather(email, Addresses(stationery.public_url, links))
    if gathered is None:
        raise Unwritable("there is nothing left to tell in it")
    envelope = Envelope(
        sender=stationery.sender,
        address=address,
        message_id=email.message_id,
        account_id=email.account_id,
        earlier=gathered.earlier,
    )
    message = render(gathered.letter, envelope)
    return Written(
        subject(gathered.letter), stationery.sign(message) if stationery.sign else message
    )
