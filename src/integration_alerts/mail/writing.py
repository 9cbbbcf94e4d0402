"""Writing an email: fetching what its letter says, and fixing it as bytes."""

from dataclasses import dataclass
from email.utils import parseaddr

from django.db import connection

from integration_alerts.mail.letters import Letter, NoticeFacts
from integration_alerts.mail.models import Email
from integration_alerts.mail.rendering import render
from integration_alerts.rules.schedule import Step
from integration_alerts.rules.states import State


class Unwritable(Exception):
    """An email cannot be written; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class Stationery:
    """What is the same in every mail of this installation."""

    sender: str  # `Name <address>`
    public_url: str  # where links begin

    @property
    def message_id_domain(self) -> str:
        """The part of a Message-ID after the @: the sender's domain."""
        domain = parseaddr(self.sender)[1].rpartition("@")[2]
        return domain.encode("idna").decode() or "localhost"

    def manage_url(self, account_id: int) -> str:
        """The page where readers change their alerts of this account."""
        return f"{self.public_url}/accounts/{account_id}/alerts"


@dataclass(frozen=True, slots=True)
class Written:
    """A message, final."""

    subject: str
    message: bytes


def write(email: Email, address: str, stationery: Stationery) -> Written:
    """Write an email for its recipient at this address; raises Unwritable."""
    letter = _letter(email.pk, stationery)
    # A name that no header can hold, a template that fails: this email ends, the others go out.
    try:
        message = render(
            letter,
            sender=stationery.sender,
            address=address,
            message_id=email.message_id,
            date=email.date,
        )
    except Exception as error:
        raise Unwritable(f"{type(error).__name__}: {error}") from error
    return Written(letter.subject, message)


def _letter(email_id: int, stationery: Stationery) -> Letter:
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, [email_id])
        state, step, *facts, account_id, account, time_zone, reader, origin = cursor.fetchone()
    return Letter(
        notice=NoticeFacts(State(state), Step(step), *facts),
        account=account,
        reader=reader,
        time_zone=time_zone,
        origin=origin,
        manage_url=stationery.manage_url(account_id),
    )


# The columns after state and step are the further fields of NoticeFacts, in their order.
_FACTS = """
SELECT notice.state, notice.step, notice.state_since,
       coalesce(nullif(integration.name, ''), integration.external_id), integration.provider,
       company.name, integration.reason_code, integration.reason_message, integration.fix_url,
       account.id, account.name, account.time_zone, member.name, coalesce(subscription.origin, '')
FROM email
JOIN email_notice ON email_notice.email_id = email.id
JOIN notice ON notice.id = email_notice.notice_id
JOIN incident ON incident.id = notice.incident_id
JOIN integration ON integration.id = incident.integration_id
JOIN company ON company.id = integration.company_id
JOIN account ON account.id = email.account_id
JOIN member ON member.id = email.member_id
LEFT JOIN subscription ON subscription.member_id = member.id
WHERE email.id = %s"""
