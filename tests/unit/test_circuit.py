"""When the circuit of a mailer opens, when it is probed, when it closes (rules.circuit)."""

from datetime import UTC, datetime, timedelta

import pytest

from integration_alerts.rules.circuit import (
    closes,
    closes_after_attempt,
    next_probe_at,
    opens,
)
from integration_alerts.rules.retry import Answer, Phase, Verdict, verdict

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

TABLE = [
    # phase, code: opens?
    (Phase.AUTH, 535, True),
    (Phase.AUTH, 534, True),
    (Phase.AUTH, 454, True),
    (Phase.AUTH, None, True),
    (Phase.TLS, None, True),
    (Phase.TLS, 454, True),
    (Phase.SENDER, 530, True),
    (Phase.RECIPIENT, 530, True),
    (Phase.SENDER, 535, True),
    (Phase.SENDER, 538, True),
    (Phase.CONNECT, None, False),
    (Phase.GREETING, 421, False),
    (Phase.GREETING, 554, False),
    (Phase.SENDER, 550, False),
    (Phase.SENDER, 503, False),
    (Phase.RECIPIENT, 450, False),
    (Phase.RECIPIENT, 550, False),
    (Phase.DATA, 554, False),
    (Phase.ACCEPTANCE, None, False),
    (Phase.ACCEPTANCE, 250, False),
]


@pytest.mark.parametrize(("phase", "code", "expected"), TABLE)
def test_only_what_no_email_would_escape_opens_it(
    phase: Phase, code: int | None, *, expected: bool
) -> None:
    assert opens(Answer(phase, code, "")) is expected


@pytest.mark.parametrize(("phase", "code", "expected"), TABLE)
def test_what_opens_it_never_ends_an_email(
    phase: Phase, code: int | None, *, expected: bool
) -> None:
    if expected:
        assert verdict(Answer(phase, code, "")) is Verdict.TRANSIENT


@pytest.mark.parametrize(
    ("phase", "code", "expected"),
    [
        (Phase.GREETING, 250, True),
        (Phase.ACCEPTANCE, 250, True),
        (Phase.GREETING, 421, False),
        (Phase.AUTH, 535, False),
        (Phase.CONNECT, None, False),
        (Phase.TLS, None, False),
    ],
)
def test_a_look_closes_it_only_when_the_server_says_yes(
    phase: Phase, code: int | None, *, expected: bool
) -> None:
    assert closes(Answer(phase, code, "")) is expected


@pytest.mark.parametrize(
    ("phase", "code", "expected"),
    [
        (Phase.ACCEPTANCE, 250, True),
        (Phase.RECIPIENT, 550, True),
        (Phase.ACCEPTANCE, 451, True),
        (Phase.AUTH, 535, False),
        (Phase.CONNECT, None, False),
        (Phase.ACCEPTANCE, None, False),
    ],
)
def test_an_email_sent_as_a_probe_closes_it_when_it_was_spoken_about(
    phase: Phase, code: int | None, *, expected: bool
) -> None:
    assert closes_after_attempt(Answer(phase, code, "")) is expected


@pytest.mark.parametrize(
    ("probes", "seconds"),
    [(0, 10), (1, 20), (2, 40), (3, 80), (4, 160), (5, 300), (6, 300), (1000, 300)],
)
def test_looks_are_ten_seconds_apart_at_first_and_five_minutes_in_the_end(
    probes: int, seconds: int
) -> None:
    assert next_probe_at(probes, NOW) == NOW + timedelta(seconds=seconds)
