"""How fast mails may go (rules.pace): by example, and against what a rate promises."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration_alerts.rules.pace import Lane, Rate, Waiting, admit

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FREE = Lane(START, START)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def mails(count: int, *lanes: str, has_place: bool = False) -> list[Waiting]:
    return [Waiting(f"{number:03}", lanes, has_place) for number in range(count)]


@pytest.mark.parametrize(
    ("per_second", "burst"), [(0.1, 1), (1, 1), (1.9, 1), (2, 2), (20, 20), (50.5, 50)]
)
def test_after_a_pause_a_second_s_worth_may_go_at_once(per_second: float, burst: int) -> None:
    outcome = admit(mails(100, "mailer"), {"mailer": FREE}, {"mailer": Rate(per_second)}, START)
    assert len(outcome.going) == burst
    assert outcome.going == {f"{number:03}" for number in range(burst)}


def test_those_who_must_wait_have_their_turns_one_interval_apart() -> None:
    outcome = admit(mails(5, "mailer"), {"mailer": FREE}, {"mailer": Rate(2)}, START)
    assert outcome.going == {"000", "001"}
    assert outcome.places == {"002": at(1), "003": at(1.5), "004": at(2)}


def test_a_slow_rate_lets_the_first_go_and_the_next_when_its_interval_is_over() -> None:
    outcome = admit(mails(3, "mailer"), {"mailer": FREE}, {"mailer": Rate(0.5)}, START)
    assert outcome.going == {"000"}
    assert outcome.places == {"001": at(2), "002": at(4)}


def test_whose_turn_has_come_goes() -> None:
    lanes = {"mailer": Lane(at(1), at(2))}
    outcome = admit(mails(1, "mailer", has_place=True), lanes, {"mailer": Rate(1)}, at(1))
    assert outcome.going == {"000"}


def test_who_has_no_place_does_not_overtake_the_line() -> None:
    lanes = {"mailer": Lane(at(0), at(60))}
    outcome = admit(mails(1, "mailer"), lanes, {"mailer": Rate(2)}, at(5))
    assert outcome.places == {"000": at(60.5)}


def test_a_full_lane_does_not_hold_up_another() -> None:
    lanes = {"@full.example": Lane(at(60), at(90)), "@free.example": FREE}
    rates = {"@full.example": Rate(1), "@free.example": Rate(1)}
    wanting = [
        Waiting("slow", ("@full.example",), False),
        Waiting("quick", ("@free.example",), False),
    ]
    outcome = admit(wanting, lanes, rates, START)
    assert outcome.going == {"quick"}
    assert outcome.places == {"slow": at(91)}


def test_a_mail_that_waits_for_its_domain_takes_nothing_of_the_mailer() -> None:
    lanes = {"mailer": FREE, "@full.example": Lane(at(60), at(90))}
    rates = {"mailer": Rate(1), "@full.example": Rate(1)}
    outcome = admit(mails(1, "mailer", "@full.example"), lanes, rates, START)
    assert outcome.lanes["mailer"] == FREE
    assert outcome.places == {"000": at(91)}


def test_a_mail_that_needs_two_lanes_goes_when_both_are_open_and_counts_in_both() -> None:
    rates = {"mailer": Rate(4), "@a.example": Rate(2)}
    lanes = {"mailer": FREE, "@a.example": FREE}
    outcome = admit(mails(1, "mailer", "@a.example"), lanes, rates, START)
    assert outcome.going == {"000"}
    assert outcome.lanes == {"mailer": Lane(at(0.25), START), "@a.example": Lane(at(0.5), START)}


def test_a_mail_without_a_lane_goes() -> None:
    assert admit(mails(2), {}, {}, START).going == {"000", "001"}


@st.composite
def arrivals(draw: st.DrawFn) -> list[tuple[float, int]]:
    gaps = draw(st.lists(st.floats(0, 5), min_size=1, max_size=12))
    sizes = draw(st.lists(st.integers(1, 30), min_size=len(gaps), max_size=len(gaps)))
    times, now = [], 0.0
    for gap in gaps:
        now += gap
        times.append(now)
    return list(zip(times, sizes, strict=True))


@given(arrivals(), st.sampled_from([0.5, 1.0, 3.0, 20.0]), st.sampled_from([1.0, 7.0]))
def test_no_window_sees_more_than_its_rate_and_the_burst_and_everybody_goes(
    batches: list[tuple[float, int]], mailer: float, domain: float
) -> None:
    rates = {"mailer": Rate(mailer), "@a": Rate(domain)}
    lanes = {"mailer": FREE, "@a": FREE}
    queue = [
        (at(when), f"{batch}-{number}", ("mailer", "@a") if number % 2 else ("mailer",), False)
        for batch, (when, size) in enumerate(batches)
        for number in range(size)
    ]
    gone: dict[str, list[datetime]] = {"mailer": [], "@a": []}
    looks = 0
    total = len(queue)
    while queue:
        queue.sort()
        now = queue[0][0]
        due, queue = [mail for mail in queue if mail[0] <= now], [m for m in queue if m[0] > now]
        outcome = admit([Waiting(key, needed, placed) for _, key, needed, placed in due],
                        lanes, rates, now)  # fmt: skip
        lanes = dict(outcome.lanes)
        looks += len(due)
        for _, key, needed, _ in due:
            if key in outcome.going:
                for lane in needed:
                    gone[lane].append(now)
            else:
                assert outcome.places[key] > now
                queue.append((outcome.places[key], key, needed, True))
    assert len(gone["mailer"]) == total
    assert looks <= 4 * total  # nobody is looked at over and over
    for lane, times in gone.items():
        rate = rates[lane]
        for first, start in enumerate(times):
            for last in range(first, len(times)):
                seconds = (times[last] - start).total_seconds()
                allowed = rate.per_second * seconds + rate.burst + 1e-6 * (last - first + 1)
                assert last - first + 1 <= allowed
