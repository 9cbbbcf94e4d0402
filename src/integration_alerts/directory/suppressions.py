"""Addresses of members that mail is held back from, and lifting that.

Whether a bounce holds an address back is decided above (`rules.suppression`, `mail.bounces`).
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection

from integration_alerts.directory.models import Member, Suppression
from integration_alerts.rules.suppression import BounceKind


def current(members: Iterable[Member]) -> dict[int, Suppression]:
    """The suppressions of these members' current addresses, by member id."""
    addresses = {member.pk: member.email for member in members}
    if not addresses:
        return {}
    rows = Suppression.objects.filter(member__in=addresses, lifted_at=None)
    return {row.member_id: row for row in rows if row.address == addresses[row.member_id]}


def suppress(member: Member, address: str, kind: BounceKind, reason: str, now: datetime) -> None:
    """Hold mail to an address of a member back; a complaint stays one (`lift` is stricter then)."""
    with connection.cursor() as cursor:
        cursor.execute(_SUPPRESS, [member.account_id, member.pk, address, kind.value, reason, now])


def lift(suppression: Suppression, now: datetime, by: Member | None) -> bool:
    """Send mail to the address again; False: somebody has lifted it already."""
    rows = Suppression.objects.filter(pk=suppression.pk, lifted_at=None)
    return bool(rows.update(lifted_at=now, lifted_by=by))


def last_lifted(member_id: int, address: str) -> datetime | None:
    """When mail to this address was last allowed again; None: never."""
    rows = Suppression.objects.filter(member=member_id, address=address)
    lifted = rows.filter(lifted_at__isnull=False).order_by("-lifted_at")
    return lifted.values_list("lifted_at", flat=True).first()


_SUPPRESS = """
INSERT INTO suppression (account_id, member_id, address, kind, reason, since)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (member_id, address) WHERE lifted_at IS NULL
DO UPDATE SET kind = EXCLUDED.kind, reason = EXCLUDED.reason
WHERE EXCLUDED.kind = 'complaint'"""
