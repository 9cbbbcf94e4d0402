"""Fetching what mails tell their readers: a few statements for a batch, whatever its mails carry.

What a mail says is looked up by its own notices, companies and reader alone, though it is fetched
together with what the other mails of the batch need (R15).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from msgspec import Struct

from integration_alerts.directory.columns import columns
from integration_alerts.directory.statements import fetch
from integration_alerts.mail.brand import Brand
from integration_alerts.mail.connecting import connected_by
from integration_alerts.mail.items import Listing, Told, listings
from integration_alerts.mail.letters import Letter
from integration_alerts.mail.stationery import Draft, Stationery
from integration_alerts.mail.told import others
from integration_alerts.rules.eligibility import Role

_THREADED = 500  # incidents of a mail whose earlier mails are looked for


class Gathered(Struct, frozen=True):
    """What an email tells, and what it follows."""

    letter: Letter
    earlier: Sequence[str]  # Message-IDs of mails to this member about the same, oldest first


class _Reader(Struct, frozen=True):
    account: str
    time_zone: str
    brand: Brand
    name: str
    role: Role
    origin: str
    told: Told

    def letter(
        self,
        draft: Draft,
        stationery: Stationery,
        listing: Listing,
        *,
        told: Mapping[int, str],
        connected_by: Mapping[str, str],
    ) -> Letter:
        """What this reader is told."""
        return Letter(
            written_at=draft.date,
            account=self.account,
            time_zone=self.time_zone,
            brand=self.brand,
            reader=self.name,
            origin=self.origin,
            links=stationery.links(draft.account_id, draft.member_id),
            arrangement=listing.arrangement,
            notices=listing.notices,
            told=told,
            connected_by=connected_by,
        )


def gather(drafts: Sequence[Draft], stationery: Stationery) -> dict[int, Gathered]:
    """The letters of emails, by their ids; those with nothing to tell are left out."""
    readers = _readers(drafts)
    drafts = [draft for draft in drafts if draft.id in readers]
    lists = listings({readers[draft.id].told: draft.account_id for draft in drafts}, stationery)
    listed = {draft.id: lists[readers[draft.id].told] for draft in drafts}
    roles = {draft.member_id: readers[draft.id].role for draft in drafts}
    also = others(
        roles,
        {(draft.member_id, each) for draft in drafts for each in listed[draft.id].open_companies},
    )
    connected = connected_by(
        roles,
        {draft.id: (draft.member_id, listed[draft.id].arrangement.causes) for draft in drafts},
    )
    threads = _threads(drafts, listed)
    return {
        draft.id: Gathered(
            readers[draft.id].letter(
                draft,
                stationery,
                listed[draft.id],
                told={
                    each: also[draft.member_id, each] for each in listed[draft.id].open_companies
                },
                connected_by=connected.get(draft.id, {}),
            ),
            threads.get(draft.id, ()),
        )
        for draft in drafts
    }


def _readers(drafts: Sequence[Draft]) -> dict[int, _Reader]:
    """By email; none for an email that has no notice."""
    asked = columns(((draft.id, draft.member_id) for draft in drafts), 2)
    return {
        email: _Reader(account, zone, Brand.of(*brand), name, Role(role), origin,
                       tuple(zip(notices, companies, strict=True)))
        for email, account, zone, *brand, name, role, origin, notices, companies in (
            fetch(_READERS, asked)
        )
    }  # fmt: skip


def _threads(drafts: Sequence[Draft], listed: Mapping[int, Listing]) -> dict[int, list[str]]:
    """The Message-IDs of the mails that each email follows, oldest first."""
    asked = [
        (draft.id, draft.member_id, notice, incident)
        for draft in drafts
        for incident, notice in sorted(listed[draft.id].incidents)[:_THREADED]
    ]
    threads: dict[int, list[str]] = defaultdict(list)
    for email, message_id in fetch(_THREADS, columns(asked, 4)):
        threads[email].append(message_id)
    return threads


# By the primary keys of member and account, and the indexes of email_notice and subscription.
_READERS = """
SELECT draft.id, account.name, account.time_zone, account.brand_name, account.logo_url,
       account.brand_colour, account.reply_to, member.name, member.role,
       coalesce(subscription.origin, ''), told.notices, told.companies
FROM unnest(%s::bigint[], %s::bigint[]) AS draft (id, member_id)
JOIN member ON member.id = draft.member_id
JOIN account ON account.id = member.account_id
LEFT JOIN subscription ON subscription.member_id = member.id
CROSS JOIN LATERAL (
    SELECT array_agg(notice_id ORDER BY notice_id) AS notices,
           array_agg(company_id ORDER BY notice_id) AS companies
    FROM email_notice WHERE email_id = draft.id AND NOT released
) AS told
WHERE told.notices IS NOT NULL"""

# Sent mails to the same member about the same incidents. Few incidents have another notice, which
# the index notice_once says; whether the member was told of it, the index email_notice_once does.
# OFFSET 0 keeps it at that order: any other reads a member's mails again for each notice.
_THREADS = """
SELECT told.email_id, earlier.message_id
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
    AS told (email_id, member_id, notice_id, incident_id)
CROSS JOIN LATERAL (
    SELECT id FROM notice
    WHERE notice.incident_id = told.incident_id AND notice.id <> told.notice_id OFFSET 0
) AS other
CROSS JOIN LATERAL (
    SELECT email_id FROM email_notice
    WHERE email_notice.notice_id = other.id AND email_notice.member_id = told.member_id
      AND NOT email_notice.released OFFSET 0
) AS item
CROSS JOIN LATERAL (
    SELECT id, message_id FROM email
    WHERE email.id = item.email_id AND email.status IN ('sent', 'bounced')
      AND email.id <> told.email_id OFFSET 0
) AS earlier
GROUP BY told.email_id, earlier.id, earlier.message_id
ORDER BY earlier.id"""
