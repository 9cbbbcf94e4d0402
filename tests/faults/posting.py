"""Clients that post reports without a pause and remember what they were told."""

import http.client
import threading
from typing import Any
from urllib.error import URLError

from tests.installation import Installation, failed

Batch = list[dict[str, Any]]


class Clients:
    """Threads that post batches of new reports until the `with` block ends."""

    def __init__(
        self, installation: Installation, address: str, *, threads: int, batch: int
    ) -> None:
        self.installation = installation
        self.address = address
        self.batch = batch
        self.answered: list[Batch] = []
        """Batches whose every report was answered `applied`."""
        self.unanswered: list[Batch] = []
        """Batches whose answer never came, or was a fault of the server."""
        self.surprises: list[Any] = []
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(threads)]

    def __enter__(self) -> "Clients":
        self.installation.key()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _run(self, client: int) -> None:
        number = 0
        while not self._done.is_set():
            number += 1
            batch = [
                failed(f"client-{client}-batch-{number}-{each}", id=f"{client}-{number}-{each}")
                for each in range(self.batch)
            ]
            try:
                reply = self.installation.post(self.address, "reports", batch)
            except (URLError, ConnectionError, TimeoutError, http.client.HTTPException):
                self.unanswered.append(batch)
                self._done.wait(0.05)
                continue
            if reply.status >= 500:
                self.unanswered.append(batch)
            elif reply.status == 200 and {each["result"] for each in reply.json} == {"applied"}:
                self.answered.append(batch)
            else:
                self.surprises.append((reply.status, reply.body))


def stored(installation: Installation, batch: Batch) -> int:
    """How many of a batch's reports are in the database with all that follows from them."""
    ids = [report["id"] for report in batch]
    ((count,),) = installation.query(
        "SELECT count(*) FROM report_receipt "
        "JOIN state_change USING (account_id, event_id) "
        "JOIN incident USING (integration_id) WHERE event_id = ANY(%s)",
        ids,
    )
    return int(count)
