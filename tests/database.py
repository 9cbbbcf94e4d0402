"""A pytest plugin (`-p tests.database`): one PostgreSQL for the run, started before Django looks.

The embedded one under our own supervisor; POSTGRES_BIN chooses another version's programs.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from integration_alerts.engine.postgres import EmbeddedPostgres

# What the developer's shell has set must neither be used nor be touched by a test.
for name in ("DATABASE_URL", "EMAIL_URL", "PUBLIC_URL", "DEFAULT_FROM_EMAIL", "LOG_FORMAT"):
    os.environ.pop(name, None)
FOLDER = Path(tempfile.mkdtemp(prefix="integration-alerts-tests-"))
os.environ["DATA_DIR"] = str(FOLDER)
os.environ["SECRET_KEY"] = "tests"

_binaries = Path(folder) if (folder := os.environ.get("POSTGRES_BIN")) else None
SERVER = EmbeddedPostgres(FOLDER, binaries=_binaries, durable=False)


def pytest_configure(config: pytest.Config) -> None:
    """Start the server, unless the tests run in other processes, each with a server of its own."""
    only_hands_out_tests = config.getoption("numprocesses", None) and not is_worker(config)
    if not config.option.help and not only_hands_out_tests:
        SERVER.acquire()


def is_worker(config: pytest.Config) -> bool:
    """Whether this is one of pytest-xdist's processes."""
    return hasattr(config, "workerinput")


def pytest_unconfigure() -> None:
    """Stop it and leave nothing behind."""
    SERVER.release()
    shutil.rmtree(FOLDER, ignore_errors=True)
