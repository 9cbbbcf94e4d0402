"""When the notices for one recipient go together in one mail (SPEC R22).

Says nothing about who is a recipient, and nothing about retries of a mail once it is written.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Rhythm:
    """An account's settings; zero means at once."""

    wait: timedelta
    """How long the first notice waits for others."""
    interval: timedelta
    """How far apart a recipient's mails are, from the writing of one to that of the next."""


def goes_at(arrived_at: datetime, last_mail_at: datetime | None, rhythm: Rhythm) -> datetime:
    """When the group goes that is opened by a notice which arrives now.

    `last_mail_at` is when the recipient's latest mail was written; None: there is none yet. A
    notice soon after it belongs to the next beat; after a silence the wait begins anew.
    """
    if last_mail_at is not None and (beat := last_mail_at + rhythm.interval) > arrived_at:
        return beat
    return arrived_at + rhythm.wait
