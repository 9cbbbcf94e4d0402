"""Reads the private key that signs mails (DKIM, RFC 6376): a file in PEM, RSA or Ed25519.

Signs nothing: `dkim_signing` does, and asks for a library of its own.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from pathlib import Path

_PEM = re.compile(
    rb"\s*-----BEGIN (RSA )?PRIVATE KEY-----\s+(?P<body>[A-Za-z0-9+/=\s]+)"
    rb"-----END (RSA )?PRIVATE KEY-----\s*"
)
# PKCS #8 for Ed25519 is this and the 32 bytes of the seed (RFC 8410 section 7).
_ED25519 = bytes.fromhex("302e020100300506032b657004220420")
_RSA_OID = bytes.fromhex("06092a864886f70d010101")
_SHORTEST_RSA = 550  # bytes in DER: 1024 bits; receivers take nothing shorter (RFC 8301)


class DkimError(Exception):
    """The key cannot be used; the message is one line without any part of it."""


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A private key, and where its public half is found."""

    domain: str
    selector: str
    algorithm: str
    """As the signature names it: `rsa-sha256` or `ed25519-sha256`."""
    private: bytes = field(repr=False)
    """As the library wants it: PEM for RSA, the seed in base64 for Ed25519."""


def read_key(path: Path, domain: str, selector: str) -> DkimKey:
    """Read the file, or raise DkimError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DkimError(f"cannot read {path} ({error.strerror})") from None
    found = _PEM.fullmatch(content)
    try:
        key = b"" if found is None else base64.b64decode(b"".join(found["body"].split()))
    except binascii.Error:
        key = b""
    if key.startswith(_ED25519) and len(key) == len(_ED25519) + 32:
        seed = base64.b64encode(key[len(_ED25519) :])
        return DkimKey(domain, selector, "ed25519-sha256", seed)
    is_rsa = found is not None and (found[1] is not None or _RSA_OID in key[:40])
    if not is_rsa or not key.startswith(b"\x30"):
        raise DkimError(
            f"{path} holds no private key in PEM (RSA or Ed25519, without a passphrase)"
        )
    if len(key) < _SHORTEST_RSA:
        raise DkimError(f"the RSA key in {path} is too short; take 2048 bits")
    return DkimKey(domain, selector, "rsa-sha256", content.strip() + b"\n")
