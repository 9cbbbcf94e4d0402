"""Returned mails of real servers' formats, about an email of ours."""

from pathlib import Path

from integration_alerts.mail.models import Email
from integration_alerts.mail.return_path import return_path

BOUNCE_ADDRESS = "bounces@alerts.example"
SAMPLES = Path(__file__).parent / "data" / "bounces"


def signed(email: Email) -> str:
    """The return path of an email."""
    return return_path(email.pk, BOUNCE_ADDRESS)


def returned(sample: str, address: str) -> bytes:
    """A sample as it comes to this address."""
    return (SAMPLES / f"{sample}.eml").read_bytes().replace(b"RETURN_PATH", address.encode())
