"""The notices in mails: fetched together for a batch, put in order, with details of those shown.

Knows no readers: mails that tell of exactly the same share one listing.
"""

from collections.abc import Collection, Mapping

from msgspec import Struct

from integration_alerts.directory.columns import columns
from integration_alerts.directory.statements import fetch
from integration_alerts.mail.arranging import Arrangement, Item, Urgency, arrange
from integration_alerts.mail.letters import NoticeFacts
from integration_alerts.mail.stationery import Stationery
from integration_alerts.rules.schedule import Step
from integration_alerts.rules.states import State

Told = tuple[tuple[int, int], ...]
"""The notices of a mail, each with the company that it names to the reader (R15)."""


class Listing(Struct, frozen=True):
    """What mails that tell of exactly the same have in common."""

    arrangement: Arrangement
    notices: Mapping[int, NoticeFacts]  # those that are shown, by the numbers of their notices
    incidents: tuple[tuple[int, int], ...]  # (incident, notice)
    open_companies: frozenset[int]  # those shown in which somebody must do something


class _Notice(Struct, frozen=True):
    item: Item
    incident: int
    flapping: bool


def listings(told: Mapping[Told, int], stationery: Stationery) -> dict[Told, Listing]:
    """The listing of each; `told` holds the account that its notices belong to."""
    notices = _notices({each for one in told for each in one})
    arranged = {one: arrange(notices[each].item for each in one) for one in told}
    texts = _texts(
        {item.integration for arrangement in arranged.values() for item in _described(arrangement)}
    )
    return {
        one: Listing(
            arrangement,
            {
                item.notice: NoticeFacts(
                    item,
                    *texts[item.integration],
                    flapping=notices[item.notice, item.company].flapping,
                    page_url=stationery.integration_url(told[one], item.integration),
                )
                for item in _described(arrangement)
            },
            tuple((notices[each].incident, each[0]) for each in one),
            frozenset(
                item.company for item in arrangement.shown if item.urgency is not Urgency.RECOVERED
            ),
        )
        for one, arrangement in arranged.items()
    }


def _described(arrangement: Arrangement) -> tuple[Item, ...]:
    """Those of which more is said than that they are there."""
    return (*arrangement.shown, *arrangement.needing[:1])


def _notices(told: Collection[tuple[int, int]]) -> dict[tuple[int, int], _Notice]:
    return {
        (notice, company): _Notice(
            Item(notice, integration, company, name, State(state), Step(step), since, shared),
            incident,
            flapping,
        )
        for notice, integration, company, name, state, step, since, shared, incident, flapping in (
            fetch(_NOTICES, columns(told, 2))
        )
    }


def _texts(integration_ids: Collection[int]) -> dict[int, tuple[str, str, str, str, str]]:
    """The fields of NoticeFacts that integrations say of themselves, in their order."""
    return {row[0]: row[1:] for row in fetch(_TEXTS, [list(integration_ids)])}


# By the primary keys of all tables. The company is the one that the reader may see, which the
# integration may have left (R15).
_NOTICES = """
SELECT notice.id, incident.integration_id, company.id, company.name, notice.state, notice.step,
       notice.state_since, integration.connection, incident.id, notice.flapping
FROM unnest(%s::bigint[], %s::bigint[]) AS told (notice_id, company_id)
JOIN notice ON notice.id = told.notice_id
JOIN incident ON incident.id = notice.incident_id
JOIN integration ON integration.id = incident.integration_id
JOIN company ON company.id = told.company_id"""

_TEXTS = """
SELECT id, coalesce(nullif(name, ''), external_id), provider, reason_code, reason_message, fix_url
FROM integration
WHERE id = ANY(%s)"""
