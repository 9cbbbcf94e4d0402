"""The capacity model: what integrations with given habits take, from measured costs."""

from collections.abc import Mapping
from dataclasses import dataclass

SIZES = (3_000, 12_000)
"""Integrations of the two accounts that are measured."""
DAY = 86_400
NINE = 9  # notices in the larger of the two mails that were measured


@dataclass(frozen=True, slots=True)
class Habits:
    """How integrations behave, and how long what they leave is kept, in days."""

    reports: float
    """Unchanged reports a day of each integration."""
    incidents: float = 1 / 30
    """Incidents a day of each integration: one report opens each, another closes it."""
    recipients: float = 1.5
    """Of an incident."""
    mails: float = 1.3
    """To each recipient of an incident: the alert, and reminders where nobody reacts."""
    notices: float = 3
    """In a mail."""
    history: float = 400
    emails: float = 400
    messages: float = 90
    receipts: float = 30


@dataclass(frozen=True, slots=True)
class Need:
    """What it takes."""

    bytes: Mapping[str, float]
    """Stored, by what."""
    wal: float
    """Bytes of write-ahead log a second."""
    database: float
    """Cores of PostgreSQL."""
    program: float
    """Cores of our processes."""

    @property
    def stored(self) -> float:
        """Bytes in all."""
        return sum(self.bytes.values())


class Model:
    """Costs by name, as `benchmarks.capacity` measured them."""

    def __init__(self, samples: Mapping[str, list[float]]) -> None:
        self._samples = samples

    def row(self, *tables: str) -> float:
        """Bytes of a row of each of these tables, with indexes, without TOAST."""
        return sum(self._samples[f"{table}: bytes a row"][0] for table in tables)

    @property
    def text(self) -> float:
        """Bytes of the text of a mail that stand beside its row (TOAST): packed, few do."""
        return self.row("email TOAST")

    def cost(self, name: str, what: str) -> float:
        """One of `WAL bytes`, `CPU of PostgreSQL, ms` and `CPU of our processes, ms`, of one."""
        one = max(0.0, self._measured("mail with 1 notice", what))
        more = (max(one, self._measured("mail with 9 notices", what)) - one) / (NINE - 1)
        match name:
            case "mail":
                return max(0.0, one - more)
            case "notice":
                return more
            case "mending report":
                return max(0.0, self._measured(name, what) + self._measured("planned end", what))
            case _:
                return max(0.0, self._measured(name, what))

    def need(self, integrations: float, habits: Habits) -> Need:
        """What so many integrations with these habits take, all day long alike."""
        unchanged = integrations * habits.reports / DAY
        incidents = integrations * habits.incidents / DAY
        mails = incidents * habits.recipients * habits.mails / habits.notices

        def a_second(what: str) -> float:
            return (
                unchanged * self.cost("unchanged report", what)
                + incidents * self.cost("failing report", what)
                + incidents * self.cost("mending report", what)
                + mails * self.cost("mail", what)
                + mails * habits.notices * self.cost("notice", what)
            )

        a_mail = self.row("email", "delivery_attempt") + habits.notices * self.row("email_notice")
        return Need(
            {
                "integrations": integrations * self.row("integration", "state_change"),
                "event ids": (unchanged + 2 * incidents)
                * DAY
                * habits.receipts
                * self.row("report_receipt"),
                "history": incidents
                * DAY
                * (
                    habits.history * 2 * self.row("state_change")
                    + max(habits.history, habits.emails) * habits.mails * self.row("notice")
                    + max(habits.history, habits.emails) * self.row("incident")
                ),
                "mails": mails * DAY * habits.emails * a_mail,
                "texts of mails": mails * DAY * habits.messages * self.text,
            },
            a_second("WAL bytes"),
            a_second("CPU of PostgreSQL, ms") / 1000,
            a_second("CPU of our processes, ms") / 1000,
        )

    def _measured(self, name: str, what: str) -> float:
        return self._samples[f"{name}: {what}"][0]
