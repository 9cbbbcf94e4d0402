"""Writing emails: what their letters say, fixed as bytes.

Does not decide whether they go, or which notices they carry: that is `outbox`.
"""

from collections.abc import Sequence

from msgspec import Struct

from integration_alerts.mail.gathering import Gathered, gather
from integration_alerts.mail.headers import Envelope
from integration_alerts.mail.rendering import render
from integration_alerts.mail.stationery import Draft, Stationery
from integration_alerts.mail.subjects import subject

__all__ = ["Draft", "Stationery", "Unwritable", "Written", "write_all"]


class Written(Struct, frozen=True):
    """A message, final."""

    subject: str
    message: bytes


class Unwritable(Struct, frozen=True):
    """An email cannot be written."""

    reason: str  # for people


def write_all(drafts: Sequence[Draft], stationery: Stationery) -> dict[int, Written | Unwritable]:
    """Write emails for their recipients, each as of its date; the result is by their ids.

    Call it inside the transaction in which they are claimed. One that cannot be written does not
    keep the others from it. Raises DatabaseError, which is another matter: it voids the claim.
    """
    gathered = gather(drafts, stationery)
    return {draft.id: _written(draft, gathered.get(draft.id), stationery) for draft in drafts}


def _written(draft: Draft, told: Gathered | None, stationery: Stationery) -> Written | Unwritable:
    if told is None:
        return Unwritable("there is nothing left to tell in it")
    envelope = Envelope(
        sender=stationery.sender,
        address=draft.address,
        message_id=draft.message_id,
        account_id=draft.account_id,
        earlier=told.earlier,
    )
    # A name that no header can hold, a template that fails: this email ends, the others go out.
    try:
        message = render(told.letter, envelope)
        signed = stationery.sign(message) if stationery.sign else message
        return Written(subject(told.letter), signed)
    except Exception as error:
        return Unwritable(f"{type(error).__name__}: {error}")
