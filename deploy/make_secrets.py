"""Write the Redis password, the first operator token and the secret key, once: ``python3 make_secrets.py DIRECTORY``.

What the environment gives (``NEWSWIRE_REDIS_PASSWORD``, ``NEWSWIRE_OPERATOR_TOKEN``,
``NEWSWIRE_SECRET_KEY``) is taken, also when it has changed; what it does not give is made up once and kept.
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
    _settle_secret_keys(directory / "secret.key", os.environ.get("NEWSWIRE_SECRET_KEY", ""))


def _settle(path: Path, given: str) -> str:
    """Return the value that holds from now on, and see that the file has it."""
    kept = path.read_text().strip() if path.exists() else ""
    value = given.strip() or kept or secrets.token_urlsafe(24)
    if value != kept:
        _write(path, value + "\n")
    return value


def _settle_secret_keys(path: Path, given: str) -> None:
    """Put the given keys in front and keep those so far after them: what they encrypted must stay readable."""
    kept = path.read_text().replace(",", " ").split() if path.exists() else []
    new = given.replace(",", " ").split()
    if any(len(key) < 32 for key in new):
        sys.exit("NEWSWIRE_SECRET_KEY: write 32 or more random characters, such as `openssl rand -base64 32` prints.")
    keys = list(dict.fromkeys([*new, *kept])) or [secrets.token_urlsafe(32)]
    if keys != kept:
        _write(path, ",".join(keys) + "\n")


def _write(path: Path, text: str) -> None:
    """Replace the file at once: a reader sees the old text or the new one."""
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.chmod(0o444)
    new.replace(path)


if __name__ == "__main__":
    main()
