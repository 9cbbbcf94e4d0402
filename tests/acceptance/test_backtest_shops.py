"""15 months of a real history give exactly the notices that the rules demand."""

from pathlib import Path

from tests.acceptance.live import ndjson_of
from tests.installation import Installation

SHOPS = Path(__file__).parents[1] / "data" / "shops"


def test_the_shops(tmp_path: Path) -> None:
    directory, reports, expected = (
        SHOPS / f"shops-{name}.ndjson" for name in ("directory", "reports", "expected")
    )

    done = Installation(tmp_path, None).command(
        "backtest", "--directory", str(directory), "--reports", str(reports)
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert ndjson_of(done.stdout) == ndjson_of(expected.read_text())
