"""Machines on a network, as Linux network namespaces on a bridge; a machine can be cut off.

Needs root and `ip` (iproute2). Cut off is silent: the cable still has a carrier, and what is sent
is lost, so that nobody gets a FIN, a RST or an error.
"""

import os
import shutil
import subprocess
from contextlib import suppress
from types import TracebackType
from typing import Self

NEEDS = (
    "needs root and iproute2 to make network namespaces: run `make faults` as root, where "
    "`ip netns add` works (in a container: with --privileged or --cap-add SYS_ADMIN,NET_ADMIN)"
)


class Network:
    """A bridge that this machine is on too (`gateway`), and the machines that were added."""

    def __init__(self, number: int | None = None) -> None:
        # By this process, so that two runs do not meet.
        self._number = os.getpid() % 250 if number is None else number
        self._bridge = f"ia{self._number}br"
        self._machines: dict[str, str] = {}

    @property
    def gateway(self) -> str:
        """The address of this machine as the others see it."""
        return f"10.199.{self._number}.1"

    def __enter__(self) -> Self:
        assert os.geteuid() == 0, NEEDS
        assert shutil.which("ip"), NEEDS
        try:
            _ip("link", "add", self._bridge, "type", "bridge")
            _ip("addr", "add", f"{self.gateway}/24", "dev", self._bridge)
            _ip("link", "set", self._bridge, "up")
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()

    def add(self, machine: str) -> str:
        """Add a machine; returns its address."""
        here, there = self._ends(machine)
        address = f"10.199.{self._number}.{len(self._machines) + 2}"
        self._machines[machine] = address
        _ip("netns", "add", self.name(machine))
        _ip("link", "add", here, "type", "veth", "peer", "name", there)
        _ip("link", "set", there, "netns", self.name(machine))
        _ip("link", "set", here, "master", self._bridge, "up")
        inside = ("-n", self.name(machine))
        _ip(*inside, "link", "set", "lo", "up")
        _ip(*inside, "addr", "add", f"{address}/24", "dev", there)
        _ip(*inside, "link", "set", there, "up")
        return address

    def name(self, machine: str) -> str:
        """The name of a machine's namespace."""
        return f"ia{self._number}-{machine}"

    def on(self, machine: str) -> list[str]:
        """What to put before a command line so that it runs on this machine."""
        return ["ip", "netns", "exec", self.name(machine)]

    def cut_off(self, machine: str) -> None:
        """From now on nothing that is sent to it or by it arrives."""
        _ip("link", "set", self._ends(machine)[0], "nomaster")

    def connect(self, machine: str) -> None:
        """The cable is in again."""
        _ip("link", "set", self._ends(machine)[0], "master", self._bridge)

    def remove(self) -> None:
        """Take everything away again; processes on the machines must have ended."""
        for machine in self._machines:
            with suppress(AssertionError):  # it may be half made
                _ip("link", "del", self._ends(machine)[0])
            with suppress(AssertionError):
                _ip("netns", "del", self.name(machine))
        with suppress(AssertionError):
            _ip("link", "del", self._bridge)

    def _ends(self, machine: str) -> tuple[str, str]:
        return f"ia{self._number}{machine}", f"ia{self._number}{machine}i"


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}\nThis test {NEEDS}"
