"""A real PgBouncer in transaction mode, in front of a database."""

import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from tests.installation import free_port, wait_for

ROLE = "integration_alerts"
# PgBouncer refuses root; in a user namespace root is somebody else.
_AS_SOMEBODY = ["unshare", "--user", "--map-user=1", "--map-group=1"] if os.geteuid() == 0 else []


class PgBouncer:
    """Lends its connections to `database` on `host` (a socket folder) for a transaction each."""

    def __init__(self, folder: Path, host: str, database: str, *, connections: int) -> None:
        self.port = free_port()
        self.url = f"postgresql://{ROLE}@127.0.0.1:{self.port}/{database}"
        self._configuration = folder / "pgbouncer.ini"
        self._configuration.write_text(
            f"[databases]\n{database} = host={host} user={ROLE}\n"
            "[pgbouncer]\nlisten_addr = 127.0.0.1\nunix_socket_dir =\nauth_type = any\n"
            f"listen_port = {self.port}\nlogfile = {folder / 'pgbouncer.log'}\n"
            f"pool_mode = transaction\ndefault_pool_size = {connections}\nmax_client_conn = 500\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
        assert program, "PgBouncer is missing: apt-get install pgbouncer (`make faults` does it)"
        command = [*_AS_SOMEBODY, program, "--quiet", str(self._configuration)]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        wait_for(self._answers, what="PgBouncer to answer")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True
