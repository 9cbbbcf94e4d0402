"""What an email says: the facts of its notices, and the words for them.

Pure: values in, words out. The message as bytes is `rendering`; the look comes with the templates.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from integration_alerts.rules.schedule import LAST_STEP, Step
from integration_alerts.rules.states import State

SUBJECT_LIMIT = 70
_DAYS = {Step.REMINDER_7: 7, Step.REMINDER_14: 14, Step.REMINDER_21: 21}


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """One notice as an email needs to know it."""

    state: State
    step: Step
    since: datetime
    integration: str
    provider: str
    company: str
    reason_code: str
    reason_message: str
    fix_url: str


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything that one email says, to one reader, about one notice."""

    notice: NoticeFacts
    account: str
    reader: str
    time_zone: str
    origin: str  # how the reader's subscription came to be
    manage_url: str

    @property
    def subject(self) -> str:
        """What happened, with integration and company, in fewer than 70 characters."""
        return subject(self.notice)

    @property
    def headline(self) -> str:
        """The first sentence: what happened and since when."""
        what = f"{self.name} for {one_line(self.notice.company)}"
        if self.notice.state is State.PENDING:
            return f"The set-up of {what} was begun on {self.since} and is not finished."
        return f"{what} stopped working on {self.since}."

    @property
    def name(self) -> str:
        """The integration's name on one line."""
        return one_line(self.notice.integration)

    @property
    def since(self) -> str:
        """When the state began, in the reader's time zone, which is named."""
        local = self.notice.since.astimezone(ZoneInfo(self.time_zone))
        return f"{local.day} {local:%B %Y, %H:%M} ({self.time_zone})"

    @property
    def reason(self) -> str:
        """The reason as reported; empty when there is none."""
        words = (self.notice.reason_message, self.notice.reason_code)
        return " ".join(one_line(text) if i == 0 else f"({one_line(text)})"
                        for i, text in enumerate(words) if text)  # fmt: skip

    @property
    def reminder(self) -> str:
        """Which reminder this is; empty for the first mail."""
        days = _DAYS.get(self.notice.step)
        return f"This is a reminder: it has been so for more than {days} days." if days else ""

    @property
    def outlook(self) -> str:
        """What will come next if nothing changes (R9)."""
        if self.notice.step is LAST_STEP:
            return "This is the last reminder. It stays listed until it is fixed."
        following = 7 if self.notice.step is Step.ALERT else _DAYS[self.notice.step] + 7
        return f"If nothing changes, you get a reminder on day {following}."

    @property
    def action(self) -> str:
        """What to do, as the words of a button."""
        return "Finish the set-up" if self.notice.state is State.PENDING else "Reconnect it"

    @property
    def why(self) -> str:
        """Why this reader gets this mail."""
        if self.origin == "automatic":
            return "You get this mail because you activated an integration."
        return "You get this mail because you have an integration alert."


def subject(notice: NoticeFacts) -> str:
    """The subject line; long names are shortened so that what happened stays readable."""
    days = _DAYS.get(notice.step)
    if notice.step is LAST_STEP:
        form = "Last reminder: {name} for {company} " + _still(notice.state)
    elif days:
        form = "{name} for {company} " + _still(notice.state) + f" after {days} days"
    else:
        form = "{name} for {company} " + _began(notice.state)
    room = SUBJECT_LIMIT - 1 - len(form.format(name="", company=""))
    name, company = one_line(notice.integration), one_line(notice.company)
    if len(name) + len(company) > room:
        name = shorten(name, max(room // 2, room - len(company)))
        company = shorten(company, room - len(name))
    return form.format(name=name, company=company)


def one_line(text: str) -> str:
    """Text from outside as one line without control characters, fit for a header."""
    visible = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(visible.split())


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, the last one an ellipsis where something is missing."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _began(state: State) -> str:
    return "stopped working" if state is State.FAILED else "is not set up yet"


def _still(state: State) -> str:
    return "is still broken" if state is State.FAILED else "is still not set up"
