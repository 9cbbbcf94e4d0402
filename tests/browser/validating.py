"""Whether a page or a mail is valid HTML: html-validate looks at the source as it was sent.

Left out of its recommended rules: how the doctype and void elements are written, and white space
(a matter of taste); `type` of buttons in forms, whose default
is meant; nonces and integrity hashes (everything comes from our own files); and the
length of titles (they hold names that we do not choose). In mails also: inline styles,
conditional comments and `role="presentation"`, which mail programs need; `<main>` and `<tbody>`,
which they drop.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TOOLS = Path(__file__).parents[2] / ".venv" / "browser" / "node_modules"
MISSING = "axe, html-validate and the like are not installed: run `make .venv/.browser`"
OWN = Path(__file__).parent / "tools"


class Validator:
    """Html-validate in a process of its own, so that it is started once."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._known: dict[str, list[str]] = {}

    def problems(self, source: str) -> list[str]:
        """What is wrong with this page."""
        if source not in self._known:
            self._known[source] = self._ask(source)
        return self._known[source]

    def _ask(self, source: str) -> list[str]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(source)}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "html-validate has ended"
        found: list[str] = json.loads(answer)
        return found


@contextmanager
def validator(rules: str = "html-validate.json") -> Iterator[Validator]:
    """A validator, for as long as it is needed."""
    assert (TOOLS / "html-validate").is_dir(), MISSING
    node = Path(sys.executable).with_name("node")
    process = subprocess.Popen(
        [node, OWN / "validate.mjs", TOOLS, OWN / rules],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        yield Validator(process)
        assert process.stdin is not None
        process.stdin.close()
