"""Signs mails by DKIM (RFC 6376), for installations that send without a server that does.

Needs the extra `dkim`. Signed once, when the bytes are fixed: a repeated attempt is a copy (R24).
"""

from collections.abc import Callable
from email import message_from_bytes
from email.policy import compat32

from integration_alerts.mail.dkim_key import DkimError, DkimKey

# What a reader or a mail program goes by; RFC 8058 section 4 asks for the List-Unsubscribe ones.
_SIGNED = (
    "From", "Reply-To", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References",
    "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Auto-Submitted", "List-Id",
    "List-Unsubscribe", "List-Unsubscribe-Post",
)  # fmt: skip
# Named once more than they occur, so that nobody can add another (RFC 6376 section 8.15).
_SEALED = ("From", "To", "Subject", "Date", "Reply-To", "Message-ID")


def signer(key: DkimKey) -> Callable[[bytes], bytes]:
    """What puts a signature before a message. Raises DkimError if the key cannot sign."""
    try:
        import dkim
    except ImportError:
        raise DkimError(
            "signing needs the extra 'dkim'; run: pip install 'integration-alerts[dkim]'"
        ) from None

    def sign(message: bytes) -> bytes:
        present = {name.lower() for name in message_from_bytes(message, policy=compat32)}
        fields = [name for name in _SIGNED if name.lower() in present]
        signature: bytes = dkim.sign(
            message,
            key.selector.encode("ascii"),
            key.domain.encode("ascii"),
            key.private,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=[name.encode("ascii") for name in (*fields, *_SEALED)],
            signature_algorithm=key.algorithm.encode("ascii"),
        )
        return signature + message

    try:
        sign(b"From: <a@example.com>\r\n\r\nA trial.\r\n")
    except Exception as error:
        raise DkimError(f"the key cannot sign: {type(error).__name__}") from None
    return sign
