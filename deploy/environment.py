"""Make or refresh ``.venv`` from the hashed locks: ``python3 deploy/environment.py runtime|dev``.

Runs on a bare Python, before anything is installed: standard library only, and
written so that an old Python can still parse it and say that it is too old.
What was installed is recorded by content hash in ``.venv/newswire.json``; when
nothing has changed this takes a few hundredths of a second, and a checkout that
only touches file times rebuilds nothing.

A changed lock or another Python makes the environment anew, so that it never
holds a package that the lock does not name; a changed pyproject.toml only
installs the project again. An interrupted run leaves no record and starts over.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
RECORD = VENV / "newswire.json"
LOCKS = ROOT / "deploy" / "locks"
NEWEST, OLDEST = 14, 11


def main() -> None:
    """Bring ``.venv`` up to date, or exit with a sentence that says what to do."""
    if len(sys.argv) != 2 or sys.argv[1] not in ("runtime", "dev"):
        sys.exit("usage: environment.py runtime|dev")
    _require_python()
    with (ROOT / "pyproject.toml").open() as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # `make run` and `make test` may start at the same time
        _refresh(sys.argv[1])


def _require_python() -> None:
    """Go on with a Python that is new enough, or say what to install."""
    if sys.version_info < (3, OLDEST):
        for minor in range(NEWEST, OLDEST - 1, -1):
            other = shutil.which(f"python3.{minor}")
            if other:
                os.execv(other, [other, *sys.argv])  # noqa: S606 - the same script, on a newer Python
        sys.exit(
            f"newswire needs Python 3.{OLDEST} or newer; {sys.executable} is Python {sys.version.split()[0]}.\n"
            "Install one, or name it: make run PYTHON=/path/to/python3.13"
        )
    try:
        import ensurepip
        import venv  # noqa: F401

        ensurepip.version()
    except Exception:
        sys.exit(
            f"{sys.executable} cannot make a virtual environment: its venv or ensurepip module is missing.\n"
            "On Debian and Ubuntu: apt install python3-venv"
        )


def _refresh(kind: str) -> None:
    want = {"python": sys.version + os.path.realpath(sys.executable), "root": str(ROOT)}
    for name in ("build", "runtime", "dev"):
        want[name] = _digest(LOCKS / (name + ".lock"))
    want["project"] = _digest(ROOT / "pyproject.toml")
    have = _read_record()
    started = time.monotonic()

    known = ("python", "root", "build", "runtime") + (("dev",) if "dev" in have else ())
    if any(have.get(name) != want[name] for name in known):
        have = {}
        _make_venv()
    lock = "dev" if kind == "dev" else "runtime"  # the dev lock holds the runtime's packages too
    if lock not in have:
        if "build" not in have:
            _pip("the build tools", "--require-hashes", "-r", str(LOCKS / "build.lock"))
        _pip("what newswire needs" if lock == "runtime" else "what its tests need", "--require-hashes",
             "-r", str(LOCKS / (lock + ".lock")))  # fmt: skip
        have.update({name: want[name] for name in ("python", "root", "build", "runtime", lock)})
    if have.get("project") != want["project"]:
        _pip("newswire itself", "-e", str(ROOT))
        have["project"] = want["project"]
    if have != _read_record():
        RECORD.write_text(json.dumps(have))
        _say(f"Environment ready after {time.monotonic() - started:.0f} s.")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read_record() -> dict:
    try:
        return dict(json.loads(RECORD.read_text()))
    except (OSError, ValueError):
        return {}


def _make_venv() -> None:
    if VENV.exists():
        _say("Making the environment in .venv anew: Python, a lock or this folder's place has changed.")
        shutil.rmtree(str(VENV))
    else:
        _say("Making the environment in .venv (once; under a minute with a fair connection).")
    done = subprocess.run(  # noqa: S603 - this very Python
        [sys.executable, "-m", "venv", str(VENV)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode:
        sys.exit("python3 -m venv failed:\n" + done.stdout.decode(errors="replace"))


def _pip(what: str, *arguments: str) -> None:
    """Run pip without resolving, building only with what the build lock names; show how far it is."""
    total = 0
    if "-r" in arguments:
        total = len(re.findall(r"^\S+==", Path(arguments[-1]).read_text(), re.MULTILINE))
    _say(f"Installing {what}" + (f" (up to {total} packages) ..." if total else " ..."))
    command = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--no-deps", "--no-build-isolation"]
    command += ["--no-compile", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    settings = dict(os.environ, PIP_USER="0", PIP_REQUIRE_VIRTUALENV="0")
    log = []
    with subprocess.Popen(  # noqa: S603 - the environment's own pip
        command + list(arguments), env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=str(ROOT)
    ) as pip:
        seen = 0
        for raw in pip.stdout or ():
            line = raw.decode(errors="replace").rstrip()
            log.append(line)
            if line.startswith("Collecting "):
                seen += 1
                _tick(f"  {seen} of {total}  {line.split()[1]}")
            elif line.startswith("Installing collected"):
                _tick("  unpacking")
    _tick("")
    if pip.returncode:
        sys.exit("\n".join(log[-15:]) + f"\n\npip could not install {what}. Is the package index reachable from here?")


def _say(text: str) -> None:
    print(text, flush=True)


def _tick(text: str) -> None:
    """Overwrite one line of a terminal; say nothing in a log file."""
    if sys.stdout.isatty():
        sys.stdout.write("\r\x1b[K" + text[:78])
        sys.stdout.flush()


if __name__ == "__main__":
    main()
