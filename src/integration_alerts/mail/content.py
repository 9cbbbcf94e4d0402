"""A letter put into words, ready for the templates, which only escape them.

Pure. The same content is written as text and as HTML.
"""

from collections.abc import Sequence

from msgspec import Struct, structs

from integration_alerts.mail import moments, reasons
from integration_alerts.mail.arranging import Arrangement, CompanyItems, Item, Urgency
from integration_alerts.mail.brand import Brand
from integration_alerts.mail.letters import Letter, Links, NoticeFacts
from integration_alerts.mail.lines import (
    FLAPPING,
    MISTAKE,
    CauseBlock,
    CompanyBlock,
    Mark,
    Room,
    action,
    cause_block,
    company_block,
    mark,
    named,
)
from integration_alerts.mail.subjects import is_one_cause, several, subject, what_happened
from integration_alerts.mail.text import count, fitted, joined
from integration_alerts.mail.web_links import Link, fix_link
from integration_alerts.rules.schedule import LAST_STEP
from integration_alerts.rules.states import State

BY_OPERATOR = "operator"  # the origin of a test that no member asked for
ALONE = Room(name=200, words=600, link=12_000)
LISTED = Room(name=60, words=140, link=300)
# One after the other, where long names would make the mail too large; the last is always enough.
ROOMS = (LISTED, Room(name=40, words=60, link=160), Room(name=20, words=0, link=0))
_COUNTED = {
    Urgency.FAILED: (State.FAILED, "failed"),
    Urgency.PENDING: (State.PENDING, "not set up"),
    Urgency.RECOVERED: (State.ACTIVE, "in order again"),
}


class Fact(Struct, frozen=True):
    """A row of the table that tells the details."""

    label: str
    value: str


class Body(Struct, frozen=True):
    """What happened and what to do, in the order in which it is said."""

    preheader: str
    marks: tuple[Mark, ...]
    title: str
    outlook: str
    listed: str = ""  # "It stays listed": followed by "here", with the link
    paragraphs: tuple[str, ...] = ()
    button: Link | None = None
    second: Link | None = None
    facts: tuple[Fact, ...] = ()
    causes: tuple[CauseBlock, ...] = ()
    companies: tuple[CompanyBlock, ...] = ()
    more: str = ""
    told: str = ""


class Content(Struct, frozen=True):
    """Everything that a mail says."""

    subject: str
    reader: str
    test: bool
    body: Body
    why: str
    account: str
    brand: Brand
    links: Links
    time_zone: str


def content(letter: Letter, room: Room = LISTED) -> Content:
    """The words of a letter; `room` is what names get in a list."""
    only = letter.only
    return Content(
        subject=subject(letter),
        reader=fitted(letter.reader, ALONE.name),
        test=letter.test,
        body=_about_one(letter, only) if only else _about_several(letter, room),
        why=_why(letter),
        account=fitted(letter.account, ALONE.name),
        brand=letter.brand,
        links=letter.links,
        time_zone=letter.time_zone,
    )


def _about_one(letter: Letter, notice: NoticeFacts) -> Body:
    plain = "" if notice.recovered else reasons.plain(notice.reason_code)
    since = moments.when(notice.item.since, letter.written_at, letter.time_zone)
    fix = "" if notice.recovered else fix_link(notice.fix_url, ALONE.link)
    mistake = Link(MISTAKE, notice.page_url)
    look = Link("See it on its page", notice.page_url)
    return Body(
        preheader=" ".join(filter(None, (plain, f"Since {since}."))),
        marks=(mark(notice),),
        title=_title(notice),
        paragraphs=_said_of(notice, plain, can_be_fixed=bool(fix)),
        button=Link(action(notice), fix) if fix else None,
        second=mistake if notice.state is State.PENDING else None if fix else look,
        facts=_facts(letter, notice, since),
        outlook=_outlook(notice),
        listed="It stays listed" if notice.is_last else "",
    )


def _title(notice: NoticeFacts) -> str:
    name, company = fitted(notice.integration, ALONE.name), fitted(notice.company, ALONE.name)
    return what_happened(notice).format(name=name, company=company)


