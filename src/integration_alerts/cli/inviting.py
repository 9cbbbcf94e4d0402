"""`invite`: letting the members of an account sign in."""

import sys
from itertools import islice

import click

from integration_alerts.cli.session import REJECTED, database_ready, fail


@click.command()
@click.option("--account", required=True, help="The account, by the platform's id.")
@click.argument("user_id", nargs=-1)
def invite(account: str, user_id: tuple[str, ...]) -> None:
    """Send users of an account a mail with which they set a password and sign in.

    Each USER_ID is invited, again if need be; without any, every active user who can not sign in
    yet and has no invitation that still works.
    """
    with database_ready():
        from integration_alerts.directory.models import Account, Member
        from integration_alerts.engine import clock, inviting

        found = Account.objects.filter(external_id=account).first()
        if found is None:
            fail(f"--account: no account {account!r}; import it first")
        members = Member.objects.filter(account=found).order_by("id")
        named = members.filter(external_id__in=user_id) if user_id else members
        unknown = sorted(set(user_id) - set(named.values_list("external_id", flat=True)))
        to_invite = named if user_id else inviting.to_invite(found, clock.now())
        total, invited = named.count(), 0
        ids = list(to_invite.values_list("pk", flat=True))
        rest = iter(ids)
        with click.progressbar(
            length=len(ids), label="Inviting", file=sys.stderr, hidden=not sys.stderr.isatty()
        ) as bar:
            while batch := list(islice(rest, inviting.BATCH)):
                invited += inviting.invite(Member.objects.filter(pk__in=batch), clock.now())
                bar.update(len(batch))
        for external_id in unknown:
            click.echo(f"USER_ID: no user {external_id!r} in account {account!r}", err=True)
        click.echo(f"invited {invited}, left out {total - invited}, unknown {len(unknown)}")
        if unknown:
            sys.exit(REJECTED)
