# ruff: noqa: INP001 (a script, no package)
"""Checks the documents without a network: `make check` runs it.

Links and images lead somewhere, every decision is listed, Mermaid blocks are diagrams, and nothing
that is committed names a host or a path that a reader does not have. Prints file:line messages.
"""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[1]
DECISIONS = ROOT / "docs" / "decisions"

Line = tuple[int, str]
Problem = tuple[Path, int, str]

# An allow-list, so that neither this file nor any other has to name what must not be named: the
# hosts that readers may be sent to, and below which domains examples stand (RFC 2606, RFC 6761).
HOSTS = {
    "keepachangelog.com", "opendatacommons.org", "semver.org", "www.postgresql.org", "www.w3.org",
}  # fmt: skip
EXAMPLE_DOMAINS = {"example", "invalid", "test", "localhost", "example.com", "example.org"}
URL_HOST = re.compile(r"://(?:[^/\s@]*@)?([A-Za-z][\w-]*(?:\.[\w-]+)+)")
BARE_HOST = re.compile(r"(?<![\w.@/-])((?:[a-z0-9-]+\.)+(?:com|org|net|io|dev))\b(?!\()")

# Folders in which people and machines keep their own things, and the one that this clone is in,
# unless it is one that every machine has.
EVERYWHERE = {"opt", "srv", "tmp", "usr", "var"}
OWN_FOLDERS = {"home", "Users", "root", "mnt", "media", ROOT.parts[1]} - EVERYWHERE
OWN_PATH = re.compile(rf"(?<![\w.~/}}$-])/(?:{'|'.join(sorted(OWN_FOLDERS))})/\w")

LINK = re.compile(r"(?<!\\)\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
DIAGRAMS = {"classDiagram", "erDiagram", "flowchart", "graph", "sequenceDiagram", "stateDiagram-v2"}


def main() -> int:
    """Print every problem; returns the exit code."""
    files = committed()
    documents = [path for path in files if path.suffix == ".md"]
    problems = [problem for path in documents for problem in (*links(path), *diagrams(path))]
    problems += [problem for path in files for problem in names(path)]
    problems += unlisted_decisions()
    for path, number, message in sorted(problems):
        print(f"{path.relative_to(ROOT)}:{number}: {message}")  # noqa: T201
    return 1 if problems else 0


def committed() -> list[Path]:
    """The files that are committed or about to be."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)  # noqa: S603
    paths = {ROOT / name for name in answer.stdout.split("\0") if name}
    return sorted(path for path in paths if path.is_file())


def links(path: Path) -> Iterator[Problem]:
    """Relative links and images that lead nowhere."""
    prose = re.sub(r"`[^`\n]+`", lambda code: " " * len(code[0]), "\n".join(_prose(path)))
    for link in LINK.finditer(prose):
        number = prose.count("\n", 0, link.start()) + 1
        parts = urlsplit(link[1])
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not target.exists() or not target.is_relative_to(ROOT):
            yield path, number, f"the link leads nowhere: {link[1]}"
        elif parts.fragment and parts.fragment not in anchors(target):
            yield path, number, f"{target.name} has no heading #{parts.fragment}"


@cache
def anchors(path: Path) -> set[str]:
    """The anchors that a document's headings get."""
    seen: Counter[str] = Counter()
    found: set[str] = set()
    for line in _prose(path):
        if heading := re.match(r"#{1,6} (.*)", line):
            slug = re.sub(r"[^\w\- ]", "", heading[1].lower()).replace(" ", "-")
            found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
            seen[slug] += 1
    return found


def diagrams(path: Path) -> Iterator[Problem]:
    """Mermaid blocks that do not begin with the name of a kind of diagram."""
    for (_, line), (number, following) in pairwise(_lines(path)):
        if line.strip() == "```mermaid" and following.partition(" ")[0] not in DIAGRAMS:
            yield path, number, f"expected one of {', '.join(sorted(DIAGRAMS))}"


def names(path: Path) -> Iterator[Problem]:
    """Hosts that are not allowed, and paths of somebody's own machine."""
    for number, line in _lines(path):
        for host in sorted({*URL_HOST.findall(line), *BARE_HOST.findall(line)}):
            if host not in HOSTS and not _is_example(host):
                yield path, number, f"{host} is not among the hosts that docs/check.py allows"
        for own in OWN_PATH.findall(line):
            yield path, number, f"a path of one machine: {own}…"


def unlisted_decisions() -> Iterator[Problem]:
    """Decisions that the list of decisions does not link to."""
    index = DECISIONS / "README.md"
    listed = {link[1] for link in LINK.finditer(index.read_text())}
    for path in sorted(DECISIONS.glob("*.md")):
        if path != index and path.name not in listed:
            yield index, 1, f"{path.name} is not listed"


def _is_example(host: str) -> bool:
    labels = host.lower().split(".")
    return any(".".join(labels[start:]) in EXAMPLE_DOMAINS for start in range(len(labels)))


def _prose(path: Path) -> Iterator[str]:
    """The lines of a document, those of code blocks left empty."""
    fenced = False
    for _, line in _lines(path):
        if fence := line.lstrip().startswith("```"):
            fenced = not fenced
        yield "" if fenced or fence else line


@cache
def _lines(path: Path) -> list[Line]:
    try:
        return list(enumerate(path.read_text(encoding="utf-8").splitlines(), start=1))
    except UnicodeDecodeError:
        return []  # no text


if __name__ == "__main__":
    sys.exit(main())
