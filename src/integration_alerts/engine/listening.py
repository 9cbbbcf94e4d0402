"""How a worker is connected to its wake-ups: asynchronously, and listening to NOTIFY.

Listening needs a session of its own. Where DATABASE_URL leads to a pooler in transaction mode, that
one connection goes past it (DATABASE_DIRECT_URL); asking for jobs needs none.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TypeVar

import psycopg
from procrastinate.connector import BaseAsyncConnector
from procrastinate.contrib.django.utils import connector_params
from procrastinate.psycopg_connector import PsycopgConnector
from psycopg.abc import PQGen

from integration_alerts.engine import database

_CHANNEL = "integration_alerts_check"
_MOST_CONNECTIONS = 4
_PATIENCE_SECONDS = 5  # for a connection, and until a pool that cannot connect begins anew
_ARRIVAL_SECONDS = 2
_LOOK_SECONDS = 60

Result = TypeVar("Result")


def listening_connector() -> BaseAsyncConnector:
    """A connector for a worker."""
    return _Connector(
        kwargs=connector_params(),
        min_size=1,
        max_size=_MOST_CONNECTIONS,
        timeout=_PATIENCE_SECONDS,
        reconnect_timeout=_PATIENCE_SECONDS,
    )


def wake_ups_arrive() -> bool:
    """Whether who listens as a worker does hears what is told over DATABASE_URL.

    Not so through a pooler in transaction mode. Raises psycopg.OperationalError.
    """
    session = connector_params(database.direct_alias())
    with (
        psycopg.connect(**session, autocommit=True) as listening,
        psycopg.connect(**connector_params(), autocommit=True) as telling,
    ):
        listening.execute(f"LISTEN {_CHANNEL}")
        telling.execute(f"NOTIFY {_CHANNEL}")
        return bool(list(listening.notifies(timeout=_ARRIVAL_SECONDS, stop_after=1)))


class _QuietConnection(psycopg.AsyncConnection):
    """Sleeps until something comes.

    Psycopg's own wakes ten times a second for the sake of Ctrl-C, which reaches a worker by way of
    its event loop: two of them took more time than all else that an idle worker does.
    """

    async def wait(
        self, gen: PQGen[Result], interval: float = _LOOK_SECONDS, timeout: float | None = None
    ) -> Result:
        """As in psycopg, looking up more rarely."""
        return await super().wait(gen, max(interval, _LOOK_SECONDS), timeout)


class _Connector(PsycopgConnector):
    @asynccontextmanager
    async def _get_standalone_connection(self) -> AsyncGenerator[psycopg.AsyncConnection]:
        """What Procrastinate listens on; there is no public way to say where that is."""
        session = connector_params(database.direct_alias())
        async with await _QuietConnection.connect(**session, autocommit=True) as connection:
            yield connection
