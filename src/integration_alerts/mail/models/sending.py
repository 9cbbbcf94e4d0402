"""How fast mail may go, and whether it may go at all: shared by all workers."""

from django.db import models


class MailerCircuit(models.Model):
    """A mailer that refuses us as a whole: its password or its certificate is wrong.

    While there is a row, mails wait and no attempt is burnt; one worker probes at `probe_at`.
    """

    mailer = models.TextField(primary_key=True)  # its name, without secrets
    opened_at = models.DateTimeField()
    probe_at = models.DateTimeField()
    probes = models.PositiveIntegerField(default=0)
    phase = models.TextField()
    code = models.IntegerField(null=True, blank=True)
    answer = models.TextField()

    class Meta:
        db_table = "mailer_circuit"

    def __str__(self) -> str:
        return f"{self.mailer}: {self.answer}"


class SendingPace(models.Model):
    """When the next mail may go where a rate is limited: by `mail.pacing`, or `mail.allowance`."""

    lane = models.TextField(primary_key=True)  # `mailer`, `@domain`, `test mail to member 7, …`
    free_at = models.DateTimeField()

    class Meta:
        db_table = "sending_pace"

    def __str__(self) -> str:
        return self.lane
