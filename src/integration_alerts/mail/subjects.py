"""The subject of a mail: what happened to what, or how many things happened.

Always one line of fewer than 70 characters, whatever the names are.
"""

from collections.abc import Sequence

from integration_alerts.mail.arranging import Arrangement, Item, Urgency
from integration_alerts.mail.letters import Letter, NoticeFacts
from integration_alerts.mail.text import count, one_line, shorten
from integration_alerts.rules.schedule import LAST_STEP, Step
from integration_alerts.rules.states import State

SUBJECT_LIMIT = 70
_WELL = {State.ACTIVE: ("works again", "work again"),
         State.DISABLED: ("was switched off", "were switched off")}  # fmt: skip


def subject(letter: Letter) -> str:
    """The subject line of a mail."""
    test = "Test: " if letter.test else ""
    one = letter.only or letter.only_needing
    if one is not None:
        last = "Last reminder: " if one.is_last else ""
        return within_limit(test + last + what_happened(one), one)
    return within_limit(test + _last(letter) + several(letter), None, _only_company(letter))


def what_happened(notice: NoticeFacts) -> str:
    """`{name} for {company} stopped working`: a form for the two names."""
    if notice.recovered:
        return "{name} for {company} " + _WELL[notice.state][0]
    failed = notice.state is State.FAILED
    if notice.days and not notice.is_last:
        still = "is still broken" if failed else "is still not set up"
        return "{name} for {company} " + f"{still} after {notice.days} days"
    if notice.is_last:
        return "{name} for {company} " + ("is still broken" if failed else "is still not set up")
    if notice.flapping:
        return "{name} for {company} keeps failing"
    return "{name} for {company} " + ("stopped working" if failed else "is not set up yet")


def several(letter: Letter) -> str:
    """How many integrations in how many companies, and what about them; a form, as above."""
    arrangement = letter.arrangement
    needing = arrangement.needing
    if not needing:
        states = {item.state for item in arrangement.items}
        words = _WELL[states.pop()][1] if len(states) == 1 else "need you no more"
        return f"{_integrations(arrangement.items)} {words}"
    if is_one_cause(arrangement):
        return one_sign_in(needing, "One sign-in")
    still = "still " if all(item.step is not Step.ALERT for item in needing) else ""
    verb = "needs" if len(needing) == 1 else "need"
    return f"{_integrations(needing)} {still}{verb} you"


def is_one_cause(arrangement: Arrangement) -> bool:
    """Whether one sign-in is all that somebody must do something about."""
    causes = arrangement.causes
    return len(causes) == 1 and len(causes[0].items) == len(arrangement.needing)


def one_sign_in(items: Sequence[Item], sign_in: str) -> str:
    """`One sign-in broke 14 integrations in 6 companies`."""
    if items[0].urgency is Urgency.FAILED:
        return f"{sign_in} broke {_integrations(items)}"
    return f"{sign_in} holds up {_integrations(items, 'set-up')}"


def within_limit(form: str, notice: NoticeFacts | None, company: str = "") -> str:
    """A form with its names in it, which are shortened so that what happened stays readable."""
    name = one_line(notice.integration) if notice else ""
    company = one_line(notice.company if notice else company)
    room = SUBJECT_LIMIT - 1 - len(form.format(name="", company=""))
    if len(name) + len(company) > room:
        name = shorten(name, max(room // 2, room - len(company)))
        company = shorten(company, room - len(name))
    return form.format(name=name, company=company)


def _integrations(items: Sequence[Item], noun: str = "integration") -> str:
    companies = {item.company for item in items}
    if len(companies) == 1:
        return f"{count(len(items), noun)} of {{company}}"
    return f"{count(len(items), noun)} in {count(len(companies), 'company', 'companies')}"


def _only_company(letter: Letter) -> str:
    items = letter.arrangement.needing or letter.arrangement.items
    return items[0].company_name


def _last(letter: Letter) -> str:
    needing = letter.arrangement.needing
    last = needing and all(item.step is LAST_STEP for item in needing)
    return "Last reminder: " if last else ""
