"""The mails about a member's new address: to the new one, for consent, and to the old one."""

from datetime import datetime

from integration_alerts.directory import address_change
from integration_alerts.directory.models import Member
from integration_alerts.engine.page_mail import page_mail, public_address
from integration_alerts.mail.text import one_line


def ask_new_address(member: Member, address: str, now: datetime) -> None:
    """Send the new address the link that confirms it."""
    token = address_change.propose(member, address, now)
    facts = {**_facts(member, address), "url": public_address(f"/address/{token}")}
    page_mail("engine/new_address", address, facts).send()


def tell_old_address(member: Member, address: str) -> None:
    """Tell the address that `member` still has in memory that mail goes to the new one now."""
    page_mail("engine/old_address", member.email, _facts(member, address)).send()


def _facts(member: Member, address: str) -> dict[str, str]:
    return {
        "name": one_line(member.name),
        "account": one_line(member.account.name),
        "old": member.email,
        "new": address,
    }
