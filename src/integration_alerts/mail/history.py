"""What was mailed: a mail with its notices and attempts, for the pages. Reads only.

Who may read it is asked of `rules.permissions` by the caller.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.policy import default

from django.db import connection
from django.db.models import Q

from integration_alerts.directory.ids import LARGEST_ID
from integration_alerts.mail.models import Bounce, DeliveryAttempt, Email, EmailNotice, EmailStatus
from integration_alerts.mail.reading import part

# Without what fell out before the mail went; of one that never went, all that it would have told.
_TELLS = Q(released=False) | Q(email__status=EmailStatus.CANCELLED.value)


@dataclass(frozen=True, slots=True)
class LatestMail:
    """The latest email to a member, and the companies that it tells of."""

    id: int
    status: str
    at: datetime
    company_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Content:
    """How an email looks: its two parts. Empty before the first attempt, and once it is `gone`."""

    text: str
    html: str
    gone: bool = False
    """Whether it was written, and its bytes are not kept any more."""


def latest_mails(member_ids: Collection[int]) -> dict[int, LatestMail]:
    """The latest email to each of these members; those who never got one are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_LATEST, [list(member_ids)])
        return {
            member_id: LatestMail(id_, status, at, frozenset(companies))
            for member_id, id_, status, at, companies in cursor.fetchall()
        }


def find(account_id: int, email_id: int) -> Email | None:
    """An email of an account, with its recipient; None: there is none."""
    rows = Email.objects.select_related("member").filter(account=account_id)
    return rows.filter(pk=min(email_id, LARGEST_ID)).first()


def told_of(email: Email, limit: int) -> list[EmailNotice]:
    """What an email tells of, at most `limit`, with the integrations and the companies named."""
    rows = EmailNotice.objects.filter(_TELLS, email=email)
    wanted = rows.select_related("notice__incident__integration", "company")
    return list(wanted.order_by("pk")[:limit])


def companies_named(email_ids: Collection[int]) -> dict[int, frozenset[int]]:
    """The companies that each of these emails names; its integrations may have left them."""
    found: dict[int, set[int]] = {email_id: set() for email_id in email_ids}
    rows = EmailNotice.objects.filter(_TELLS, email__in=found)
    for email_id, company_id in rows.values_list("email_id", "company_id").distinct():
        found[email_id].add(company_id)
    return {email_id: frozenset(companies) for email_id, companies in found.items()}


def count_told_of(email: Email) -> int:
    """How many notices an email tells of."""
    return EmailNotice.objects.filter(_TELLS, email=email).count()


def attempts(email: Email) -> list[DeliveryAttempt]:
    """Every try to deliver an email, the first one first."""
    return list(DeliveryAttempt.objects.filter(email=email).order_by("started_at", "pk"))


def came_back(email: Email) -> list[Bounce]:
    """What was reported about an email after a server had accepted it, the first report first."""
    return list(Bounce.objects.filter(email=email).order_by("received_at", "pk"))


def mails_about(notice_ids: Collection[int]) -> dict[int, list[Email]]:
    """The emails that carry each of these notices, with their recipients, by name."""
    found: dict[int, list[Email]] = {notice_id: [] for notice_id in notice_ids}
    rows = (
        EmailNotice.objects.filter(_TELLS, notice__in=found)
        .select_related("email__member")
        .defer("email__message")
        .order_by("email__member__name", "email_id")
    )
    for row in rows:
        found[row.notice_id].append(row.email)
    return found


def content(email: Email) -> Content:
    """Both parts of an email as a mail program shows them."""
    if email.message is None:
        return Content("", "", gone=bool(email.ended_at and email.address))
    message = message_from_bytes(email.message, policy=default)
    return Content(part(message, "plain"), part(message, "html"))


# Served by the index email_of_member, one hop a member.
_LATEST = """
SELECT member_id, latest.id, latest.status, latest.at, array(
    SELECT DISTINCT email_notice.company_id
    FROM email_notice
    WHERE email_notice.email_id = latest.id
      AND (NOT email_notice.released OR latest.status = 'cancelled'))
FROM unnest(%s::bigint[]) AS recipient (member_id)
CROSS JOIN LATERAL (
    SELECT id, status, coalesce(ended_at, date) AS at FROM email
    WHERE email.member_id = recipient.member_id ORDER BY id DESC LIMIT 1
) AS latest"""
