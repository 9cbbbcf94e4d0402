"""How a mail lists its notices: what is one cause, which companies come first, what is left out.

Pure, and about order and numbers alone: what a line says is `lines`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import IntEnum

from msgspec import Struct

from integration_alerts.rules.schedule import Step
from integration_alerts.rules.states import State

LINES = 50  # of a mail; it leaves the others to the list page
COMPANIES_OF_A_CAUSE = 20
NAMES_OF_A_CAUSE = 3  # of a company's integrations that one sign-in broke


class Urgency(IntEnum):
    """What comes first."""

    FAILED = 0
    PENDING = 1
    RECOVERED = 2


_URGENCIES = {State.FAILED: Urgency.FAILED, State.PENDING: Urgency.PENDING}


class Item(Struct, frozen=True):
    """A notice as far as it matters for its place in the mail."""

    notice: int
    integration: int
    company: int
    company_name: str
    state: State
    step: Step
    since: datetime
    connection: str

    @property
    def urgency(self) -> Urgency:
        """How urgent it is."""
        return _URGENCIES.get(self.state, Urgency.RECOVERED)


class CompanyItems(Struct, frozen=True):
    """What is listed of a company; `total` counts those left out too."""

    company: int
    name: str
    items: tuple[Item, ...]
    total: int


class Cause(Struct, frozen=True):
    """A connection that several integrations share, broken or not set up."""

    connection: str
    urgency: Urgency
    items: tuple[Item, ...]  # all of them, also those that are left out
    companies: tuple[CompanyItems, ...]
    company_total: int


class Arrangement(Struct, frozen=True):
    """A whole mail, in its order."""

    items: tuple[Item, ...]  # one for each integration
    causes: tuple[Cause, ...]
    companies: tuple[CompanyItems, ...]
    left_out: int  # integrations that neither a cause nor a line speaks of

    @property
    def needing(self) -> tuple[Item, ...]:
        """Those that somebody must do something about."""
        return tuple(item for item in self.items if item.urgency is not Urgency.RECOVERED)

    @property
    def shown(self) -> tuple[Item, ...]:
        """Those that are named."""
        blocks = [*(block for cause in self.causes for block in cause.companies), *self.companies]
        return tuple(item for block in blocks for item in block.items)

    def number(self, urgency: Urgency) -> int:
        """How many integrations are this urgent."""
        return sum(item.urgency is urgency for item in self.items)


def arrange(items: Iterable[Item], lines: int = LINES) -> Arrangement:
    """Put the notices of a mail in order and keep what fits into this many lines."""
    kept = _one_each(items)
    shared: dict[tuple[Urgency, str], list[Item]] = defaultdict(list)
    for item in kept:
        if item.connection and item.urgency is not Urgency.RECOVERED:
            shared[item.urgency, item.connection].append(item)
    together = {key: found for key, found in shared.items() if len(found) > 1}
    alone = [item for item in kept if (item.urgency, item.connection) not in together]
    causes, left = _causes(together, lines)
    companies = _first(_companies(alone), left)
    told = sum(len(cause.items) for cause in causes) + sum(len(c.items) for c in companies)
    return Arrangement(kept, causes, companies, len(kept) - told)


def _one_each(items: Iterable[Item]) -> tuple[Item, ...]:
    """Of each integration the most urgent notice, and the latest of those: it speaks for all."""
    best: dict[int, Item] = {}
    for item in items:
        other = best.get(item.integration)
        if other is None or (item.urgency, -item.notice) < (other.urgency, -other.notice):
            best[item.integration] = item
    return tuple(sorted(best.values(), key=_place))


def _place(item: Item) -> tuple[Urgency, float, int]:
    return item.urgency, -item.since.timestamp(), item.notice


def _causes(
    together: dict[tuple[Urgency, str], list[Item]], lines: int
) -> tuple[tuple[Cause, ...], int]:
    """The causes that fit, those of most integrations first, and how many lines are left."""
    found: list[Cause] = []
    ordered = sorted(together.items(), key=lambda each: (each[0][0], -len(each[1]), each[0][1]))
    for (urgency, connection), items in ordered:
        if lines < 2:  # a cause and its first company
            break
        companies = _companies(items)
        shown = companies[: min(lines - 1, COMPANIES_OF_A_CAUSE)]
        lines -= 1 + len(shown)
        named = tuple(
            CompanyItems(each.company, each.name, each.items[:NAMES_OF_A_CAUSE], each.total)
            for each in shown
        )
        found.append(Cause(connection, urgency, tuple(items), named, len(companies)))
    return tuple(found), lines


def _companies(items: Sequence[Item]) -> list[CompanyItems]:
    """By company; those with the most urgent first, and of those the ones with most of it."""
    by_company: dict[int, list[Item]] = defaultdict(list)
    for item in items:
        by_company[item.company].append(item)
    blocks = [
        CompanyItems(company, found[0].company_name, tuple(found), len(found))
        for company, found in by_company.items()
    ]
    return sorted(blocks, key=_rank)


def _rank(block: CompanyItems) -> tuple[Urgency, int, str, int]:
    urgency = block.items[0].urgency  # the items are in order
    alike = sum(item.urgency is urgency for item in block.items)
    return urgency, -alike, block.name.casefold(), block.company


def _first(blocks: Iterable[CompanyItems], lines: int) -> tuple[CompanyItems, ...]:
    shown: list[CompanyItems] = []
    for block in blocks:
        if lines <= 0:
            break
        items = block.items[:lines]
        lines -= len(items)
        shown.append(CompanyItems(block.company, block.name, items, block.total))
    return tuple(shown)
