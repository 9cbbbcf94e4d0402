"""Hands emails to the mail server over connections that are kept open between them.

Decides nothing about retries (`rules.retry` does) and keeps no queue: each email is tried once.
"""

import re
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from integration_alerts.mail.email_url import MailServer
from integration_alerts.mail.mailers import NO_LONGER_WANTED, Parcel, Source, always, identity
from integration_alerts.mail.smtp_connection import SmtpConnection, Unsent
from integration_alerts.mail.smtp_envelope import AddressError, Outgoing
from integration_alerts.mail.smtp_session import SessionError, SmtpSession, Timeouts
from integration_alerts.rules.retry import Answer, Phase

__all__ = ["SmtpMailer", "Timeouts"]

_DEFAULT_TIMEOUTS = Timeouts()
_QUIT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _Idle:
    connection: SmtpConnection
    since: float


class SmtpMailer:
    """A mail server, with as many connections as threads were sending at once lately.

    Every method may be called by any thread and none raises for a fault of server or network.
    """

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
        self._idle_seconds = idle_seconds
        self._local_hostname = local_hostname
        self._tls_context = tls_context or _verifying_context()
        self._lock = threading.Lock()
        self._idle: list[_Idle] = []  # the last used one at the end
        self._closed = False

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

    def send_all(self, source: Source) -> None:
        """Try once to hand in each email of a source, over one connection after the other."""
        mails = _Checked(source)
        mail, only_fresh = mails.take(), False
        while mail is not None:
            connection = None if only_fresh else self._take_idle()
            try:
                connection = connection or self._fresh(mail, mails)
            except SessionError as error:
                mails.answered(mail, error.answer)
                mail, only_fresh = mails.take(), False
                continue
            unsent = self._send_over(connection, mail, mails) if connection else None
            if unsent is None:
                mail, only_fresh = mails.take(), False
            elif connection is not None and connection.emails:
                mail, only_fresh = unsent.mail, True
            else:
                mails.answered(unsent.mail, unsent.answer)
                mail, only_fresh = mails.take(), False

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
        session.quit(_QUIT_SECONDS)
        return answer

    def close(self) -> None:
        """Say goodbye on idle connections, all together within seconds.

        Connections in use are closed when their email is done; `send` still works, over a
        connection of its own each time.
        """
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        _quit_all(idle)

    def _open(self) -> SmtpSession:
        return SmtpSession(self._server, self._timeouts, self._tls_context, self._local_hostname)

    def _fresh(self, mail: Outgoing, mails: "_Checked") -> SmtpConnection | None:
        """A new connection; None if the email is no longer wanted, for opening takes its time."""
        fresh = SmtpConnection(self._open())
        # Greeting, TLS and sign-in may have taken minutes.
        if mails.still_wanted(mail):
            return fresh
        self._give_back(fresh)
        return None

    def _send_over(
        self, connection: SmtpConnection, mail: Outgoing, mails: "_Checked"
    ) -> Unsent | None:
        try:
            return connection.send_all(mail, mails)
        finally:
            self._give_back(connection)

    def _take_idle(self) -> SmtpConnection | None:
        """The connection used last, so that surplus ones grow old at the other end of the list."""
        with self._lock:
            expired = self._remove_expired()
            taken = self._idle.pop().connection if self._idle else None
        _quit_all(expired)
        return taken

    def _give_back(self, connection: SmtpConnection) -> None:
        with self._lock:
            leaving = self._remove_expired()
            returned = _Idle(connection, since=time.monotonic())
            if connection.usable and not self._closed:
                self._idle.append(returned)
            else:
                leaving.append(returned)
        _quit_all(leaving)

    def _remove_expired(self) -> list[_Idle]:
        oldest = time.monotonic() - self._idle_seconds
        expired = [idle for idle in self._idle if idle.since < oldest]
        del self._idle[: len(expired)]  # the list is in the order of `since`
        return expired


class _Checked:
    """A source of emails whose addresses can stand on the wire; the others have their answer."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def take(self) -> Outgoing | None:
        return self._first_of(self._source.take)

    def at_hand(self) -> Outgoing | None:
        return self._first_of(self._source.at_hand)

    def _first_of(self, take: Callable[[], Parcel | None]) -> Outgoing | None:
        while (parcel := take()) is not None:
            try:
                return Outgoing.of(parcel)
            except AddressError as error:
                self._source.answered(parcel, error.answer)
        return None

    def still_wanted(self, mail: Outgoing) -> bool:
        return self._source.still_wanted(mail.parcel)

    def answered(self, mail: Outgoing, answer: Answer) -> None:
        self._source.answered(mail.parcel, answer)


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

    def answered(self, parcel: Parcel, answer: Answer) -> None:  # noqa: ARG002
        self.answer = answer


def _quit_all(idle: list[_Idle]) -> None:
    """Say goodbye one after the other, within one time limit for all of them."""
    deadline = time.monotonic() + _QUIT_SECONDS
    for each in idle:
        each.connection.quit(max(deadline - time.monotonic(), 0))


def _verifying_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
