"""What the reports of a request are told: one result each, in the words of the interface."""

import msgspec

from integration_alerts.api.bodies import Items
from integration_alerts.api.descriptions import ReportResult
from integration_alerts.engine import clock, intake


def take(items: Items, *, only_account: str | None = None, key: str | None = None) -> bytes:
    """Take reports in; durable when it returns the JSON that answers them.

    `only_account` and `key` as in `intake.take_reports`, which raises UnknownKeyError.
    """
    results = []
    for batch in items.batches(intake.BATCH):
        taken = intake.take_reports(batch.values, clock.now(), only_account=only_account, key=key)
        for index, (id_, outcome) in enumerate(taken):
            error = (
                wrong(batch.place(index), outcome.field, outcome.error) if outcome.error else None
            )
            results.append(ReportResult(id_, outcome.result, error))
    return msgspec.json.encode(results)


def wrong(place: str, field: str, message: str) -> str:
    """`item 3, occurred_at: expected …`."""
    return f"{place}, {field}: {message}" if field else f"{place}: {message}"
