"""The timeline of an integration: what was reported, what was told, to whom."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from re import fullmatch

from django.conf import settings

from integration_alerts.alerts import outlook
from integration_alerts.alerts.models import Notice, NoticeStatus
from integration_alerts.directory.models import Member
from integration_alerts.integrations import story
from integration_alerts.integrations.models import Integration
from integration_alerts.integrations.story import Change, Place
from integration_alerts.mail import history
from integration_alerts.mail.models import Email
from integration_alerts.web.integration_pages import told, wording
from integration_alerts.web.viewer import Viewer
from integration_alerts.web.wording import count

PAGE_SIZE = 30
_NAMED = 20
_STATUSES = {
    NoticeStatus.PLANNED: "is being put into mails",
    NoticeStatus.COMPOSED: "",
    NoticeStatus.SUPERSEDED: "not sent: a later one was due at the same time",
    NoticeStatus.NO_RECIPIENT: "nobody was told: nobody had an alert for this company",
    NoticeStatus.HELD_BACK: "held back: it is flapping, which a mail said",
    NoticeStatus.WITHDRAWN: "withdrawn: the state ended before everybody was told",
}


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to somebody whose alerts the viewer may see."""

    email: Email
    to: str
    fate: str
    readable: bool
    """Whether the viewer may see everything that it tells of."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened; either `change` or `notice` is set."""

    place: Place
    change: Change | None = None
    reason: str = ""
    actor: str = ""
    notice: Notice | None = None
    title: str = ""
    status: str = ""
    mails: list[Mail] = field(default_factory=list)
    others: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of the timeline, the newest first, and the place where the next one begins."""

    entries: list[Entry]
    older: str
    kept_days: int
    """Of what is older than so many days, only the latest is kept; 0: nothing here is that old."""


def timeline(
    viewer: Viewer, integration: Integration, after: Place | None, now: datetime
) -> Timeline:
    """A page of an integration's timeline, as this viewer may see it."""
    kept_days: int = settings.CONFIGURATION.keep_history
    changes = story.changes(integration, PAGE_SIZE + 1, after)
    notices = outlook.notices(integration, PAGE_SIZE + 1, after)
    actors = told.knowable(viewer, [change.member for change in changes if change.member])
    entries = [_change(change, actors) for change in changes] + [
        Entry(
            Place(notice.planned_at, outlook.KIND, notice.pk),
            notice=notice,
            title=wording.step(notice),
            status=_STATUSES[NoticeStatus(notice.status)],
        )
        for notice in notices
    ]
    entries.sort(key=_newest, reverse=True)
    shown = entries[:PAGE_SIZE]
    more = write_place(shown[-1].place) if len(entries) > PAGE_SIZE else ""
    cut = bool(shown) and not more and shown[-1].place.at < now - timedelta(days=kept_days)
    return Timeline(_with_mails(viewer, shown), more, kept_days if cut else 0)


def write_place(place: Place) -> str:
    """A place as a part of an address."""
    microseconds = (place.at - _EPOCH) // timedelta(microseconds=1)
    return f"{microseconds}.{place.kind}.{place.id}"


def read_place(text: str) -> Place | None:
    """The place that an address names; None if it names none."""
    found = fullmatch(r"([0-9]{1,16})\.([01])\.([0-9]{1,18})", text)
    if found is None:
        return None
    seconds, fraction = divmod(int(found[1]), 1_000_000)
    at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=fraction)
    return Place(at, int(found[2]), int(found[3]))


def _newest(entry: Entry) -> tuple[datetime, int, int]:
    return entry.place.at, entry.place.kind, entry.place.id


def _change(change: Change, knowable: Collection[int]) -> Entry:
    row = change.row
    said = row.reason_message or row.reason_code
    return Entry(change.place, change=change, reason=said, actor=_actor(change, knowable))


def _actor(change: Change, knowable: Collection[int]) -> str:
    if change.member is None:
        return change.row.actor  # the platform's id: of somebody who is no member here
    if change.member.pk not in knowable:
        return "another user"
    return change.member.name


def _with_mails(viewer: Viewer, entries: list[Entry]) -> list[Entry]:
    about = history.mails_about([entry.notice.pk for entry in entries if entry.notice])
    recipients = {mail.member_id: mail.member for mails in about.values() for mail in mails}
    reachable = told.reachable(viewer, recipients.values())
    seen = {
        notice_id: [mail for mail in mails if mail.member_id in reachable][:_NAMED]
        for notice_id, mails in about.items()
    }
    readable = _readable(viewer, {mail.pk for mails in seen.values() for mail in mails})
    return [
        _told(viewer, entry, seen[entry.notice.pk], len(about[entry.notice.pk]), readable)
        if entry.notice
        else entry
        for entry in entries
    ]


def _readable(viewer: Viewer, email_ids: Collection[int]) -> Collection[int]:
    """Those of these mails that tell of nothing but what the viewer may see."""
    if viewer.person.is_administrator:
        return email_ids
    named = history.companies_named(email_ids)
    return {email_id for email_id in email_ids if viewer.person.may_access(named[email_id])}


def _told(
    viewer: Viewer, entry: Entry, seen: list[Email], total: int, readable: Collection[int]
) -> Entry:
    hidden = total - len(seen)
    mails = [
        Mail(mail, _name(viewer, mail.member), wording.fate(mail), mail.pk in readable)
        for mail in seen
    ]
    return replace(
        entry,
        mails=mails,
        others=count(hidden, "other mail" if seen else "mail") if hidden else "",
    )


def _name(viewer: Viewer, member: Member) -> str:
    return "You" if member.pk == viewer.member.pk else member.name


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
