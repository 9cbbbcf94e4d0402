"""Fills a migrated database with the demo's people and their story, and with the gallery.

Run as a program, in the environment of an installation: `python -m tests.browser.prepare`.
"""

import json
import os
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import django
from django.test import Client

if TYPE_CHECKING:
    from integration_alerts.directory.models import User

PASSWORD = "a long password of Mei"


def main() -> None:
    """Print `{"sessions": {person: session}, "paths": {name: path}}`."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "integration_alerts.settings"
    django.setup()
    from tests.world import World

    from integration_alerts.directory.models import Member, User
    from integration_alerts.engine import clock, demo
    from integration_alerts.mail.inbox import InboxMailer

    world = World(directory=[])
    world.now = clock.now() - timedelta(minutes=10)
    recording = world.mailer
    world.mailer = InboxMailer(lambda: world.now)  # type: ignore[assignment]
    demo.load(Path(os.environ["DATA_DIR"]), world.now)
    world.plan()
    world.pass_time(minutes=5)
    world.deliver()

    from tests.browser import gallery

    world.mailer = recording
    gallery.happen(world)
    members = Member.objects.filter(account__external_id="lantern").exclude(user=None)
    users = {member.external_id: member.user for member in members.select_related("user")}
    users["operator"] = User.objects.get(is_staff=True)
    users |= {name: gallery.user(name) for name in gallery.WITH_SIGN_IN}
    for name in ("mei", "theo"):
        users[name].set_password(PASSWORD)
        users[name].save()
    sessions = {person: _session(user) for person, user in users.items()}
    paths = _links(clock.now())  # after the sessions: signing in makes older links void
    json.dump({"sessions": sessions, "paths": paths}, sys.stdout)


def _session(user: "User") -> str:
    """A session of somebody who has just typed their password, for long enough."""
    from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY

    client = Client()
    client.force_login(user)
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [
        {"method": "password", "at": time.time() + timedelta(hours=1).total_seconds()}
    ]
    session.save()
    return client.cookies["sessionid"].value


def _links(now: datetime) -> dict[str, str]:
    """What stands in mails, and what needs a sign-in that is under way."""
    from allauth.account.forms import default_token_generator
    from allauth.account.models import EmailAddress, EmailConfirmationHMAC
    from allauth.account.utils import user_pk_to_url_str
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
    from tests.browser.gallery import member, user

    from integration_alerts.directory import address_change, invitations
    from integration_alerts.mail.unsubscribing import unsubscribe_url

    mona, otto, theo = user("mona"), user("otto"), user("theo")
    TOTP.activate(theo, generate_totp_secret())
    RecoveryCodes.activate(theo)
    address = EmailAddress.objects.create(user=otto, email="otto@new.example", verified=False)
    key = f"{user_pk_to_url_str(mona)}-{default_token_generator.make_token(mona)}"
    long_ago = now - timedelta(days=30)
    moving = address_change.propose(member("mona"), "mona@new.example", now)
    return {
        "invitation": f"/invitation/{invitations.token(member('nina'), now)}",
        "old_invitation": f"/invitation/{invitations.token(member('nina'), long_ago)}",
        "used_invitation": f"/invitation/{invitations.token(member('mona'), now)}",
        "new_address": f"/address/{moving}",
        "reset": f"/sign-in/password/reset/key/{key}/",
        "unsubscribe": unsubscribe_url("", member("mark").pk),
        "unsubscribed": unsubscribe_url("", member("uma").pk),
        "unsubscribe_nothing": unsubscribe_url("", member("nina").pk),
        "new_sign_in_address": f"/sign-in/confirm-email/{EmailConfirmationHMAC(address).key}/",
    }


if __name__ == "__main__":
    main()
