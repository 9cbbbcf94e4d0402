"""Pruning by policy: what is over for longer than it is kept goes, a little at a time.

Each batch is a short transaction that finds its rows by an index, goes on at a bookmark, and takes
no lock that reports or mails wait for; the pauses between batches leave the database to others. Any
number may prune at once: an advisory lock lets their batches take turns. `rules.retention` decides
what may go, the layers that own the tables delete it.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from django.db import DatabaseError, connection, transaction

from integration_alerts.alerts import pruning as notices
from integration_alerts.configuration import Configuration
from integration_alerts.directory.walking import BEGINNING, Place, Stretch
from integration_alerts.engine.models import Bookmark
from integration_alerts.integrations import pruning as history
from integration_alerts.mail import pruning as mails
from integration_alerts.rules.retention import (
    Horizons,
    IncidentFacts,
    Policy,
    horizons,
    incident_stays,
)

BATCH = 1000
SHARE = 0.25
"""Of the time, how much a worker prunes while there is much to prune."""
SECONDS_A_RUN = 45
AGAIN_AFTER = timedelta(days=1)
_LOCK = 4202  # an advisory lock of this module
_BLINK_SECONDS = 0.2

logger = logging.getLogger(__name__)


class Step(Protocol):
    """Goes on from a place, over so many rows; `dry` only counts."""

    def __call__(self, place: Place, *, limit: int, dry: bool) -> Stretch:
        """One batch."""


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk over one table, from its oldest rows to the horizon."""

    name: str
    horizon: datetime
    step: Step
    again: bool = False
    """Whether it begins anew every day, for the rows that it had to leave behind."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What one batch did; `done` is the part of all walks that lies behind, 0 to 1."""

    pruned: Mapping[str, int]
    done: float


@dataclass(slots=True)
class _Journey:
    """How far a walk has come on its way through time, 0 to 1."""

    end: datetime
    begin: datetime | None = None
    done: float = 0

    def pass_by(self, stretch: Stretch) -> None:
        self.begin = self.begin or stretch.place.at
        whole = (self.end - self.begin).total_seconds()
        behind = (stretch.place.at - self.begin).total_seconds()
        self.done = 1 if stretch.ended or whole <= 0 else behind / whole


def policy(settings: Configuration) -> Policy:
    """The policy that the settings ask for."""
    return Policy(
        history=timedelta(days=settings.keep_history),
        emails=timedelta(days=settings.keep_emails),
        messages=timedelta(days=settings.keep_messages),
        receipts=timedelta(days=settings.keep_receipts),
    )


def prune_for_a_while(policy_: Policy, now: datetime, stopping: Callable[[], bool]) -> Counter[str]:
    """Prune until nothing is left, the worker stops, or the next run is near; with pauses."""
    pruned: Counter[str] = Counter()
    deadline = time.monotonic() + SECONDS_A_RUN
    began = time.monotonic()
    for progress in prune(policy_, now):
        pruned.update(progress.pruned)
        _rest((time.monotonic() - began) * (1 / SHARE - 1), stopping)
        began = time.monotonic()
        if stopping() or began > deadline:
            break
    if pruned := +pruned:
        logger.info("pruned %s", in_words(pruned))
    return pruned


def prune(
    policy_: Policy, now: datetime, *, dry: bool = False, afresh: bool = False
) -> Iterator[Progress]:
    """Prune batch by batch, every kind of row in turn, until nothing is left.

    `dry` only counts what would go; `afresh` looks again at what was left behind today.
    """
    walks = _walks(horizons(policy_, now), now)
    journeys = {walk.name: _Journey(walk.horizon) for walk in walks}
    places = {walk.name: BEGINNING for walk in walks}  # of a dry run
    while walks:
        for walk in list(walks):
            try:
                stretch = _dry_batch(walk, places) if dry else _batch(walk, now, afresh=afresh)
            except DatabaseError as error:  # the other walks go on
                logger.warning("pruning stopped at %s: %s", walk.name, str(error).strip())
                walks.remove(walk)
                continue
            if stretch.ended:
                walks.remove(walk)
            journeys[walk.name].pass_by(stretch)
            done = sum(journey.done for journey in journeys.values()) / len(journeys)
            yield Progress(stretch.pruned, done)
        afresh = False


def in_words(pruned: Mapping[str, int]) -> str:
    """`1,204 state changes, 3 mails`: what went."""
    return ", ".join(f"{count:,} {what}" for what, count in pruned.items()) or "nothing"


def _walks(until: Horizons, now: datetime) -> list[Walk]:
    emails = partial(mails.prune_emails, horizon=until.emails, now=now)
    return [
        Walk("messages", until.messages, partial(mails.prune_messages, horizon=until.messages)),
        Walk("emails", until.emails, emails, again=True),
        Walk("incidents", until.incidents, partial(_prune_incidents, until=until), again=True),
        Walk("changes", until.changes, partial(history.prune_changes, horizon=until.changes)),
        Walk("receipts", until.receipts, partial(history.prune_receipts, horizon=until.receipts)),
        Walk("inbox", until.messages, partial(mails.prune_inbox, horizon=until.messages)),
    ]


def _batch(walk: Walk, now: datetime, *, afresh: bool) -> Stretch:
    """One batch of one walk, from its bookmark on."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            # What a crash would bring back goes again: no batch waits for the disk.
            cursor.execute(_TAKE_TURN, [_LOCK])
        mark = Bookmark.objects.filter(walk=walk.name).first() or Bookmark(
            walk=walk.name, at=BEGINNING.at, last_id=BEGINNING.id, begun_at=now
        )
        before = (mark.at, mark.last_id, mark.begun_at)
        if walk.again and (afresh or now - mark.begun_at >= AGAIN_AFTER):
            mark.at, mark.last_id, mark.begun_at = BEGINNING.at, BEGINNING.id, now
        stretch = walk.step(Place(mark.at, mark.last_id), limit=BATCH, dry=False)
        mark.at, mark.last_id = stretch.place.at, stretch.place.id
        if before != (mark.at, mark.last_id, mark.begun_at):
            mark.save()
    return stretch


def _dry_batch(walk: Walk, places: dict[str, Place]) -> Stretch:
    """The same without deleting, from the place in `places` on, where the next is put."""
    with transaction.atomic():
        stretch = walk.step(places[walk.name], limit=BATCH, dry=True)
    places[walk.name] = stretch.place
    return stretch


def _prune_incidents(place: Place, *, until: Horizons, limit: int, dry: bool) -> Stretch:
    """Delete closed incidents of before the horizon with their notices, where no mail is left."""
    found = history.closed_incidents(place, until.incidents, limit)
    if not found:
        return Stretch(place, ended=True)
    ids = [incident.id for incident in found]
    waiting = notices.waiting(ids)
    told = mails.told_of(ids, going=until.emails if dry else None)
    gone = [
        each.id
        for each in found
        if incident_stays(
            IncidentFacts(each.closed_at, each.at_work or each.id in waiting, each.id in told),
            until.incidents,
        )
        is None
    ]
    if gone and not dry:
        notices.delete_notices(gone)
        history.delete_incidents(gone)
    last = Place(found[-1].closed_at, found[-1].id)
    return Stretch(last, len(found) < limit, {"incidents": len(gone)})


def _rest(seconds: float, stopping: Callable[[], bool]) -> None:
    """Wait, but no longer than until the worker is told to stop."""
    end = time.monotonic() + seconds
    while not stopping() and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, _BLINK_SECONDS))


_TAKE_TURN = """
SELECT pg_advisory_xact_lock(%s), set_config('synchronous_commit', 'off', true)"""
