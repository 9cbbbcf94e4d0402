"""The form of an alert: what was typed, which companies can be chosen, what is wrong with it.

Saves nothing. The same form makes and edits an alert; `look` only shows it again, for a search or
for another recipient, with everything that was typed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.http import QueryDict

from integration_alerts.alerts import choosing
from integration_alerts.alerts.choosing import Choice, Choices
from integration_alerts.directory.models import Company
from integration_alerts.rules.permissions import ALL_COMPANIES, Denial, Scope
from integration_alerts.web.wording import plain

SHOWN = 50
SHOWN_USERS = 200
RECIPIENT = "recipient"
COMPANIES = "companies"
_OF_COMPANIES = frozenset(
    {
        Denial.ALL_COMPANIES,
        Denial.COMPANY_NOT_SHARED,
        Denial.COMPANY_NOT_ACCESSIBLE,
        Denial.NO_COMPANY,
    }
)
_UNKNOWN_COMPANY = "One of the companies is no longer there. Look through them and save again."
_NO_SCOPE = "Choose all companies, or single ones."


@dataclass(frozen=True, slots=True)
class Typed:
    """What the form holds; an unreadable id is nobody's."""

    recipient: int | None = None
    scope: str = ""
    chosen: frozenset[int] = frozenset()
    tells_recovery: bool = False
    search: str = ""
    find: str = ""  # in the names and addresses of users, where they are many
    look: bool = False

    @property
    def wanted(self) -> Scope:
        """The scope that was asked for."""
        return ALL_COMPANIES if self.scope == "all" else Scope(self.chosen)


@dataclass(slots=True)
class CompanyChoices:
    """The companies of the form: what the search found first, then the other chosen ones."""

    rows: QuerySet[Company]
    typed: Typed
    may_choose_all: bool
    listed: list[Company] = field(init=False)
    more: int = field(init=False)

    def __post_init__(self) -> None:
        self.listed, self.more = choosing.matching(
            self.rows, self.typed.search, self.typed.chosen, SHOWN
        )
        if text := self.typed.search.casefold():
            self.listed.sort(key=lambda company: text not in company.name.casefold())

    @property
    def searchable(self) -> bool:
        """Whether there are enough companies for a search field."""
        return bool(self.more or self.typed.search) or len(self.listed) > 8


@dataclass(slots=True)
class RecipientChoices:
    """The users of the form: whoever is chosen, and the first of those that the search found."""

    choices: Choices
    typed: Typed
    chosen: Choice | None
    listed: list[Choice] = field(init=False)
    more: int = field(init=False)

    def __post_init__(self) -> None:
        text = self.typed.find.casefold()
        found = [choice for choice in self.choices.listed if text in choice.found_by.casefold()]
        self.more = max(len(found) - SHOWN_USERS, 0)
        self.listed = found[:SHOWN_USERS]
        if self.chosen is not None and self.chosen not in self.listed:
            self.listed.insert(0, self.chosen)

    @property
    def searchable(self) -> bool:
        """Whether there are too many users for one list."""
        return len(self.choices.listed) > SHOWN_USERS

    @property
    def anybody(self) -> bool:
        """Whether there is somebody who can be chosen."""
        return any(not choice.reason for choice in self.choices.listed)


def read(data: QueryDict) -> Typed:
    """What was typed."""
    return Typed(
        recipient=next(iter(_ids([data.get("recipient", "")])), None),
        scope=data.get("scope", ""),
        chosen=frozenset(_ids(data.getlist("company"))),
        tells_recovery=data.get("tells_recovery") == "on",
        search=plain(data.get("q", "")),
        find=plain(data.get("find", "")),
        look="look" in data,
    )


def problem(typed: Typed, rows: QuerySet[Company]) -> str:
    """What is wrong with the companies before the rules are asked; empty: nothing."""
    if typed.scope not in {"all", "chosen"}:
        return _NO_SCOPE
    if typed.scope == "all":
        return ""
    known = set(rows.filter(pk__in=typed.chosen).values_list("pk", flat=True))
    return _UNKNOWN_COMPANY if typed.chosen - known else ""


def field_of(denial: Denial) -> str:
    """The field beside which a refusal is told."""
    return COMPANIES if denial in _OF_COMPANIES else RECIPIENT


def _ids(texts: Iterable[str]) -> list[int]:
    return [int(text) for text in texts if re.fullmatch(r"[0-9]{1,18}", text)]
