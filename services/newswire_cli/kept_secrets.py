"""What ``newswire up`` makes up once and keeps in its data dir, for this user's eyes only.

    operator.token   the first operator token; a token from the settings is written over it
    secret.key       what encrypts the secrets of webhooks; made if the settings name no key

Both are made up before the services are built, and written once the data dir is ours: a second
``newswire up`` that is refused has written nothing. A `secret.key` that is there is never written over, as
without it the secrets of all webhooks are lost: keep it with your backups, apart from the data.
"""

import contextlib
import os
import secrets
from pathlib import Path

from newswire_cli.failures import CommandError
from newswire_runtime.settings import Settings


def operator_token(data_dir: Path) -> str:
    """Return the data dir's operator token, or a new one that `keep_token` has still to write."""
    return _kept(data_dir / "operator.token") or f"nw_{secrets.token_urlsafe(32)}"


def keep_token(data_dir: Path, settings: Settings) -> None:
    """Write the operator token where the command line looks for it."""
    _write(data_dir / "operator.token", settings.first_operator_token() or "")


def secret_key(data_dir: Path) -> str:
    """Return the data dir's secret key, or a new one that `keep_secret_key` has still to write."""
    return _kept(data_dir / "secret.key") or secrets.token_urlsafe(32)


def keep_secret_key(data_dir: Path, key: str) -> None:
    """Write the secret key unless the data dir has it; raise CommandError if it has got another since it was read."""
    path = data_dir / "secret.key"
    kept = _kept(path)
    if kept is None:
        _write(path, key)
    elif kept != key:
        raise CommandError(f"{path}: another newswire has just made it; start again")


def _kept(path: Path) -> str | None:
    with contextlib.suppress(FileNotFoundError):
        return path.read_text().strip() or None
    return None


def _write(path: Path, text: str) -> None:
    """Replace a file at once, and see it on the disk; only this user may read it."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
