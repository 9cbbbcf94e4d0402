"""The samples of one account, or of none: every kind of mail, written as real mails are written.

They hold nothing of the account but its brand and its time zone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from functools import cached_property

from django.conf import settings
from django.utils.text import slugify
from msgspec.structs import replace

from integration_alerts.directory.models import Account
from integration_alerts.engine.equipment import stationery_for
from integration_alerts.mail.brand import Brand
from integration_alerts.mail.headers import Envelope
from integration_alerts.mail.letters import Letter
from integration_alerts.mail.reading import part
from integration_alerts.mail.rendering import render
from integration_alerts.mail.samples import samples
from integration_alerts.mail.subjects import subject

_READER = "max.fischer@lantern.example"  # whom the samples greet
_OF_NO_ACCOUNT = 1


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of mail, as a list has it."""

    slug: str
    name: str
    subject: str


@dataclass(frozen=True, slots=True)
class SampleMail:
    """A sample as a mail program reads it."""

    message: bytes
    text: str
    html: str


@dataclass(frozen=True)
class Gallery:
    """Every kind of mail as one account sends it."""

    account: Account | None

    @cached_property
    def brand(self) -> Brand:
        """The account's brand; without an account, ours."""
        return Brand() if self.account is None else Brand.of_account(self.account)

    @cached_property
    def kinds(self) -> list[Kind]:
        """Every kind, in the order in which one would look at them."""
        return [
            Kind(slugify(name), f"{name[0].upper()}{name[1:]}", subject(letter))
            for name, letter in self._letters.items()
        ]

    def written(self, kind: Kind) -> SampleMail:
        """The sample of one of the kinds."""
        stationery = stationery_for(settings.CONFIGURATION)
        envelope = Envelope(
            sender=stationery.sender,
            address=_READER,
            message_id=f"<sample@{stationery.message_id_domain}>",
            account_id=_OF_NO_ACCOUNT if self.account is None else self.account.pk,
        )
        (letter,) = (each for name, each in self._letters.items() if slugify(name) == kind.slug)
        message = render(letter, envelope)
        parsed = message_from_bytes(message, policy=default)
        return SampleMail(message, part(parsed, "plain"), part(parsed, "html"))

    @cached_property
    def _letters(self) -> Mapping[str, Letter]:
        letters = samples(self.brand)
        if self.account is None:
            return letters
        zone = self.account.time_zone
        return {name: replace(each, time_zone=zone) for name, each in letters.items()}
