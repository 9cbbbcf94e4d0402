"""Sending a test mail: to a member by a worker, or to any address at once."""

from datetime import datetime, timedelta
from email.utils import parseaddr

from django.conf import settings
from django.db import transaction

from integration_alerts.configuration import Configuration
from integration_alerts.directory.models import Member
from integration_alerts.engine import posting
from integration_alerts.engine.equipment import mailer_for, stationery_for
from integration_alerts.mail import allowance, testing_mail
from integration_alerts.mail.mailers import Parcel
from integration_alerts.rules.retry import Answer, Phase, acceptance_unknown

MOST, WITHIN = 5, timedelta(hours=1)
_LATER = 4  # the first digit of a reply that asks to come back (RFC 5321 section 4.2.1)
_REACH = "check the host and the port in EMAIL_URL, and that this machine may reach the server"
_TO_DO = {
    Phase.CONNECT: _REACH,
    Phase.GREETING: _REACH,
    Phase.TLS: "the certificate must be valid for the host in EMAIL_URL, and this machine must "
    "trust who issued it",
    Phase.AUTH: "correct the user name, the password or the key in EMAIL_URL",
    Phase.SENDER: "check that the server lets you send from the address in DEFAULT_FROM_EMAIL",
    Phase.RECIPIENT: "check the address, and that the server takes mail from here to its domain",
    Phase.DATA: "the server refuses this mail; ask whoever runs it, with these words of its",
    Phase.ACCEPTANCE: "the server refuses this mail; ask whoever runs it, with these words of its",
}


def post_to_member(member: Member, now: datetime) -> datetime | None:
    """Have a test sent to a member's current address; no request waits for the mail server.

    None: it is on its way. A time: there were `MOST` of them `WITHIN` the last hour, and then the
    next one may go. Raises ValueError when a header cannot hold the address.
    """
    stationery = stationery_for(settings.CONFIGURATION)
    with transaction.atomic():
        free_at = allowance.take(f"test mail to member {member.pk}", MOST, WITHIN, now)
        if free_at is None:
            written = testing_mail.for_member(member, stationery, now)
            sender = parseaddr(stationery.sender)[1]
            posting.post(sender, member.email, written.message, now)
    return free_at


def send_to_address(address: str, configuration: Configuration, now: datetime) -> Answer:
    """Hand a test over now, past the queue, the pace and the circuit; what the server answered.

    Raises ValueError when a header cannot hold the address.
    """
    stationery = stationery_for(configuration)
    written = testing_mail.for_address(address, stationery, now)
    mailer = mailer_for(configuration)
    try:
        return mailer.send(Parcel(parseaddr(stationery.sender)[1], address, written.message))
    finally:
        mailer.close()


def advice(answer: Answer) -> str:
    """What to do about a test that was not accepted."""
    if acceptance_unknown(answer):
        return "it may have been accepted all the same: look for it before you send another"
    if answer.code is not None and answer.code // 100 == _LATER:
        return "try again in some minutes; alerts are tried again by themselves"
    return _TO_DO[answer.phase]
