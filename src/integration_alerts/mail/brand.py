"""Whose mail it looks like: ours, or the platform's, as its account says."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Self

from integration_alerts.directory.addresses import is_address
from integration_alerts.mail.text import one_line, shorten

if TYPE_CHECKING:  # samples and their brands are made without a database
    from integration_alerts.directory.models import Account

OUR_NAME = "Integration Alerts"
OUR_COLOUR = "#1d4fd7"
WHITE, BLACK = "#ffffff", "#000000"
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_LEAST_CONTRAST = 4.5  # WCAG 2.2, success criterion 1.4.3
_LONGEST_NAME = 60
_LONGEST_LINK = 1000


@dataclass(frozen=True, slots=True)
class Brand:
    """A name, a logo and a colour that hold for one account."""

    name: str = OUR_NAME
    logo_url: str = ""
    colour: str = OUR_COLOUR
    reply_to: str = ""  # an address; empty: the sender's

    @classmethod
    def of(cls, name: str, logo_url: str, colour: str, reply_to: str) -> Self:
        """The brand of an account; ours where it has none, or none that can be used."""
        known = colour.strip().lower()
        usable = logo_url.startswith(("https://", "http://")) and len(logo_url) <= _LONGEST_LINK
        return cls(
            name=shorten(one_line(name), _LONGEST_NAME) or OUR_NAME,
            logo_url=logo_url if usable else "",
            colour=known if _COLOUR.fullmatch(known) else OUR_COLOUR,
            reply_to=reply_to if _for_any_server(reply_to) else "",
        )

    @classmethod
    def of_account(cls, account: "Account") -> Self:
        """The brand that an account's mails have."""
        return cls.of(account.brand_name, account.logo_url, account.brand_colour, account.reply_to)

    @property
    def is_ours(self) -> bool:
        """Whether the colour is ours, for which dark mode has a counterpart."""
        return self.colour == OUR_COLOUR

    @property
    def text_colour(self) -> str:
        """White or black, whichever can be read on the colour; one of them always can."""
        return WHITE if contrast(self.colour, WHITE) >= _LEAST_CONTRAST else BLACK


def _for_any_server(address: str) -> bool:
    """Whether it can stand in a mail to a server without SMTPUTF8 (RFC 6531)."""
    return is_address(address) and address.rpartition("@")[0].isascii()


@lru_cache(maxsize=1024)
def contrast(one: str, other: str) -> float:
    """The contrast of two colours `#rrggbb`, from 1 to 21 (WCAG 2.2, contrast ratio)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
