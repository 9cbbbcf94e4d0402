"""Pruning what this layer owns: emails, their bytes, the inbox (`rules.retention` decides).

Each function is one short piece of work inside the caller's transaction. Touches no email that has
not ended: whoever composes, claims or sends never waits for it.
"""

from collections.abc import Collection
from datetime import datetime

from integration_alerts.directory.statements import fetch, run
from integration_alerts.directory.walking import Place, Stretch, older
from integration_alerts.rules.flapping import QUIET
from integration_alerts.rules.retention import EmailFacts, email_stays

_MOST_ITEMS = 5000  # notices in emails that one transaction deletes; one email may carry more


def prune_messages(place: Place, *, horizon: datetime, limit: int, dry: bool) -> Stretch:
    """Take the bytes out of emails that ended before the horizon; `dry` only counts.

    Goes by ids and meets each email once: one that ends much later than its neighbours keeps its
    bytes as long as its row.
    """
    ahead = fetch(_NEXT_MESSAGES, [place.id, limit])
    met = older(ahead, horizon)
    if not met:
        return Stretch(place, ended=True)
    gone = [id_ for id_, _, ended_at in met if ended_at is not None and ended_at < horizon]
    if gone and not dry:
        run("UPDATE email SET message = NULL WHERE id = ANY(%s)", [gone])
    ended = len(met) < limit
    return Stretch(Place(met[-1][1], met[-1][0]), ended, {"texts of mails": len(gone)})


def prune_emails(
    place: Place, *, horizon: datetime, now: datetime, limit: int, dry: bool
) -> Stretch:
    """Delete emails that ended before the horizon and that nothing needs; `dry` only counts."""
    met = older(fetch(_NEXT_EMAILS, [place.id, limit, now - QUIET, horizon]), horizon)
    ended = len(met) < limit
    gone: list[int] = []
    items = 0
    for id_, date, carried, *facts in met:
        if email_stays(EmailFacts(*facts), horizon, now) is None:
            if not dry and carried > _MOST_ITEMS:
                ended = False
                if not gone:
                    _whittle(id_)
                break
            gone.append(id_)
            items += carried
        place = Place(date, id_)
        if items >= _MOST_ITEMS:
            ended = False
            break
    if gone and not dry:
        for sql in _DELETE_EMAILS:
            run(sql, [gone])
    return Stretch(place, ended, {"mails": len(gone)})


def prune_inbox(place: Place, *, horizon: datetime, limit: int, dry: bool) -> Stretch:
    """Delete what the built-in inbox caught before the horizon; `dry` only counts."""
    met = older(fetch(_NEXT_CAUGHT, [place.id, limit]), horizon)
    if not met:
        return Stretch(place, ended=True)
    gone = [row[0] for row in met]
    if not dry:
        run("DELETE FROM inbox_message WHERE id = ANY(%s)", [gone])
    ended = len(met) < limit
    return Stretch(Place(met[-1][1], gone[-1]), ended, {"mails in the inbox": len(gone)})


def told_of(incident_ids: Collection[int], *, going: datetime | None = None) -> set[int]:
    """Those of these incidents that an email tells of.

    `going`: the horizon of emails that count as gone already, for a dry run.
    """
    sql = _TOLD if going is None else _TOLD + _BY_ONE_THAT_STAYS
    more = [] if going is None else [going, going]
    return {incident_id for (incident_id,) in fetch(sql, [list(incident_ids), *more])}


def _whittle(email_id: int) -> None:
    """Make a very large email smaller, without the words that its missing items would explain."""
    run("UPDATE email SET message = NULL, subject = '' WHERE id = %s", [email_id])
    run(_DELETE_SOME_ITEMS, [email_id, _MOST_ITEMS])


# All walks go by the primary key, whose order is that of the times but for moments.
_NEXT_MESSAGES = """
SELECT id, date, CASE WHEN message IS NOT NULL THEN ended_at END
FROM email WHERE id > %s ORDER BY id LIMIT %s"""

_NEXT_CAUGHT = "SELECT id, received_at FROM inbox_message WHERE id > %s ORDER BY id LIMIT %s"

# The columns after `carried` are the fields of rules.retention.EmailFacts. What is not old enough
# is not looked into.
_NEXT_EMAILS = """
SELECT ahead.id, ahead.date, facts.carried, ahead.ended_at, facts.unsettled, facts.last_closed_at,
       facts.flapping_opened_at
FROM (SELECT id, date, ended_at FROM email WHERE id > %s ORDER BY id LIMIT %s) AS ahead
CROSS JOIN LATERAL (
    SELECT count(*) AS carried,
           coalesce(bool_or(
               incident.closed_at IS NULL OR incident.next_notice_at IS NOT NULL
               OR EXISTS (SELECT FROM notice AS waiting
                          WHERE waiting.incident_id = incident.id AND waiting.status = 'planned')
           ), false) AS unsettled,
           max(incident.closed_at) AS last_closed_at,
           max(integration.last_opened_at) FILTER (
               WHERE notice.flapping AND integration.flapping_since = incident.flapping_since
                 AND integration.last_opened_at > %s
           ) AS flapping_opened_at
    FROM email_notice
    JOIN notice ON notice.id = email_notice.notice_id
    JOIN incident ON incident.id = notice.incident_id
    JOIN integration ON integration.id = incident.integration_id
    WHERE email_notice.email_id = ahead.id AND ahead.ended_at < %s
) AS facts
ORDER BY ahead.id"""

_DELETE_EMAILS = (
    "DELETE FROM bounce WHERE email_id = ANY(%s)",
    "DELETE FROM delivery_attempt WHERE email_id = ANY(%s)",
    "DELETE FROM email_notice WHERE email_id = ANY(%s)",
    "DELETE FROM email WHERE id = ANY(%s)",
)

_DELETE_SOME_ITEMS = """
DELETE FROM email_notice
WHERE id IN (SELECT id FROM email_notice WHERE email_id = %s LIMIT %s)"""

_TOLD = """
SELECT DISTINCT notice.incident_id
FROM notice
JOIN email_notice ON email_notice.notice_id = notice.id
JOIN email ON email.id = email_notice.email_id
WHERE notice.incident_id = ANY(%s)"""

_BY_ONE_THAT_STAYS = """
  AND (email.ended_at IS NULL OR email.ended_at >= %s OR EXISTS (
      SELECT FROM email_notice AS other
      JOIN notice AS its ON its.id = other.notice_id
      JOIN incident ON incident.id = its.incident_id
      WHERE other.email_id = email.id
        AND (incident.closed_at IS NULL OR incident.closed_at >= %s)))"""
