"""`testmail`: does a mail arrive, and what does it look like there?"""

import click

from integration_alerts.cli.session import FAILED, configuration, database_ready, fail


@click.command()
@click.argument("address")
def testmail(address: str) -> None:
    """Send a test mail to ADDRESS at once, and print what the mail server answers.

    It goes past the queue and counts for nothing. Without EMAIL_URL the built-in inbox has it.
    """
    configuration()  # a wrong setting is told before anything else
    from integration_alerts.directory.addresses import is_address

    if not is_address(address):
        fail(f"ADDRESS: expected an e-mail address such as you@example.com, got {address!r}")
    with database_ready() as settings:
        from integration_alerts.engine import clock, testing_mail
        from integration_alerts.rules.retry import Verdict, verdict

        try:
            answer = testing_mail.send_to_address(address, settings, clock.now())
        except ValueError as error:
            fail(f"ADDRESS: {error}")
        said = f"{answer.code or ''} {answer.text}".strip()
        if settings.mail_server is None:
            click.echo(
                f"kept for {address}: no EMAIL_URL is set, so the built-in inbox has it, "
                f"{settings.public_url}/inbox"
            )
        elif verdict(answer) is Verdict.ACCEPTED:
            click.echo(f"{settings.mail_server.place} took the mail to {address}: {said}")
        else:
            fail(
                f"{settings.mail_server.place} did not take the mail to {address}, "
                f"in phase {answer.phase.value}: {said}; {testing_mail.advice(answer)}",
                FAILED,
            )
