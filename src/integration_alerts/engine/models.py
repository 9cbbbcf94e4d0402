"""The workers that are alive."""

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
