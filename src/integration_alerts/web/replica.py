"""Reading pages from a streaming replica of the database, where there is one.

Only what a page shows comes from it. Who looks, and what they may see, is asked of the primary,
before (`viewer`). A page never fails because of the replica, and never shows anybody a state from
before their own last change, or from more than LONGEST_LAG_SECONDS ago.
"""

import functools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, cast

from django.core.exceptions import MiddlewareNotUsed
from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import Http404, HttpRequest, HttpResponse

from integration_alerts.web.viewer import Viewer

ALIAS = "replica"
LONGEST_LAG_SECONDS = 5
WRITTEN_COOKIE = "written"  # the place in the WAL that holds this browser's last change
_LOOK_SECONDS = 1  # how often its place is asked for
_REST_SECONDS = 5  # how long a replica that failed is left alone
_NEVER_REACHED = 10**18
_SAFE = ("GET", "HEAD")

Rest = ParamSpec("Rest")
MemberView = Callable[Concatenate[HttpRequest, Viewer, Rest], HttpResponse]
logger = logging.getLogger(__name__)


class Place:
    """How far the replica is, as this process knows it; asked for at most once a second.

    Without clocks that would have to agree: the primary's place in the WAL is noted when it is
    asked for, and the replica counts as recent once it has reached a place that was noted within
    LONGEST_LAG_SECONDS.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: deque[tuple[float, int]] = deque(maxlen=LONGEST_LAG_SECONDS + 1)
        self._reached = 0
        self._next_look = 0.0

    def usable(self, written: int) -> bool:
        """Whether the replica is recent and has everything up to the place `written`."""
        # One thread asks; the others go by what is known.
        if time.monotonic() >= self._next_look and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._lock.release()
        oldest = self._oldest_recent(time.monotonic())
        return oldest is not None and self._reached >= max(oldest, written)

    def rest(self) -> None:
        """Leave a replica that failed alone for a while."""
        self._reached = 0
        self._next_look = time.monotonic() + _REST_SECONDS

    def _look(self) -> None:
        self._noted.append((time.monotonic(), written_until()))
        try:
            with connections[ALIAS].cursor() as cursor:
                cursor.execute(_REACHED)
                (reached,) = cursor.fetchone()
        except Error as error:
            logger.warning("no page is read from the replica: %s", str(error).strip())
            self.rest()
            return
        self._reached = int(reached or 0)
        self._next_look = time.monotonic() + _LOOK_SECONDS

    def _oldest_recent(self, now: float) -> int | None:
        recent = (place for at, place in list(self._noted) if now - at <= LONGEST_LAG_SECONDS)
        return next(recent, None)


place = Place()


def from_replica(view: MemberView[Rest]) -> MemberView[Rest]:
    """Read what a page shows from the replica, if it may be; the page must only read.

    What the replica does not have, and whatever goes wrong with it, is asked of the primary.
    """

    @functools.wraps(view)
    def reading(
        request: HttpRequest, viewer: Viewer, *args: Rest.args, **kwargs: Rest.kwargs
    ) -> HttpResponse:
        if ALIAS in connections and request.method in _SAFE and place.usable(_written(request)):
            try:
                with _the_replica():
                    return view(request, viewer, *args, **kwargs)
            except Http404:
                pass  # it may be too new
            except Error as error:
                logger.warning("a page is read from the primary: %s", str(error).strip())
                place.rest()
        return view(request, viewer, *args, **kwargs)

    return cast("MemberView[Rest]", reading)


class NoteWrites:
    """A middleware: tells a browser that changed something how far a replica must be for it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if ALIAS not in connections:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        response = self.get_response(request)
        if request.method not in _SAFE and "Authorization" not in request.headers:
            try:
                written = written_until()
            except Error:
                written = _NEVER_REACHED
            # Later no replica that is used at all can be without it.
            response.set_cookie(
                WRITTEN_COOKIE, str(written), max_age=2 * LONGEST_LAG_SECONDS, httponly=True,
                samesite="Lax",
            )  # fmt: skip
        return response


def written_until() -> int:
    """The place in the primary's WAL up to which everything is written that was committed."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_flush_lsn() - '0/0'")
        return int(cursor.fetchone()[0])


@contextmanager
def _the_replica() -> Iterator[BaseDatabaseWrapper]:
    """This thread's default database is the replica while the block runs.

    A router would see the ORM alone; this holds for SQL that is written out as well. It can write
    nothing there: PostgreSQL refuses it.
    """
    primary = connections["default"]
    connections["default"] = connections[ALIAS]
    try:
        yield connections[ALIAS]
    finally:
        connections["default"] = primary


def _written(request: HttpRequest) -> int:
    text = request.COOKIES.get(WRITTEN_COOKIE, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


# A replica that was promoted is none any more: it has a life of its own.
_REACHED = """
SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() - '0/0' END"""
