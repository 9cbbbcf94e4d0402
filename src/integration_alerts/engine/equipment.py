"""What mails are sent with, made from the settings: the mailer, the stationery, the pace."""

from integration_alerts.configuration import Configuration
from integration_alerts.engine import clock
from integration_alerts.mail.dkim_signing import signer
from integration_alerts.mail.email_url import MailServer
from integration_alerts.mail.esp import EspMailer
from integration_alerts.mail.esp_url import Esp
from integration_alerts.mail.inbox import InboxMailer
from integration_alerts.mail.mailers import Mailer
from integration_alerts.mail.pacing import Pace
from integration_alerts.mail.smtp import SmtpMailer
from integration_alerts.mail.writing import Stationery


def mailer_for(configuration: Configuration) -> Mailer:
    """The mailer that EMAIL_URL asks for: SMTP, an email service, or the built-in inbox."""
    match configuration.mail_server:
        case MailServer() as server:
            return SmtpMailer(server)
        case Esp() as esp:
            return EspMailer(esp)
        case None:
            return InboxMailer(clock.now)


def stationery_for(configuration: Configuration) -> Stationery:
    """What is the same in every mail of this installation."""
    key = configuration.dkim_key_file
    return Stationery(
        configuration.default_from_email,
        configuration.public_url,
        configuration.bounce_address,
        None if key is None else signer(key),
    )


def pace_for(configuration: Configuration) -> Pace:
    """How fast mails may go."""
    return Pace(configuration.mail_rate, configuration.mail_rate_per_domain)
