"""Grouping under random arrivals, lateness, crashes and orders (SPEC R7, R22).

A model of its own: what must hold of the mails is read off the arrivals, not off the rules.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.world import STATIONERY, World

from integration_alerts.alerts.models import Notice
from integration_alerts.mail import outbox
from integration_alerts.mail.models import Email, EmailNotice

pytestmark = pytest.mark.django_db

MAY_SEE = {"north": ["ada", "max"], "south": ["ada"]}


@dataclass(frozen=True)
class Arrival:
    """Some seconds after the one before, these companies' integrations fail."""

    gap: int
    companies: tuple[str, ...]
    crash: bool


arrivals = st.lists(
    st.builds(
        Arrival,
        gap=st.sampled_from([0, 1, 10, 29, 30, 31, 120, 299, 300, 301, 700]),
        companies=st.lists(st.sampled_from(["north", "south"]), min_size=1, max_size=3).map(tuple),
        crash=st.booleans(),
    ),
    min_size=1,
    max_size=8,
)
rhythms = st.sampled_from([(30, 300), (0, 300), (30, 0), (0, 0), (300, 30)])


def play(world: World, story: list[Arrival], *, crashes: bool, backwards: bool) -> None:
    """Live through the arrivals, with a worker that is always there; then let all mails go."""
    number = 0
    for arrival in story:
        crash = crashes and arrival.crash
        until(world, world.now + timedelta(seconds=arrival.gap), crash=crash)
        reports = []
        for company in arrival.companies:
            reports.append(world.a_report("failed", f"i{number}", company=company))
            number += 1
        world.take(*(reports[::-1] if backwards else reports))
        world.plan()
        deliver(world, crash=crash)
    until(world, world.now + timedelta(hours=1), crash=crashes)


def until(world: World, end: datetime, *, crash: bool) -> None:
    """Work at every instant at which something is due, up to the end; crash at the first."""
    while True:
        due = Email.objects.filter(status="queued").order_by("next_attempt_at").first()
        if due is None or due.next_attempt_at is None or due.next_attempt_at > end:
            break
        world.now = max(world.now, due.next_attempt_at)
        deliver(world, crash=crash)
        crash = False
    world.now = end


def deliver(world: World, *, crash: bool) -> None:
    """Send what is due; with a crash, another worker has claimed it before and died."""
    if crash:
        outbox.claim(uuid4(), world.now, 100, STATIONERY)
        outbox.give_back_abandoned([world.worker], world.now)
    world.deliver()


def mails(world: World, member: str) -> list[Email]:
    found = Email.objects.filter(member=world.member(member)).order_by("date", "id")
    assert {mail.status for mail in found} <= {"sent"}
    assert all(mail.ended_at == mail.date for mail in found)  # sent when written, crash or not
    return list(found)


def arrived(mail: Email) -> list[datetime]:
    items = EmailNotice.objects.filter(email=mail, released=False).select_related("notice")
    return [item.notice.planned_at for item in items]


@given(story=arrivals, rhythm=rhythms)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_notice_is_in_one_mail_of_each_recipient_neither_early_nor_late(
    world: World, story: list[Arrival], rhythm: tuple[int, int]
) -> None:
    wait, interval = (timedelta(seconds=number) for number in rhythm)
    with transaction.atomic():
        world.group(wait=rhythm[0], interval=rhythm[1])
        begin = world.now
        play(world, story, crashes=True, backwards=False)
        for company, members in MAY_SEE.items():
            for notice in Notice.objects.filter(
                incident__integration__company=world.company(company)
            ):
                told = EmailNotice.objects.filter(notice=notice, released=False)
                assert sorted(item.member.external_id for item in told) == members
        for member in ("ada", "max"):
            last = None
            for mail in mails(world, member):
                first, latest = min(arrived(mail)), max(arrived(mail))
                if last is None or first >= last + interval:
                    assert mail.date == max(first + wait, latest)  # the wait, and no longer
                else:
                    assert mail.date == last + interval  # the beat
                last = mail.date
        world.now = begin
        transaction.set_rollback(True)


@given(story=arrivals, rhythm=rhythms)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_neither_the_order_of_an_instant_nor_restarts_matter(
    world: World, story: list[Arrival], rhythm: tuple[int, int]
) -> None:
    outcomes = []
    for crashes, backwards in ((False, False), (True, True)):
        with transaction.atomic():
            world.group(wait=rhythm[0], interval=rhythm[1])
            begin = world.now
            play(world, story, crashes=crashes, backwards=backwards)
            outcomes.append(
                Counter(
                    (item.member.external_id, item.email.date - begin, integration(item))
                    for item in EmailNotice.objects.filter(released=False)
                )
            )
            world.now = begin
            transaction.set_rollback(True)
    assert outcomes[0] == outcomes[1]


def integration(item: EmailNotice) -> str:
    return item.notice.incident.integration.external_id
