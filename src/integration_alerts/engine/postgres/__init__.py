"""The embedded PostgreSQL: `acquire` starts or joins the server of one data folder.

Knows nothing of Django, of settings or of the schema. `server` is the side of its users,
`supervise` the process that they share.
"""

from integration_alerts.engine.postgres.errors import EmbeddedPostgresError
from integration_alerts.engine.postgres.folders import socket_directory
from integration_alerts.engine.postgres.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "socket_directory"]
