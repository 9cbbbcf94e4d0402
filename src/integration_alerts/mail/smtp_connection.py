"""Hands emails in over one SMTP session, one after the other, and keeps it fit for the next.

Judges nothing: `rules.retry` says what an answer means, and `mail.smtp` which connection to use.
"""

from integration_alerts.mail.smtp_envelope import AddressError, Envelope
from integration_alerts.mail.smtp_session import SmtpSession, kind
from integration_alerts.rules.retry import Answer, Phase

_LAST_WORDS_SECONDS = 1.0
_SERVICE_CLOSING = 421


class SmtpConnection:
    """An open session and whether it can be used again. Not for two threads at once."""

    def __init__(self, session: SmtpSession) -> None:
        self._session = session
        self._timeouts = session.timeouts
        self.usable = True
        """Whether another email can be sent over this connection."""

    def send(self, envelope: Envelope, data: bytes) -> Answer:
        """Hand one email in; `data` is what `as_smtp_data` returned."""
        smtputf8 = not envelope.is_ascii and self._session.offers("smtputf8")
        if not smtputf8:
            try:
                envelope = envelope.in_ascii()
            except AddressError as error:
                return error.answer
        self.usable = False  # until the email is done, whatever happens
        answer = self._transact(envelope, data, smtputf8=smtputf8)
        self.usable = self._ready_again(answer)
        return answer

    def quit(self, seconds: float) -> None:
        """Close the connection, with a goodbye if the server is listening for one."""
        if self.usable:
            self._session.quit(seconds)
        else:
            self._session.close()
        self.usable = False

    def _transact(self, envelope: Envelope, data: bytes, *, smtputf8: bool) -> Answer:
        seconds = self._timeouts.command
        sender = f"FROM:<{envelope.sender}>{self._parameters(data, smtputf8=smtputf8)}"
        answer = self._session.ask(Phase.SENDER, seconds, "MAIL", sender)
        if kind(answer) != 2:
            return answer
        answer = self._session.ask(Phase.RECIPIENT, seconds, "RCPT", f"TO:<{envelope.recipient}>")
        if kind(answer) != 2:
            return answer
        answer = self._session.ask(Phase.DATA, self._timeouts.data, "DATA")
        if kind(answer) != 3:
            return answer
        return self._send_body(data)

    def _parameters(self, data: bytes, *, smtputf8: bool) -> str:
        parameters = ""
        if self._session.offers("size"):
            # A server that finds the email too large says so before it is sent (RFC 1870).
            parameters += f" SIZE={len(data)}"
        if (smtputf8 or not data.isascii()) and self._session.offers("8bitmime"):
            parameters += " BODY=8BITMIME"
        return f"{parameters} SMTPUTF8" if smtputf8 else parameters

    def _send_body(self, data: bytes) -> Answer:
        # The final dot is sent last: when sending fails, the server cannot have accepted.
        failed = self._session.tell(Phase.DATA, self._timeouts.data, data)
        if failed is None:
            return self._session.hear(Phase.ACCEPTANCE, self._timeouts.acceptance)
        # A server that had enough of a body says why before it closes the connection.
        last_words = self._session.hear(Phase.DATA, _LAST_WORDS_SECONDS)
        self._session.close()
        return last_words if kind(last_words) in (4, 5) else failed

    def _ready_again(self, answer: Answer) -> bool:
        """Clear up after an email; False, with the connection closed, if it is no longer fit."""
        fit = kind(answer) == 2 and answer.phase is Phase.ACCEPTANCE
        if kind(answer) in (4, 5) and answer.code != _SERVICE_CLOSING:
            fit = kind(self._session.ask(answer.phase, self._timeouts.command, "RSET")) == 2
        if not (fit and self._session.in_step):
            self._session.close()
            return False
        return True


def was_dead(answer: Answer) -> bool:
    """Whether a connection was no longer there for an email: it failed at the first command."""
    return answer.phase is Phase.SENDER and answer.code in (None, _SERVICE_CLOSING)
