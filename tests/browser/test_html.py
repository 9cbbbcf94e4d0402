"""Every page is valid HTML: html-validate looks at the source as it was sent.

Left out of its recommended rules: how the doctype and void elements are written, and white space
(a matter of taste); `type` of buttons in forms, whose default
is meant; nonces and integrity hashes (everything comes from our own files); and the
length of titles (they hold names that we do not choose).
"""

import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from tests.browser.checking import MISSING, TOOLS
from tests.browser.pages import PAGES, path_of
from tests.browser.site import Site

VALIDATOR = TOOLS / "html-validate" / "bin" / "html-validate.mjs"
RULES = Path(__file__).parent / "tools" / "html-validate.json"
# The back office is Django's admin, and its HTML is Django's.
OURS = [name for name in PAGES if not name.startswith("back office")]


def test_every_page_is_valid_html(site: Site, tmp_path: Path) -> None:
    assert VALIDATOR.is_file(), MISSING
    shutil.copy(RULES, tmp_path / ".htmlvalidate.json")
    for name in OURS:
        (tmp_path / f"{name}.html").write_text(_source(site, name))
    node = Path(sys.executable).with_name("node")
    done = subprocess.run(
        [node, VALIDATOR, "--formatter", "json=found.json", "*.html"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode in {0, 1}, done.stderr
    problems = [
        f"{Path(file['filePath']).stem}:{each['line']}: {each['ruleId']}: {each['message']}"
        for file in json.loads((tmp_path / "found.json").read_text())
        for each in file["messages"]
    ]
    assert not problems, "\n".join(problems)


def _source(site: Site, name: str) -> str:
    person = PAGES[name][0]
    headers = {"Cookie": f"sessionid={site.sessions[person]}"} if person else {}
    request = urllib.request.Request(site.address + path_of(site, name), headers=headers)
    try:
        with urllib.request.urlopen(request) as response:
            return str(response.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return str(error.read().decode())
