"""A server that takes nothing from strangers at first (greylisting, RFC 6647), over real SMTP."""

import dataclasses

import pytest
from tests.smtp_server import SmtpServer
from tests.world import STATIONERY, World

from integration_alerts.mail.email_url import MailServer, parse_email_url
from integration_alerts.mail.lanes import Lanes
from integration_alerts.mail.models import DeliveryAttempt, Email
from integration_alerts.mail.smtp import SmtpMailer

pytestmark = pytest.mark.django_db
LATER = "450 4.2.0 greylisted, come back in five minutes"


class Greylist:
    """Knows who sent to whom: it takes a pair only once it has seen it before."""

    def __init__(self) -> None:
        self.sender = ""
        self.pairs: list[tuple[str, str]] = []

    def hear_sender(self, address: str) -> None:
        self.sender = address

    def judge(self, recipient: str) -> str | None:
        pair = (self.sender, recipient)
        known = pair in self.pairs
        self.pairs.append(pair)
        return None if known else LATER


def test_the_same_bytes_arrive_once_from_the_same_return_path(world: World) -> None:
    world.stationery = dataclasses.replace(STATIONERY, bounce_address="back@platform.example")
    world.queue(3)
    greylist = Greylist()
    with SmtpServer() as server:
        server.respond(sender=greylist.hear_sender, recipient=greylist.judge)
        read = parse_email_url(server.url)
        assert isinstance(read, MailServer)
        courier = dataclasses.replace(world.courier(), mailer=SmtpMailer(read))
        Lanes(courier).run()
        assert server.messages == []
        kept = {bytes(row.message or b"") for row in Email.objects.all()}
        world.pass_time(minutes=5)
        Lanes(courier).run()
        courier.mailer.close()
        received = server.messages
    assert {mail.data for mail in received} == kept
    assert len(received) == 3
    assert len(set(greylist.pairs)) == 3
    attempts = DeliveryAttempt.objects.order_by("id").values_list("phase", "code")
    assert list(attempts) == [("recipient", 450)] * 3 + [("acceptance", 250)] * 3
