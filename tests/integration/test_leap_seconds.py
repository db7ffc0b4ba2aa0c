"""Where the host's zone counts leap seconds, moments are the same as everywhere."""

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, time
from datetime import UTC, datetime
from newswire_publisher.articles import message
from newswire_runtime.http import now
from newswire_schemas.article import from_ms, to_iso, to_ms

began = time.time()
body = message.build("webhook.test", now(), 0, b"{}")
timestamp = json.loads(body)["timestamp"]
told = datetime.fromisoformat(timestamp)
print(json.dumps({
    "zone": (datetime.now(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() - began,
    "payload": to_ms(told) / 1000 - began,
    "now": to_ms(now()) / 1000 - began,
    "from_ms": to_iso(from_ms(1_768_469_400_123)),
}))
"""


def _zone(path: Path, leaps: int) -> Path:
    """Write UTC with so many leap seconds, one a year since 1980, as a TZif file (RFC 9636)."""
    head = b"TZif" + b"\0" * 16 + struct.pack(">6l", 0, 0, leaps, 0, 1, 4)
    year = 365 * 86_400
    records = b"".join(struct.pack(">2l", (10 + number) * year + number, number + 1) for number in range(leaps))
    path.write_bytes(head + struct.pack(">lbb", 0, 0, 0) + b"UTC\0" + records)
    return path


def test_a_zone_with_leap_seconds_moves_no_moment(tmp_path: Path) -> None:
    zone = _zone(tmp_path / "right", 27)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=os.environ | {"TZ": f":{zone}"}, capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    assert -28 < told["zone"] < -26, "the zone counts leap seconds"
    assert abs(told["payload"]) < 1
    assert abs(told["now"]) < 1
    assert told["from_ms"] == "2026-01-15T09:30:00.123Z"
