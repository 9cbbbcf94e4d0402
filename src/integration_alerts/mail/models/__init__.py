"""The tables of the mail layer: the outbox, what came back, how mail may go, the inbox."""

from integration_alerts.mail.models.bounces import Bounce
from integration_alerts.mail.models.inbox import InboxMessage
from integration_alerts.mail.models.outbox import DeliveryAttempt, Email, EmailNotice, EmailStatus
from integration_alerts.mail.models.sending import MailerCircuit, SendingPace

__all__ = [
    "Bounce", "DeliveryAttempt", "Email", "EmailNotice", "EmailStatus",
    "InboxMessage", "MailerCircuit", "SendingPace",
]  # fmt: skip
