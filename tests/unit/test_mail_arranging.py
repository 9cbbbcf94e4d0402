"""In which order a mail lists its notices, what is one cause, and what is left out (SPEC R22)."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from integration_alerts.mail.arranging import LINES, Item, Urgency, arrange
from integration_alerts.rules.schedule import Step
from integration_alerts.rules.states import State

NOON = datetime(2026, 5, 3, 12, tzinfo=UTC)
FAILED, PENDING, ACTIVE = State.FAILED, State.PENDING, State.ACTIVE


def item(
    number: int, state: State = FAILED, *, company: int = 1, connection: str = "",
    integration: int | None = None, minutes: int = 0,
) -> Item:  # fmt: skip
    step = Step.RECOVERY if state is ACTIVE else Step.ALERT
    return Item(
        number, number if integration is None else integration, company, f"Company {company}",
        state, step, NOON - timedelta(minutes=minutes), connection,
    )  # fmt: skip


def listed(*items: Item, lines: int = LINES) -> list[tuple[int, list[int]]]:
    found = arrange(items, lines).companies
    return [(block.company, [each.notice for each in block.items]) for block in found]


def test_failed_come_before_pending_before_recovered() -> None:
    assert listed(item(1, ACTIVE), item(2, PENDING), item(3)) == [(1, [3, 2, 1])]


def test_of_the_same_urgency_the_latest_comes_first() -> None:
    assert listed(item(1, minutes=9), item(2, minutes=1), item(3, minutes=5)) == [(1, [2, 3, 1])]


def test_companies_with_the_most_urgent_come_first_then_those_with_most_of_it() -> None:
    assert listed(
        item(1, PENDING, company=1), item(2, PENDING, company=1), item(3, ACTIVE, company=2),
        item(4, company=3), item(5, company=4), item(6, company=4), item(7, company=5),
    ) == [(4, [5, 6]), (3, [4]), (5, [7]), (1, [1, 2]), (2, [3])]  # fmt: skip


def test_two_that_share_a_connection_are_one_cause() -> None:
    found = arrange([item(1, connection="g", company=2), item(2, connection="g"), item(3)])
    (cause,) = found.causes
    assert [each.notice for each in cause.items] == [1, 2]
    assert [block.company for block in cause.companies] == [1, 2]
    assert [block.items[0].notice for block in found.companies] == [3]


def test_one_alone_with_its_connection_is_no_cause() -> None:
    assert arrange([item(1, connection="g"), item(2, connection="h")]).causes == ()


def test_failed_and_pending_of_one_connection_are_two_causes() -> None:
    items = [item(number, FAILED if number < 3 else PENDING, connection="g") for number in range(5)]
    found = arrange(items).causes
    assert [(cause.urgency, len(cause.items)) for cause in found] == [
        (Urgency.FAILED, 3), (Urgency.PENDING, 2),
    ]  # fmt: skip


def test_recoveries_are_no_cause() -> None:
    assert arrange([item(1, ACTIVE, connection="g"), item(2, ACTIVE, connection="g")]).causes == ()


def test_an_integration_stands_once_with_what_is_most_urgent() -> None:
    twice = arrange([item(1, ACTIVE, integration=7), item(2, PENDING, integration=7)])
    assert [each.notice for each in twice.items] == [2]
    again = arrange([item(1, integration=7), item(2, integration=7)])
    assert [each.notice for each in again.items] == [2]


def test_what_does_not_fit_is_counted() -> None:
    found = arrange(item(number, company=number % 3) for number in range(70))
    assert sum(len(block.items) for block in found.companies) == 50
    assert found.left_out == 20


def test_a_cause_takes_lines_and_leaves_the_rest_to_others() -> None:
    shared = [item(number, connection="g", company=number) for number in range(200)]
    found = arrange([*shared, *(item(1000 + number) for number in range(60))])
    (cause,) = found.causes
    assert (len(cause.companies), cause.company_total, len(cause.items)) == (20, 200, 200)
    assert sum(len(block.items) for block in found.companies) == 50 - 21
    assert found.left_out == 31


def test_causes_that_do_not_fit_are_left_out_whole() -> None:
    items = [item(number, connection=f"c{number // 2}") for number in range(80)]
    found = arrange(items)
    assert len(found.causes) == 25
    assert found.left_out == 30


ITEMS = st.lists(
    st.builds(
        item,
        st.integers(1, 400),
        st.sampled_from([FAILED, PENDING, ACTIVE]),
        company=st.integers(1, 30),
        connection=st.sampled_from(["", "", "a", "b", "c"]),
        minutes=st.integers(0, 99),
    ),
    max_size=120,
    unique_by=lambda each: each.notice,
)


@given(ITEMS, st.randoms())
def test_all_are_counted_few_are_shown_and_the_order_of_arrival_does_not_matter(
    items: list[Item], random: object
) -> None:
    found = arrange(items)
    listed_alone = sum(len(block.items) for block in found.companies)
    of_causes = sum(len(cause.items) for cause in found.causes)
    assert listed_alone + of_causes + found.left_out == len(items)
    used = sum(1 + len(cause.companies) for cause in found.causes) + listed_alone
    assert used <= LINES
    random.shuffle(items)  # type: ignore[attr-defined]
    assert arrange(items) == found
