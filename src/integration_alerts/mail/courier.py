"""Who delivers: a worker with what it needs, and the threads that speak to the database for it.

Does nothing by itself; `delivering` and `lanes` do.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from integration_alerts.mail.in_hand import InHand
from integration_alerts.mail.mailers import Mailer
from integration_alerts.mail.pacing import Pace
from integration_alerts.mail.persisting import let_go_of_connection
from integration_alerts.mail.writing import Stationery


@dataclass(frozen=True, slots=True)
class Courier:
    """Who delivers: a worker, with what it needs. `stopping` says that no new mail may begin."""

    worker: UUID
    mailer: Mailer
    stationery: Stationery
    clock: Callable[[], datetime]
    stopping: Callable[[], bool]
    slots: int  # how many emails this worker sends at the same time
    in_hand: InHand
    pace: Pace = field(default_factory=Pace)


class Clerks:
    """Three threads that speak to the database for a worker's lanes, over connections they keep.

    Lanes have mail servers to attend to, and a connection costs more to get than to use. A lane
    that deals with many emails at once records their outcomes itself.
    """

    def __init__(self) -> None:
        self.claiming = ThreadPoolExecutor(1, "claiming")
        self.looking = ThreadPoolExecutor(1, "looking")
        self.recording = ThreadPoolExecutor(1, "recording")

    def await_idle(self) -> None:
        """Wait until the work that they have been given is done."""
        for clerk in (self.claiming, self.looking, self.recording):
            clerk.submit(bool).result()

    def __enter__(self) -> "Clerks":
        return self

    def __exit__(self, *exception: object) -> None:
        for clerk in (self.claiming, self.looking, self.recording):
            clerk.submit(let_go_of_connection)
            clerk.shutdown()
