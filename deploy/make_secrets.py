"""Write the Redis password and the first operator token, once: ``python3 make_secrets.py DIRECTORY``.

What the environment gives (``NEWSWIRE_REDIS_PASSWORD``, ``NEWSWIRE_OPERATOR_TOKEN``)
is taken, also when it has changed; what it does not give is made up once and kept.
Runs in the stack's `secrets` container. Only containers that mount the volume can
read the files, so they are readable for the different users of those containers.
"""

import os
import re
import secrets
import sys
from pathlib import Path


def main() -> None:
    """Write the files; exit with a sentence if a given value cannot stand where it must."""
    directory = Path(sys.argv[1])
    password = _settle(directory / "redis.password", os.environ.get("NEWSWIRE_REDIS_PASSWORD", ""))
    if not re.fullmatch(r"[A-Za-z0-9._~-]+", password):
        sys.exit("NEWSWIRE_REDIS_PASSWORD stands in a URL: use letters, digits and . _ ~ - only.")
    _write(directory / "redis-password.conf", f"requirepass {password}\n")
    _settle(directory / "operator.token", os.environ.get("NEWSWIRE_OPERATOR_TOKEN", ""))


def _settle(path: Path, given: str) -> str:
    """Return the value that holds from now on, and see that the file has it."""
    kept = path.read_text().strip() if path.exists() else ""
    value = given.strip() or kept or secrets.token_urlsafe(24)
    if value != kept:
        _write(path, value + "\n")
    return value


def _write(path: Path, text: str) -> None:
    """Replace the file at once: a reader sees the old text or the new one."""
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.chmod(0o444)
    new.replace(path)


if __name__ == "__main__":
    main()
