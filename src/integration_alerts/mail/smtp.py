"""Hands emails to the mail server over connections that are kept open between them.

Decides nothing about retries (`rules.retry` does) and keeps no queue: each email is tried once.
"""

import re
import ssl
from collections.abc import Callable, Sequence

from integration_alerts.mail.email_url import MailServer
from integration_alerts.mail.mailers import NO_LONGER_WANTED, Parcel, Source, always, identity
from integration_alerts.mail.smtp_connection import SmtpConnection
from integration_alerts.mail.smtp_conversations import Conversations
from integration_alerts.mail.smtp_pool import QUIT_SECONDS, SmtpPool
from integration_alerts.mail.smtp_session import SessionError, SmtpSession
from integration_alerts.mail.smtp_waits import Timeouts
from integration_alerts.rules.retry import Answer, Phase

__all__ = ["SmtpMailer", "Timeouts"]

_DEFAULT_TIMEOUTS = Timeouts()


class SmtpMailer:
    """A mail server, with as many connections as were needed at once lately.

    Every method may be called by any thread and none raises for a fault of server or network.
    """

    many_at_once = True
    probes_by_sending = False

    def __init__(
        self,
        server: MailServer,
        *,
        timeouts: Timeouts = _DEFAULT_TIMEOUTS,
        idle_seconds: float = 30,
        local_hostname: str | None = None,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        """Connect to nothing yet.

        Args:
            server: Where to connect to, and the credentials.
            timeouts: How long to wait in each phase.
            idle_seconds: A connection that was idle for longer is closed, not used again.
            local_hostname: The name for EHLO; None: this host's name or address.
            tls_context: How to verify the server; None: by the system's certificate authorities.
        """
        if local_hostname is not None and not re.fullmatch(r"[!-~]+", local_hostname):
            raise ValueError("local_hostname: expected a host name or an address literal")
        self._server = server
        self._timeouts = timeouts
        self._local_hostname = local_hostname
        self._tls_context = tls_context or _verifying_context()
        self._pool = SmtpPool(idle_seconds)

    @property
    def name(self) -> str:
        """The server, and a digest of how it is used."""
        server = self._server
        return identity(server.place, server.security, server.username, server.password)

    def send(self, parcel: Parcel, still_wanted: Callable[[], bool] = always) -> Answer:
        """Try once to hand one email in.

        A kept-open connection that turns out to be dead at its first command is replaced by a
        fresh one at once: nothing of the email was sent, and the server is most likely well.
        """
        single = _Single(parcel, still_wanted)
        self.send_all(single)
        return single.answer

    def send_all(self, source: Source, at_once: int = 1) -> None:
        """Try once to hand in each email of a source, over up to so many connections."""
        Conversations(self._pool, self._connect, source, at_once).run()

    def check(self) -> Answer:
        """Open a session of its own, sign in and leave again; nothing is sent.

        All is well if the code is 2xx. The answer is about no email: judge it by its code, not by
        `rules.retry.verdict`.
        """
        try:
            session = self._open()
        except SessionError as error:
            return error.answer
        answer = session.ask(Phase.GREETING, self._timeouts.command, "NOOP")
        session.quit(QUIT_SECONDS)
        return answer

    def close(self) -> None:
        """Say goodbye on idle connections, all together within seconds.

        Connections in use are closed when their email is done; `send` still works, over a
        connection of its own each time.
        """
        self._pool.close()

    def _open(self) -> SmtpSession:
        return SmtpSession(self._server, self._timeouts, self._tls_context, self._local_hostname)

    def _connect(self) -> SmtpConnection:
        return SmtpConnection(self._open())


class _Single:
    """A source of one email."""

    def __init__(self, parcel: Parcel, wanted: Callable[[], bool]) -> None:
        self._parcel: Parcel | None = parcel
        self._wanted = wanted
        self.answer = NO_LONGER_WANTED

    def take(self) -> Parcel | None:
        taken, self._parcel = self._parcel, None
        return taken

    def at_hand(self) -> Parcel | None:
        return None

    def still_wanted(self, parcel: Parcel) -> bool:  # noqa: ARG002
        return self._wanted()

    def answered(self, answers: Sequence[tuple[Parcel, Answer]]) -> None:
        ((_, self.answer),) = answers

    def call_when_more(self, call: Callable[[], None]) -> None:
        """Never."""


def _verifying_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
