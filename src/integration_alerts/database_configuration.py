"""The settings that say where PostgreSQL is, checked, and how a connection finds out it is cut off.

Knows nothing of Django, as `configuration`.
"""

from collections.abc import Mapping

from integration_alerts.mail_configuration import ConfigurationError

# The kernel's own defaults would let a process wait for 15 minutes to 2 hours for a machine that
# went away without a word; these let it know within 11 seconds, when heartbeats count as lost
# (engine.workers). Libpq ignores them for a Unix socket.
LIVELINESS = {
    "connect_timeout": "5",  # seconds, for each address of the host
    "keepalives_idle": "5",  # seconds of silence before a probe
    "keepalives_interval": "2",  # seconds between probes
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",  # milliseconds until what was sent must be acknowledged
}
# A page does not wait so long for a replica: the primary can answer as well.
LIVELINESS_OF_A_REPLICA = {**LIVELINESS, "connect_timeout": "2", "tcp_user_timeout": "2000"}


def database(environment: Mapping[str, str], name: str) -> Mapping[str, str] | None:
    """The URL in the setting `name` as libpq parameters; None: it is not set."""
    url = environment.get(name, "")
    if not url:
        return None
    if not url.startswith(("postgres://", "postgresql://")):
        raise _error(name, "only PostgreSQL 15 or later is supported")
    from psycopg import ProgrammingError  # not for processes that use no database themselves
    from psycopg.conninfo import conninfo_to_dict

    try:
        parameters = {key: str(value) for key, value in conninfo_to_dict(url).items()}
    except ProgrammingError:
        raise _error(
            name,
            "it is not a URL that PostgreSQL understands; characters such as / ? # @ % in the user "
            "name or password must be percent-encoded",
        ) from None
    if not parameters.get("dbname"):
        raise _error(name, "the database's name is missing")
    if not parameters.get("port", "0").replace(",", "").isdigit():
        raise _error(name, "the port must be a number")
    return parameters


def beside(
    environment: Mapping[str, str], name: str, main: Mapping[str, str] | None
) -> Mapping[str, str] | None:
    """Another way to the database of DATABASE_URL, which must be set."""
    found = database(environment, name)
    if found is not None and main is None:
        raise ConfigurationError(f"{name}: set DATABASE_URL too; this is a second way to it")
    return found


def _error(name: str, problem: str) -> ConfigurationError:
    # Never with a part of the URL: a password that is not encoded can end up in any part.
    return ConfigurationError(
        f"{name}: {problem}; expected postgresql://user:password@host:5432/database"
    )
