"""What the pages of the samples say: when mails go together, and whose brand they have."""

from collections.abc import Iterator

from integration_alerts.mail.brand import Brand
from integration_alerts.web.letter_frame import may_load
from integration_alerts.web.wording import count

_UNITS = ((3600, "hour"), (60, "minute"), (1, "second"))


def grouping(wait: int, interval: int) -> str:
    """How an account's mails go together (R22); both in seconds."""
    if not wait and not interval:
        return "Every mail goes at once and waits for no others."
    first = f"waits {_duration(wait)} for others" if wait else "goes at once"
    later = f"go together every {_duration(interval)}" if interval else "do the same"
    return f"The first mail {first}; later ones {later}."


def brand(brand: Brand) -> Iterator[tuple[str, str]]:
    """The parts of a brand that mails are made with."""
    yield "Name", brand.name
    yield "Logo", brand.logo_url or "none: the name stands there"
    yield "Colour", brand.colour
    yield "Answers go to", brand.reply_to or "the sender's address"


def logo(brand: Brand) -> str:
    """Why the frame does not show the logo, if so."""
    if not brand.logo_url or may_load(brand.logo_url):
        return ""
    return (
        "The logo is not loaded here: its address does not begin with https:// or has letters "
        "that a page cannot allow. Mail programs that block pictures show its name, as here."
    )


def _duration(seconds: int) -> str:
    """Whole hours or minutes where it is some: "5 minutes", but "90 seconds"."""
    unit, name = next((unit, name) for unit, name in _UNITS if seconds % unit == 0)
    return count(seconds // unit, name)
