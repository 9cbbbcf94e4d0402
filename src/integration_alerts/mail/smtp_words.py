"""Words for people about what a server said or what went wrong: one short line, no secrets."""

import socket
import ssl
from collections.abc import Iterable

_LONGEST_TEXT = 500


def one_line(text: str, secrets: Iterable[str] = ()) -> str:
    """Make any text fit for a log line and a page: no secret, no control character, not long."""
    for secret in secrets:
        text = text.replace(secret, "***")
    text = " ".join(text.split())
    if not text.isprintable():
        text = "".join(
            character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
            for character in text
        )
    return text[:_LONGEST_TEXT]


def describe(fault: Exception, seconds: float) -> str:
    """Say what went wrong in an exchange that was given this many seconds."""
    match fault:
        case TimeoutError():
            return f"no answer within {seconds:g} seconds"
        case ssl.SSLCertVerificationError():
            return f"the server's certificate is not trusted: {fault.verify_message}"
        case ssl.SSLError():
            return f"TLS failed: {fault.reason or fault}"
        case socket.gaierror():
            return f"the host name cannot be resolved: {fault.strerror}"
        case OSError(strerror=str(words)):
            return words
        case _:
            return str(fault)
