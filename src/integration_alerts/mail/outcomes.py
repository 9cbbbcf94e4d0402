"""Noting what came of emails, for all lanes of a worker together; durable before anybody goes on.

Does not decide what an answer means: `outbox` does, by `rules.retry`.
"""

from collections.abc import Mapping, Sequence
from itertools import chain

from integration_alerts.directory.sharing import Shared
from integration_alerts.mail import outbox
from integration_alerts.mail.courier import Clerks, Courier
from integration_alerts.mail.models import EmailStatus
from integration_alerts.mail.outbox import Attempt
from integration_alerts.mail.persisting import persist

_MOST = 250  # attempts in a transaction
_MOMENT_SECONDS = 0.003  # others are about to have an answer: they are spared a transaction


class Outcomes:
    """Where the lanes of a worker leave their attempts."""

    def __init__(self, courier: Courier, clerks: Clerks | None) -> None:
        """`clerks`: who speaks to the database for lanes; None: each lane does so itself."""
        self._courier = courier
        # A lane that deals with many emails at once has no others to share a connection with.
        self._clerks = None if courier.mailer.many_at_once else clerks
        self._shared = Shared(
            self._record, most=_MOST, concerns_all=lambda _: True, moment=_MOMENT_SECONDS
        )

    def record(self, attempts: Sequence[Attempt]) -> Sequence[EmailStatus]:
        """Note what came of emails, together with what others note now; durable on return."""
        return self._shared.take(attempts, len(attempts))

    def _record(self, shares: Sequence[Sequence[Attempt]]) -> Sequence[Sequence[EmailStatus]]:
        courier = self._courier
        attempts = list(chain.from_iterable(shares))

        def write() -> Mapping[int, EmailStatus]:
            return persist(lambda: outbox.record(attempts, courier.worker), courier.stopping)

        clerks = self._clerks
        statuses = clerks.recording.submit(write).result() if clerks else write()
        return [[statuses[attempt.email.id] for attempt in share] for share in shares]
