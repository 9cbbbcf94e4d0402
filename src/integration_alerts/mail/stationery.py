"""What mails are written with: what is the same in all of them, and what names each one.

Knows nothing of what they tell.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct

from integration_alerts.mail.headers import mailbox
from integration_alerts.mail.letters import Links
from integration_alerts.mail.return_path import return_path
from integration_alerts.mail.unsubscribing import unsubscribe_url


class Draft(Struct, frozen=True):
    """An email that is to be written: where it goes, and what it is called."""

    id: int
    account_id: int
    member_id: int
    message_id: str
    date: datetime  # what "2 hours ago" is reckoned from
    address: str


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
        domain = mailbox(self.sender)[1].rpartition("@")[2]
        return domain.encode("idna").decode() or "localhost"

    def envelope_sender(self, email_id: int) -> str:
        """Where a mail server reports what became of this email (RFC 5321 section 4.4)."""
        if self.bounce_address:
            return return_path(email_id, self.bounce_address)
        return mailbox(self.sender)[1]

    def manage_url(self, account_id: int) -> str:
        """The page where readers change their alerts of this account."""
        return f"{self.public_url}/accounts/{account_id}/alerts"

    def listing_url(self, account_id: int) -> str:
        """The page that lists the account's integrations, those that need somebody first."""
        return f"{self.public_url}/accounts/{account_id}/"

    def integration_url(self, account_id: int, integration_id: int) -> str:
        """The page of an integration."""
        return f"{self.public_url}/accounts/{account_id}/integrations/{integration_id}"

    def links(self, account_id: int, member_id: int) -> Links:
        """Where every mail to a member leads."""
        return Links(
            listing=self.listing_url(account_id),
            manage=self.manage_url(account_id),
            unsubscribe=unsubscribe_url(self.public_url, member_id),
        )
