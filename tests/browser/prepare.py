"""Fills a migrated database with the demo's people and their story; prints who is signed in.

Run as a program, in the environment of an installation: `python -m tests.browser.prepare`.
"""

import json
import os
import sys
from datetime import timedelta
from pathlib import Path

import django
from django.test import Client

PASSWORD = "a long password of Mei"


def main() -> None:
    """Print `{person: session}`."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "integration_alerts.settings"
    django.setup()
    from tests.world import World

    from integration_alerts.directory.models import Member, User
    from integration_alerts.engine import clock, demo
    from integration_alerts.mail.inbox import InboxMailer

    world = World(directory=[])
    world.now = clock.now() - timedelta(minutes=10)
    world.mailer = InboxMailer(lambda: world.now)  # type: ignore[assignment]
    demo.load(Path(os.environ["DATA_DIR"]), world.now)
    world.plan()
    world.pass_time(minutes=5)
    world.deliver()

    members = Member.objects.filter(account__external_id="lantern").exclude(user=None)
    users = {member.external_id: member.user for member in members.select_related("user")}
    users["operator"] = User.objects.get(is_staff=True)
    users["mei"].set_password(PASSWORD)
    users["mei"].save()
    json.dump({person: _session(user) for person, user in users.items()}, sys.stdout)


def _session(user: object) -> str:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return client.cookies["sessionid"].value


if __name__ == "__main__":
    main()
