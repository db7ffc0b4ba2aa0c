"""The generated schemas are up to date, the same everywhere, and say what the code says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from newswire_cli import schemas


def test_the_kept_schemas_are_what_the_code_makes() -> None:
    assert schemas.differing() == [], "run `make schemas`"


def test_neither_host_nor_settings_change_them() -> None:
    changed = {"NEWSWIRE_PORT": "9999", "NEWSWIRE_PARTITIONS": "7", "NEWSWIRE_CONSUMER": "x", "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-m", "newswire_cli.schemas", "--check"],
        env=os.environ | changed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("damage", ["changed", "missing", "left over"])
def test_a_difference_is_found(tmp_path: Path, damage: str) -> None:
    schemas.write(tmp_path)
    path = tmp_path / "article.schema.json"
    if damage == "changed":
        path.write_text(path.read_text().replace("headline", "title"))
    elif damage == "missing":
        path.unlink()
    else:
        path = tmp_path / "old.json"
        path.write_text("{}")
    assert schemas.differing(tmp_path) == [path.name]
