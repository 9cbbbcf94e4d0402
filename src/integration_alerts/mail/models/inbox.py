"""What the built-in inbox caught."""

from django.db import models


class InboxMessage(models.Model):
    """A mail that the built-in inbox caught because no EMAIL_URL is set."""

    received_at = models.DateTimeField()
    sender = models.TextField()
    recipient = models.TextField()
    message = models.BinaryField()

    class Meta:
        db_table = "inbox_message"
