"""What a mail says of each notice, cause and company, in words: facts in, lines out.

Decides no order (`arranging`) and no look (the templates).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from msgspec import Struct

from integration_alerts.mail import moments, reasons
from integration_alerts.mail.arranging import Cause, CompanyItems, Urgency
from integration_alerts.mail.letters import Letter, NoticeFacts
from integration_alerts.mail.subjects import one_sign_in
from integration_alerts.mail.text import count, fitted, joined
from integration_alerts.mail.web_links import Link, fix_link
from integration_alerts.rules.states import State

FLAPPING = "Further alerts are held back until it has been quiet for 24 hours; reminders are not."
MISTAKE = "Set up by mistake? Disable it"
NAMELESS = "(no name)"  # nothing of the name can be shown
_SIGNS = {State.FAILED: "■", State.PENDING: "◐", State.ACTIVE: "○", State.DISABLED: "\N{EN DASH}"}
_COLOURS = {
    State.FAILED: "#b42318", State.PENDING: "#8a5300",
    State.ACTIVE: "#19733a", State.DISABLED: "#59636f",
}  # fmt: skip
_ACTIONS = {State.FAILED: "Reconnect it", State.PENDING: "Finish the set-up"}
_ONCE = {Urgency.FAILED: "Reconnect once", Urgency.PENDING: "Finish it once"}


@dataclass(frozen=True, slots=True)
class Room:
    """How much names and words may take, in characters, and links, in bytes."""

    name: int
    words: int
    link: int


class Mark(Struct, frozen=True):
    """A state: never colour alone, the sign has a shape of its own and words beside it."""

    state: State
    words: str

    @property
    def sign(self) -> str:
        """A filled square, a half circle, a ring, a dash."""
        return _SIGNS[self.state]

    @property
    def colour(self) -> str:
        """Its colour on white; the stylesheet in the mail has those on dark."""
        return _COLOURS[self.state]


class Line(Struct, frozen=True):
    """One integration in a list."""

    mark: Mark
    name: str
    words: str
    links: tuple[Link, ...]


class CompanyBlock(Struct, frozen=True):
    """A company and what is listed of it."""

    name: str
    told: str
    lines: tuple[Line, ...]


class CauseBlock(Struct, frozen=True):
    """One sign-in, what it broke, and the one thing to do about it."""

    mark: Mark
    heading: str
    words: str
    button: Link
    companies: tuple[str, ...]
    more: str


def mark(notice: NoticeFacts) -> Mark:
    """How it stands, in two or three words."""
    if notice.recovered:
        return Mark(notice.state, "Works again" if notice.state is State.ACTIVE else "Switched off")
    words = "Failed" if notice.state is State.FAILED else "Set-up not finished"
    if notice.flapping and notice.days is None:
        words = "Failed 3 times within a day"
    if notice.days:
        words += f" for {notice.days} days"
    return Mark(notice.state, f"{words}, last reminder" if notice.is_last else words)


def line(notice: NoticeFacts, letter: Letter, room: Room) -> Line:
    """One integration in a list, with the link that helps."""
    since = moments.exact(notice.item.since, letter.time_zone)
    ago = moments.ago(notice.item.since, letter.written_at)
    words = _happened(notice, since, ago)
    if notice.flapping and not notice.days and room.words:
        words = f"{words} {FLAPPING}"
    if not notice.recovered:
        plain = reasons.plain(notice.reason_code)
        said = plain or reasons.reported(notice.reason_code, notice.reason_message)
        words = f"{words} {fitted(sentence(said), max(room.words, len(plain)))}".strip()
    return Line(mark(notice), named(notice, room), words, tuple(_links(notice, room)))


def company_block(
    block: CompanyItems, letter: Letter, room: Room, *, with_told: bool
) -> CompanyBlock:
    """A company and what is listed of it."""
    lines = tuple(line(letter.notices[item.notice], letter, room) for item in block.items)
    name = fitted(block.name, room.name) or NAMELESS
    told = letter.told.get(block.company, "") if with_told else ""
    return CompanyBlock(name, fitted(told, 2 * room.name), lines)


def cause_block(cause: Cause, letter: Letter, room: Room, *, with_told: bool) -> CauseBlock:
    """One sign-in and what it broke; where readers differ, who else was told stands with each."""
    shown = [letter.notices[item.notice] for block in cause.companies for item in block.items]
    heading = one_sign_in(cause.items, f"One sign-in{_about(cause, shown, letter, room)}")
    first = next((each for each in shown if fix_link(each.fix_url, room.link)), shown[0])
    fix = fix_link(first.fix_url, room.link)
    said = fitted(sentence(reasons.reason(first.reason_code, first.reason_message)), room.words)
    begun = min(item.since for item in cause.items)
    since = moments.exact(begun, letter.time_zone), moments.ago(begun, letter.written_at)
    more = cause.company_total - len(cause.companies)
    return CauseBlock(
        Mark(first.state, mark(first).words),
        heading.format(company=fitted(cause.companies[0].name, room.name)),
        f"Since {', '.join(since)}. {said}".rstrip(),
        Link(_ONCE[cause.urgency], fix) if fix else Link("Open it", first.page_url),
        tuple(_company_line(block, letter, room, with_told=with_told) for block in cause.companies),
        f"and {count(more, 'more company', 'more companies')}" if more else "",
    )


def action(notice: NoticeFacts) -> str:
    """What to do, as the words of a button."""
    return _ACTIONS[notice.state]


def named(notice: NoticeFacts, room: Room) -> str:
    """`Google Ads (google)`: the integration, and its provider unless the name says it.

    Where words have no room, neither has the provider.
    """
    name = fitted(notice.integration, room.name) or NAMELESS
    provider = fitted(notice.provider, room.name)
    if not provider or not room.words or provider.casefold() in name.casefold():
        return name
    return f"{name} ({provider})"


def sentence(text: str) -> str:
    """Text from outside with an end, so that another sentence can follow."""
    return text if not text or text[-1] in ".!?…。" else f"{text}."


def _happened(notice: NoticeFacts, since: str, ago: str) -> str:
    if notice.recovered:
        preposition = "since" if notice.state is State.ACTIVE else "on"
        return f"{mark(notice).words} {preposition} {since}, {ago}."
    failed = notice.state is State.FAILED
    if notice.flapping and not notice.days:
        return f"Stopped working 3 times within a day, last on {since}, {ago}."
    if notice.is_last:
        return f"Last reminder: {'broken' if failed else 'not set up'} since {since}, {ago}."
    if notice.days:
        return f"Still {'broken' if failed else 'not set up'}, since {since}, {ago}."
    if failed:
        return f"Stopped working on {since}, {ago}."
    return f"The set-up was begun on {since}, {ago}."


def _links(notice: NoticeFacts, room: Room) -> Iterator[Link]:
    """What can be done about it, or where it is shown if nothing can be done from a mail."""
    fix = "" if notice.recovered else fix_link(notice.fix_url, room.link)
    if not fix:
        yield Link("Open it", notice.page_url)
        return
    yield Link(action(notice), fix)
    if notice.state is State.PENDING:
        yield Link(MISTAKE, notice.page_url)


def _about(cause: Cause, shown: list[NoticeFacts], letter: Letter, room: Room) -> str:
    providers = {each.provider for each in shown}
    provider = fitted(providers.pop(), room.name) if len(providers) == 1 else ""
    person = fitted(letter.connected_by.get(cause.connection, ""), room.name)
    parts = [provider, f"connected by {person}" if person else ""]
    said = ", ".join(filter(None, parts))
    # The form is filled in later: braces in names are not places for names.
    return f" ({said})".replace("{", "{{").replace("}", "}}") if said else ""


def _company_line(block: CompanyItems, letter: Letter, room: Room, *, with_told: bool) -> str:
    names = [fitted(letter.notices[item.notice].integration, room.name) for item in block.items]
    more = block.total - len(names)
    parts = [*names, f"{more:,} more"] if more else names
    told = letter.told.get(block.company, "") if with_told else ""
    also = f". Also told: {fitted(told, 2 * room.name)}" if told else ""
    return f"{fitted(block.name, room.name)}: {joined(parts)}{also}"
