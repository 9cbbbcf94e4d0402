"""R24, R25: what an SMTP answer means for an email, and when the email is tried again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration_alerts.rules.retry import (
    Answer,
    Phase,
    Reason,
    Verdict,
    acceptance_unknown,
    decide,
    next_attempt_at,
    verdict,
)

FIRST = datetime(2026, 3, 27, 12, tzinfo=UTC)
FIVE_DAYS = timedelta(days=5)
SESSION_PHASES = [Phase.CONNECT, Phase.GREETING, Phase.TLS, Phase.AUTH]
EMAIL_PHASES = [Phase.SENDER, Phase.RECIPIENT, Phase.DATA, Phase.ACCEPTANCE]
BEFORE_ACCEPTANCE = [phase for phase in Phase if phase is not Phase.ACCEPTANCE]

attempts = st.integers(1, 10_000)
jitters = st.floats(0, 1, exclude_max=True)
elapsed = st.timedeltas(timedelta(0), timedelta(days=6))


def answer(phase: Phase, code: int | None) -> Answer:
    return Answer(phase, code, "")


@pytest.mark.parametrize("code", [200, 250, 251, 299])
def test_a_positive_answer_to_the_final_dot_is_an_acceptance(code: int) -> None:
    decision = decide(answer(Phase.ACCEPTANCE, code))
    assert (decision.verdict, decision.reason) == (Verdict.ACCEPTED, Reason.ACCEPTED)


@pytest.mark.parametrize("phase", BEFORE_ACCEPTANCE)
@pytest.mark.parametrize("code", [220, 250, 354])
def test_no_other_phase_can_accept_an_email(phase: Phase, code: int) -> None:
    decision = decide(answer(phase, code))
    assert (decision.verdict, decision.reason) == (Verdict.TRANSIENT, Reason.UNEXPECTED)


@pytest.mark.parametrize("phase", EMAIL_PHASES)
@pytest.mark.parametrize("code", [500, 501, 521, 541, 550, 553, 554, 571, 599])
def test_a_refusal_of_this_email_is_permanent(phase: Phase, code: int) -> None:
    decision = decide(answer(phase, code))
    assert (decision.verdict, decision.reason) == (Verdict.PERMANENT, Reason.REFUSED)


@pytest.mark.parametrize("phase", SESSION_PHASES)
@pytest.mark.parametrize("code", [500, 530, 535, 550, 554])
def test_a_refusal_of_the_session_fails_no_email(phase: Phase, code: int) -> None:
    decision = decide(answer(phase, code))
    assert (decision.verdict, decision.reason) == (Verdict.TRANSIENT, Reason.NOT_THIS_EMAIL)


@pytest.mark.parametrize("phase", EMAIL_PHASES)
@pytest.mark.parametrize("code", [503, 530, 534, 535, 538])
def test_a_missing_sign_in_or_encryption_fails_no_email(phase: Phase, code: int) -> None:
    decision = decide(answer(phase, code))
    assert (decision.verdict, decision.reason) == (Verdict.TRANSIENT, Reason.NOT_THIS_EMAIL)


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("code", [400, 421, 432, 450, 451, 452, 454, 499])
def test_try_later_is_transient_in_every_phase(phase: Phase, code: int) -> None:
    decision = decide(answer(phase, code))
    assert (decision.verdict, decision.reason) == (Verdict.TRANSIENT, Reason.TRY_LATER)


@pytest.mark.parametrize(
    ("phase", "expected", "reason"),
    [
        (Phase.SENDER, Verdict.PERMANENT, Reason.REFUSED),
        (Phase.RECIPIENT, Verdict.TRANSIENT, Reason.RECIPIENT_LIMIT),
        (Phase.DATA, Verdict.PERMANENT, Reason.REFUSED),
        (Phase.ACCEPTANCE, Verdict.PERMANENT, Reason.REFUSED),
    ],
)
def test_552_is_a_limit_that_passes_only_for_the_recipient(
    phase: Phase, expected: Verdict, reason: Reason
) -> None:
    decision = decide(answer(phase, 552))
    assert (decision.verdict, decision.reason) == (expected, reason)


@pytest.mark.parametrize("phase", BEFORE_ACCEPTANCE)
def test_no_answer_before_the_final_dot_is_transient(phase: Phase) -> None:
    decision = decide(answer(phase, None))
    assert (decision.verdict, decision.reason) == (Verdict.TRANSIENT, Reason.NO_ANSWER)
    assert not acceptance_unknown(answer(phase, None))


@pytest.mark.parametrize("code", [None, 0, 100, 334, 354, 600, 999])
def test_without_yes_or_no_after_the_final_dot_acceptance_is_unknown(code: int | None) -> None:
    decision = decide(answer(Phase.ACCEPTANCE, code))
    assert (decision.verdict, decision.reason) == (Verdict.TRANSIENT, Reason.ACCEPTANCE_UNKNOWN)
    assert acceptance_unknown(answer(Phase.ACCEPTANCE, code))


@pytest.mark.parametrize("code", [250, 421, 451, 550])
def test_yes_or_no_after_the_final_dot_is_known(code: int) -> None:
    assert not acceptance_unknown(answer(Phase.ACCEPTANCE, code))


@pytest.mark.parametrize("phase", BEFORE_ACCEPTANCE)
@pytest.mark.parametrize("code", [-1, 0, 199, 600, 999])
def test_nonsense_is_transient(phase: Phase, code: int) -> None:
    decision = decide(answer(phase, code))
    assert (decision.verdict, decision.reason) == (Verdict.TRANSIENT, Reason.UNEXPECTED)


@given(st.sampled_from(Phase), st.none() | st.integers(-10, 1_000))
def test_the_verdict_alone_is_that_of_the_decision(phase: Phase, code: int | None) -> None:
    assert verdict(answer(phase, code)) is decide(answer(phase, code)).verdict


@pytest.mark.parametrize(
    ("made", "seconds"),
    [(0, 10), (1, 10), (2, 20), (3, 40), (4, 80), (10, 5_120), (11, 7_200), (12, 7_200)],
)
def test_the_delay_doubles_from_10_seconds_to_2_hours(made: int, seconds: int) -> None:
    assert next_attempt_at(made, FIRST, FIRST, 0.5) == FIRST + timedelta(seconds=seconds)


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 7.5), (0.5, 10), (0.75, 11.25)])
def test_jitter_spreads_the_delay(jitter: float, seconds: float) -> None:
    assert next_attempt_at(1, FIRST, FIRST, jitter) == FIRST + timedelta(seconds=seconds)


def test_an_attempt_exactly_5_days_after_the_first_is_the_last() -> None:
    now = FIRST + FIVE_DAYS - timedelta(hours=2)
    assert next_attempt_at(100, FIRST, now, 0.5) == FIRST + FIVE_DAYS
    assert next_attempt_at(100, FIRST, now + timedelta(microseconds=1), 0.5) is None


def test_attempts_go_on_for_5_days() -> None:
    now, made = FIRST, 1
    while (planned := next_attempt_at(made, FIRST, now, 0.5)) is not None:
        now, made = planned, made + 1
    assert FIRST + FIVE_DAYS - timedelta(hours=2) < now <= FIRST + FIVE_DAYS
    assert made == 69


@given(attempts, elapsed, jitters)
def test_an_attempt_is_in_the_future_and_within_5_days(
    made: int, since: timedelta, jitter: float
) -> None:
    planned = next_attempt_at(made, FIRST, FIRST + since, jitter)
    assert planned is None or FIRST + since < planned <= FIRST + FIVE_DAYS


@given(attempts, jitters)
def test_jitter_is_at_most_a_quarter_to_either_side(made: int, jitter: float) -> None:
    middle = next_attempt_at(made, FIRST, FIRST, 0.5)
    planned = next_attempt_at(made, FIRST, FIRST, jitter)
    assert middle is not None
    assert planned is not None
    assert abs((planned - FIRST) / (middle - FIRST) - 1) <= 0.25


@given(attempts, elapsed, jitters, jitters)
def test_more_attempts_time_or_jitter_never_bring_the_next_one_forward(
    made: int, since: timedelta, jitter: float, other: float
) -> None:
    def planned(made: int, since: timedelta, jitter: float) -> datetime:
        return next_attempt_at(made, FIRST, FIRST + since, jitter) or datetime.max.replace(
            tzinfo=UTC
        )

    low, high = sorted([jitter, other])
    earliest = planned(made, since, low)
    assert earliest <= planned(made + 1, since, low)
    assert earliest <= planned(made, since + timedelta(minutes=1), low)
    assert earliest <= planned(made, since, high)
