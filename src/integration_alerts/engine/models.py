"""The workers that are alive, the mails of the pages on their way, and how far pruning has come."""

import uuid

from django.db import models


class Worker(models.Model):
    """A worker process. One whose heartbeat stopped has lost its claims on emails."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    host = models.TextField()
    place = models.TextField()  # see engine.processes: where the process number has its meaning
    process_id = models.IntegerField()
    process_started = models.TextField()
    beating_since = models.DateTimeField()  # without a pause as long as a death
    heartbeat_at = models.DateTimeField()

    class Meta:
        db_table = "worker"

    def __str__(self) -> str:
        return f"{self.host} process {self.process_id}"


class PostedMail(models.Model):
    """A mail of the pages (an invitation, a forgotten password) on its way to the mail server.

    Gone as soon as it was handed over or given up: it may hold a link that signs somebody in.
    """

    sender = models.TextField()
    recipient = models.TextField()
    message = models.BinaryField()
    posted_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(db_index=True)  # engine.posting takes what is due

    class Meta:
        db_table = "posted_mail"

    def __str__(self) -> str:
        return f"posted mail {self.pk}"


class Bookmark(models.Model):
    """How far a walk of `engine.retention` has come. Losing it costs a look at all rows again."""

    walk = models.TextField(primary_key=True)
    at = models.DateTimeField()
    last_id = models.BigIntegerField()
    begun_at = models.DateTimeField()  # when this walk last began at the oldest row

    class Meta:
        db_table = "bookmark"

    def __str__(self) -> str:
        return f"{self.walk}: {self.at}"
