"""Signs a member in and prints the session's key, in the environment of an installation.

Run as a program: `python -m tests.session <account> <member>`.
"""

import os
import sys

import django
from django.conf import settings
from django.test import Client


def main(account: str, member: str) -> None:
    """Print the account's number in addresses, and the key for the session's cookie."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "integration_alerts.settings"
    django.setup()
    from tests.signing_in import user

    from integration_alerts.directory import invitations
    from integration_alerts.directory.models import Member

    found = Member.objects.get(account__external_id=account, external_id=member)
    owner = user(found.email)
    invitations.link(owner, [found.email])
    client = Client()
    client.force_login(owner)
    sys.stdout.write(f"{found.account_id} {client.cookies[settings.SESSION_COOKIE_NAME].value}")


if __name__ == "__main__":
    main(*sys.argv[1:])