def _said_of(notice: NoticeFacts, plain: str, *, can_be_fixed: bool) -> tuple[str, ...]:
    if notice.recovered:
        return ("There is nothing to do.",)
    said = [plain]
    if notice.state is State.PENDING and not notice.days:
        said.insert(0, "Its set-up was begun and is not finished.")
    if notice.flapping and not notice.days:
        said.insert(0, f"It has stopped working 3 times within a day. {FLAPPING}")
    if notice.is_last:
        said.insert(0, f"It has been so for more than {notice.days} days.")
    if not can_be_fixed:
        name, company = fitted(notice.integration, ALONE.name), fitted(notice.company, ALONE.name)
        said.append(f"Open {name} in the settings of {company} to fix it.")
    return tuple(filter(None, said))


def _facts(letter: Letter, notice: NoticeFacts, since: str) -> tuple[Fact, ...]:
    reported = reasons.reported(notice.reason_code, notice.reason_message)
    reason = "" if notice.recovered else fitted(reported, ALONE.words)
    told = "" if notice.recovered else letter.told.get(notice.item.company, "")
    facts = (
        Fact("Company", fitted(notice.company, ALONE.name)),
        Fact("Integration", named(notice, ALONE)),
        Fact("Since", since),
        Fact("Reason", reason),
        Fact("Also told", fitted(told, ALONE.name)),
    )
    return tuple(fact for fact in facts if fact.value)


def _outlook(notice: NoticeFacts) -> str:
    """What will come next if nothing changes (R9)."""
    if notice.recovered:
        return ""
    if notice.is_last:
        return "This is the last reminder."
    return f"If nothing changes, you get a reminder on day {(notice.days or 0) + 7}."


def _about_several(letter: Letter, room: Room) -> Body:
    arrangement = letter.arrangement
    needing = arrangement.needing
    # What is the same with all companies is said once.
    told = {letter.told.get(block.company, "") for block in _blocks(arrangement) if _open(block)}
    each = len(told) > 1 and room.words > 0
    button = Link("Open the list", letter.links.listing) if not arrangement.causes else None
    company = fitted((needing or arrangement.items)[0].company_name, ALONE.name)
    causes = tuple(cause_block(one, letter, room, with_told=each) for one in arrangement.causes)
    title = several(letter).format(company=company)
    if is_one_cause(arrangement):
        title, causes = causes[0].heading, (structs.replace(causes[0], heading=""),)
    return Body(
        preheader=_preheader(arrangement),
        marks=_marks(arrangement),
        title=title,
        causes=causes,
        companies=tuple(
            company_block(one, letter, room, with_told=each) for one in arrangement.companies
        ),
        more=f"and {arrangement.left_out:,} more" if arrangement.left_out else "",
        told=fitted(told.pop(), ALONE.name) if len(told) == 1 else "",
        button=button,
        outlook=_outlook_of(needing),
        listed="They stay listed" if any(item.step is LAST_STEP for item in needing) else "",
    )


def _blocks(arrangement: Arrangement) -> tuple[CompanyItems, ...]:
    of_causes = (block for cause in arrangement.causes for block in cause.companies)
    return (*of_causes, *arrangement.companies)


def _open(block: CompanyItems) -> bool:
    return any(item.urgency is not Urgency.RECOVERED for item in block.items)


def _marks(arrangement: Arrangement) -> tuple[Mark, ...]:
    return tuple(
        Mark(state, f"{number:,} {words}")
        for urgency, (state, words) in _COUNTED.items()
        if (number := arrangement.number(urgency))
    )


def _preheader(arrangement: Arrangement) -> str:
    names = list(dict.fromkeys(block.name for block in _blocks(arrangement)))[:3]
    total = len({item.company for item in arrangement.items})
    parts = [fitted(name, LISTED.name) for name in names]
    if total > len(parts):
        parts.append(count(total - len(parts), "other company", "other companies"))
    return f"{joined([one.words for one in _marks(arrangement)])}: {joined(parts)}."


def _outlook_of(needing: Sequence[Item]) -> str:
    last = sum(item.step is LAST_STEP for item in needing)
    if not needing:
        return ""
    if last == len(needing):
        return "This is the last reminder."
    after = "If nothing changes, you are reminded 7, 14 and 21 days after each began."
    return f"{after} For {last:,} of them this is the last reminder." if last else after


def _why(letter: Letter) -> str:
    """Why this reader gets this mail."""
    if letter.test and letter.origin == BY_OPERATOR:
        return "You get this mail because an operator tests whether mail arrives at your address."
    if letter.test:
        return "You get this mail because you asked for a test of your integration alert."
    if not letter.arrangement.needing:
        return "You get this mail because your integration alert also says when something is over."
    if letter.origin == "automatic":
        return "You get this mail because you activated an integration."
    return "You get this mail because you have an integration alert."
