"""Reading a message as a mail program does."""

from email.message import EmailMessage


def part(message: EmailMessage, subtype: str) -> str:
    """The body part `plain` or `html` as text; empty where there is none."""
    found = message.get_body((subtype,))
    return "" if found is None else str(found.get_content())
