"""Keeps the pace of sending (MAIL_RATE, MAIL_RATE_PER_DOMAIN), shared by all workers through rows.

`rules.pace` decides; this fetches the lanes, locks them for a moment, and puts each mail that must
wait at the time of its turn. So a mail in a long line is looked at twice: when it joins the line
and when its turn has come. Without a limit nothing here touches the database.
"""

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Min

from integration_alerts.directory.columns import columns
from integration_alerts.mail.models import Email, EmailStatus, SendingPace
from integration_alerts.mail.outbox import Claimed
from integration_alerts.rules.pace import Lane, Outcome, Rate, Waiting, admit

MAILER = "mailer"
ANY_DOMAIN = "*"
_LINE = "line "  # before a lane's name: where its line ends
_FORGET = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pace:
    """The limits that the settings ask for, in mails a second; nothing set: no limit."""

    mailer: float | None = None
    domains: Mapping[str, float] = field(default_factory=dict)
    watch: threading.Lock = field(default_factory=threading.Lock, compare=False)
    """Held by the one thread of a worker that waits for the next turn."""

    @property
    def limited(self) -> bool:
        """Whether there is any limit."""
        return self.mailer is not None or bool(self.domains)

    def lanes(self, address: str) -> dict[str, Rate]:
        """The lanes that a mail to this address needs."""
        lanes = {} if self.mailer is None else {MAILER: Rate(self.mailer)}
        domain = address.rpartition("@")[2].lower()
        per_second = self.domains.get(domain, self.domains.get(ANY_DOMAIN))
        if per_second is not None:
            lanes[f"@{domain}"] = Rate(per_second)
        return lanes


def hold_back(
    pace: Pace, emails: Sequence[Claimed], worker: UUID, now: datetime
) -> tuple[list[Claimed], list[Claimed]]:
    """Part claimed emails into those that go now, and those given back until their turn."""
    if not pace.limited:
        return list(emails), []
    with transaction.atomic():
        outcome = take_turns(pace, {_place(email.id): email.address for email in emails}, now)
        waiting = [email for email in emails if _place(email.id) in outcome.places]
        turns = [(email.id, outcome.places[_place(email.id)]) for email in waiting]
        if turns:
            with connection.cursor() as cursor:
                cursor.execute(_GIVE_BACK, [*columns(turns, 2), worker])
    return [email for email in emails if _place(email.id) in outcome.going], waiting


def take_turns(pace: Pace, mails: Mapping[str, str], now: datetime) -> Outcome:
    """Ask for mails, named by any key and their address, in their order; call in a transaction."""
    needed = {key: pace.lanes(address) for key, address in mails.items()}
    rates = {name: rate for lanes in needed.values() for name, rate in lanes.items()}
    if not rates:
        return Outcome(frozenset(mails), {}, {})
    before = _lock(rates, now)
    had_place = _give_up_places(mails)
    outcome = admit(
        [Waiting(key, tuple(lanes), key in had_place) for key, lanes in needed.items()],
        before,
        rates,
        now,
    )
    changed = {name: lane for name, lane in outcome.lanes.items() if lane != before[name]}
    _write(
        [(name, lane.free_at) for name, lane in changed.items()]
        + [(_LINE + name, lane.line_ends_at) for name, lane in changed.items()]
        + list(outcome.places.items())
    )
    return outcome


def keep_places(pace: Pace, email_ids: Iterable[int], now: datetime) -> None:
    """Note that these need not join the end of the line again: they were given back unsent."""
    if pace.limited:
        _write([(_place(email_id), now) for email_id in email_ids])


def next_turn(now: datetime) -> datetime | None:
    """When the next queued email is due after now; None: nothing is queued for later."""
    queued = Email.objects.filter(status=EmailStatus.QUEUED.value, next_attempt_at__gt=now)
    found: datetime | None = queued.aggregate(next=Min("next_attempt_at"))["next"]
    return found


def forget_old(now: datetime) -> None:
    """Delete lanes and places that nothing depends on any more."""
    SendingPace.objects.filter(free_at__lt=now - _FORGET).delete()


def _place(email_id: int) -> str:
    return f"email {email_id}"


def _lock(rates: Collection[str], now: datetime) -> dict[str, Lane]:
    """The lanes as they stand, locked until the transaction ends; new ones are free."""
    names = sorted(rates)
    rows = [(name, now) for name in names] + [(_LINE + name, now) for name in names]
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, columns(rows, 2))
        stored = dict(cursor.fetchall())
    return {name: Lane(stored[name], stored[_LINE + name]) for name in names}


def _give_up_places(keys: Iterable[str]) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_UP_PLACES, [list(keys)])
        return {lane for (lane,) in cursor.fetchall()}


def _write(rows: Sequence[tuple[str, datetime]]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_WRITE, columns(sorted(rows), 2))


# In the order of the names, so that two workers never wait for each other in a circle.
_LOCK = """
INSERT INTO sending_pace (lane, free_at)
SELECT * FROM unnest(%s::text[], %s::timestamptz[]) AS batch (lane, free_at) ORDER BY lane
ON CONFLICT (lane) DO UPDATE SET free_at = sending_pace.free_at
RETURNING lane, free_at"""

_GIVE_UP_PLACES = "DELETE FROM sending_pace WHERE lane = ANY(%s) RETURNING lane"

_WRITE = """
INSERT INTO sending_pace (lane, free_at)
SELECT * FROM unnest(%s::text[], %s::timestamptz[]) AS batch (lane, free_at) ORDER BY lane
ON CONFLICT (lane) DO UPDATE SET free_at = excluded.free_at"""

_GIVE_BACK = """
UPDATE email SET status = 'queued', claimed_by = NULL, next_attempt_at = batch.turn
FROM unnest(%s::bigint[], %s::timestamptz[]) AS batch (id, turn)
WHERE email.id = batch.id AND email.claimed_by = %s"""
