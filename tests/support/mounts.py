"""Whether a test may mount a file system of its own, and how."""

import functools
import shutil
import subprocess

NAMESPACES = (("unshare", "-Urm"), ("unshare", "-m"))
"""For everybody where user namespaces are allowed; for root where they are not."""


def why_no_mount() -> str | None:
    """Return why no file system can be mounted here, or None if one can."""
    return None if namespace() else "no mount here: there are neither user namespaces nor root's rights"


@functools.cache
def namespace() -> tuple[str, ...]:
    """Return the command under which a process may mount what it alone sees; empty if there is none."""
    if shutil.which("unshare") is None:
        return ()
    for how in NAMESPACES:
        tried = subprocess.run([*how, "mount", "-t", "tmpfs", "newswire", "/mnt"], capture_output=True, check=False)
        if tried.returncode == 0:
            return how
    return ()
