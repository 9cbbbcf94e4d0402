"""The test mail: it shows that mail arrives, and what one looks like.

It is a sample letter: nothing of what it tells has happened. Sends nothing (`engine.testing_mail`).
"""

from datetime import datetime, timedelta
from email.utils import make_msgid
from typing import Any

from integration_alerts.directory.models import Member
from integration_alerts.mail.brand import OUR_NAME, Brand
from integration_alerts.mail.content import BY_OPERATOR
from integration_alerts.mail.headers import Envelope
from integration_alerts.mail.letters import Letter, Links
from integration_alerts.mail.rendering import render
from integration_alerts.mail.samples import letter, notice
from integration_alerts.mail.subjects import subject
from integration_alerts.mail.writing import Stationery, Written

_BROKEN_FOR = timedelta(hours=2)


def for_member(member: Member, stationery: Stationery, now: datetime) -> Written:
    """A test for a member: with their account's brand, and the links of every mail to them.

    Raises ValueError when a header cannot hold the member's address.
    """
    account = member.account
    links = stationery.links(account.pk, member.pk)
    written = _letter(
        links,
        now,
        account=account.name,
        time_zone=account.time_zone,
        brand=Brand.of_account(account),
        reader=member.name,
    )
    return _written(written, member.email, account.pk, stationery)


def for_address(address: str, stationery: Stationery, now: datetime) -> Written:
    """A test for whoever has this address, of no account: there is nothing to unsubscribe from.

    Raises ValueError when a header cannot hold the address.
    """
    home = stationery.public_url
    written = _letter(
        Links(listing=f"{home}/", manage=f"{home}/alerts", unsubscribe=""),
        now,
        account=f"{OUR_NAME} at {home}",
        time_zone="UTC",
        reader="",
        origin=BY_OPERATOR,
    )
    return _written(written, address, 0, stationery)


def _letter(links: Links, now: datetime, **facts: Any) -> Letter:
    """About one failure; its button leads to the reader's own list, not to an invented place."""
    told = notice(fix_url=links.listing, page_url=links.listing, since=now - _BROKEN_FOR)
    return letter(told, test=True, written_at=now, links=links, told={}, **facts)


def _written(about: Letter, address: str, account_id: int, stationery: Stationery) -> Written:
    envelope = Envelope(
        sender=stationery.sender,
        address=address,
        message_id=make_msgid(domain=stationery.message_id_domain),
        account_id=account_id,
    )
    message = render(about, envelope)
    return Written(subject(about), stationery.sign(message) if stationery.sign else message)
