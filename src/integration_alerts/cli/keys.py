"""`apikey` and `operator`: letting machines and operators in."""

import click

from integration_alerts.cli.session import database_ready, fail


@click.group()
def apikey() -> None:
    """Manage the keys of the API."""


@apikey.command("create")
@click.option("--name", required=True, help="What the key is for; shown where keys are listed.")
@click.option("--account", help="Bind the key to this account; without, it is a platform key.")
def create_apikey(name: str, account: str | None) -> None:
    """Make a key. Its secret is printed once, alone on stdout."""
    with database_ready():
        from integration_alerts.directory.keys import create_key
        from integration_alerts.directory.models import Account
        from integration_alerts.engine import clock

        owner = Account.objects.filter(external_id=account).first() if account else None
        if account and owner is None:
            fail(f"--account: no account {account!r}; import it first")
        click.echo(create_key(name, owner, clock.now()))


@click.group()
def operator() -> None:
    """Manage the people who operate this installation."""


@operator.command("create")
@click.argument("email")
@click.password_option(help="Asked for when it is not given.")
def create_operator(email: str, password: str) -> None:
    """Let EMAIL sign in as an operator, who may open the inbox."""
    with database_ready():
        from django.core.exceptions import ValidationError
        from django.core.validators import validate_email

        from integration_alerts.directory.models import User

        try:
            validate_email(email)
        except ValidationError:
            fail(f"EMAIL: expected an e-mail address, got {email!r}")
        if User.objects.filter(email=email.lower()).exists():
            fail(f"EMAIL: {email} can sign in already")
        User.objects.create_operator(email, password)
        click.echo(f"{email} can sign in now")
