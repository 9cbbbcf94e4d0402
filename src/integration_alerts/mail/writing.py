"""Writing emails: what their letters say, fixed as bytes.

Does not decide whether they go, or which notices they carry: that is `outbox`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import parseaddr

from django.db import DatabaseError

from integration_alerts.mail.gathering import Addresses, Draft, gather
from integration_alerts.mail.headers import Envelope
from integration_alerts.mail.letters import Links
from integration_alerts.mail.rendering import render
from integration_alerts.mail.return_path import return_path
from integration_alerts.mail.subjects import subject
from integration_alerts.mail.unsubscribing import unsubscribe_url

__all__ = ["Draft", "Stationery", "Unwritable", "Written", "write_all"]


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


@dataclass(frozen=True, slots=True)
class Unwritable:
    """An email cannot be written."""

    reason: str  # for people


def write_all(drafts: Sequence[Draft], stationery: Stationery) -> dict[int, Written | Unwritable]:
    """Write emails for their recipients, each as of its date; the result is by their ids.

    Call it inside the transaction in which they are claimed. One that cannot be written does not
    keep the others from it. Raises DatabaseError, which is another matter: it voids the claim.
    """
    return {draft.id: _write(draft, stationery) for draft in drafts}


def _write(draft: Draft, stationery: Stationery) -> Written | Unwritable:
    # A name that no header can hold, a template that fails: this email ends, the others go out.
    try:
        return _written(draft, stationery)
    except DatabaseError:
        raise
    except Exception as error:
        return Unwritable(f"{type(error).__name__}: {error}")


def _written(draft: Draft, stationery: Stationery) -> Written | Unwritable:
    links = Links(
        listing=stationery.listing_url(draft.account_id),
        manage=stationery.manage_url(draft.account_id),
        unsubscribe=unsubscribe_url(stationery.public_url, draft.member_id),
    )
    gathered = gather(draft, Addresses(stationery.public_url, links))
    if gathered is None:
        return Unwritable("there is nothing left to tell in it")
    envelope = Envelope(
        sender=stationery.sender,
        address=draft.address,
        message_id=draft.message_id,
        account_id=draft.account_id,
        earlier=gathered.earlier,
    )
    message = render(gathered.letter, envelope)
    return Written(
        subject(gathered.letter), stationery.sign(message) if stationery.sign else message
    )
