"""How far it is: one line on stderr that is written over, on a terminal only."""

import sys


class Progress:
    """Says what is being done."""

    def __init__(self) -> None:
        self._part = ""

    def begin(self, part: str) -> None:
        """Whatever is said from now on belongs to this part."""
        self._part = part
        self.say("begins")

    def say(self, text: str) -> None:
        """Replace the line."""
        self._write(f"\r\x1b[K{self._part}: {text}")

    def clear(self) -> None:
        """Leave no line behind."""
        self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(text)
            sys.stderr.flush()
