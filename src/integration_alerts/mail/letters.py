"""The facts that an email tells to one reader. Plain values: they are fetched by `gathering`.

What is said about them is `subjects`, `lines` and `content`; the bytes are `rendering`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from integration_alerts.mail.arranging import Arrangement, Item, Urgency, arrange
from integration_alerts.mail.brand import Brand
from integration_alerts.rules.schedule import LAST_STEP, REMINDER_DAYS, Step
from integration_alerts.rules.states import State


class NoticeFacts(Struct, frozen=True):
    """One notice as an email needs to know it."""

    item: Item
    integration: str
    provider: str
    reason_code: str
    reason_message: str
    fix_url: str
    page_url: str  # of the integration
    flapping: bool = False

    @property
    def company(self) -> str:
        """The name of its company."""
        return self.item.company_name

    @property
    def state(self) -> State:
        """The state it tells of."""
        return self.item.state

    @property
    def step(self) -> Step:
        """Which mail about that state it is."""
        return self.item.step

    @property
    def is_last(self) -> bool:
        """Whether no mail about this state follows (R9)."""
        return self.item.step is LAST_STEP

    @property
    def recovered(self) -> bool:
        """Whether nothing is to be done about it."""
        return self.item.urgency is Urgency.RECOVERED

    @property
    def days(self) -> int | None:
        """After how many days it reminds; None: it is not a reminder."""
        return REMINDER_DAYS.get(self.item.step)


class Links(Struct, frozen=True):
    """Where the mail leads, beside the integrations themselves."""

    listing: str  # the account's integrations
    manage: str  # the reader's alerts
    unsubscribe: str


class Letter(Struct, frozen=True):
    """Everything that one email tells to one reader."""

    written_at: datetime  # what "2 hours ago" is reckoned from
    account: str
    time_zone: str
    brand: Brand
    reader: str
    origin: str  # how the reader's subscription came to be
    links: Links
    arrangement: Arrangement
    notices: Mapping[int, NoticeFacts]  # those that are shown, by the numbers of their notices
    told: Mapping[int, str] = {}  # by company: who else, in words
    connected_by: Mapping[str, str] = {}  # by connection: a name
    test: bool = False  # asked for to see how it looks; nothing of it happened

    @property
    def only(self) -> NoticeFacts | None:
        """The notice, if it is the only one."""
        return self._of(self.arrangement.items) if len(self.arrangement.items) == 1 else None

    @property
    def only_needing(self) -> NoticeFacts | None:
        """The one notice that somebody must do something about, if it is the only such."""
        needing = self.arrangement.needing
        return self._of(needing) if len(needing) == 1 else None

    def _of(self, items: tuple[Item, ...]) -> NoticeFacts | None:
        return self.notices.get(items[0].notice)


def arranged(notices: Iterable[NoticeFacts]) -> tuple[Arrangement, dict[int, NoticeFacts]]:
    """Notices in the order of a mail, for a letter."""
    by_number = {facts.item.notice: facts for facts in notices}
    return arrange(facts.item for facts in by_number.values()), by_number
