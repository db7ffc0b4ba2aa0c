"""Make and check the lock files: ``python deploy/locks.py make|check``.

Three universal locks (Python 3.11 to 3.14, Linux and macOS, x86-64 and ARM),
with a hash of every file and no address of any index:

``build.lock``    what builds the project and the one dependency that has no wheel
``runtime.lock``  what the services need: `make run` and the image
``dev.lock``      the runtime's packages and the tools and tests: `make test`

Each begins with a fingerprint of the dependencies in pyproject.toml that it was
made from; `check` compares it, and fails also when a lock names a host.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "deploy" / "locks"
BUILD_TOOLS = ("setuptools",)  # feedgen is only published as source, and is built by setuptools


def main() -> None:
    """Make the locks, or exit with what is wrong with them."""
    if sys.argv[1:] == ["make"]:
        _make()
    elif sys.argv[1:] == ["check"]:
        problems = check(ROOT)
        if problems:
            sys.exit("\n".join(problems))
        print("locks: fresh")
    else:
        sys.exit("usage: locks.py make|check")


def fingerprint(pyproject: str) -> str:
    """Return a short hash of all that decides what a lock holds; comments and order don't count."""
    data = tomllib.loads(pyproject)
    project = data["project"]
    parts = {
        "python": project["requires-python"],
        "runtime": sorted(project["dependencies"]),
        "groups": {name: sorted(group) for name, group in data.get("dependency-groups", {}).items()},
        "build": sorted([*data["build-system"]["requires"], *BUILD_TOOLS]),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def check(root: Path) -> list[str]:
    """Return what is wrong with the locks, in words; nothing if they are fresh."""
    wanted = fingerprint((root / "pyproject.toml").read_text())
    problems = []
    for name in ("build", "runtime", "dev"):
        path = root / "deploy" / "locks" / f"{name}.lock"
        text = path.read_text() if path.exists() else ""
        if not text.startswith(f"# {wanted}\n"):
            problems.append(f"deploy/locks/{name}.lock does not fit pyproject.toml: run `make lock` and commit it.")
        if re.search(r"https?://|^-", text, re.MULTILINE):
            problems.append(f"deploy/locks/{name}.lock names an index address or an option; a lock has neither.")
    return problems


def _make() -> None:
    uv = shutil.which(os.environ.get("UV", "uv"))
    if uv is None:
        sys.exit(
            "`make lock` needs uv, which nothing else here does: pip install uv, or name it: make lock UV=/path/to/uv"
        )
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())
    mark = f"# {fingerprint((ROOT / 'pyproject.toml').read_text())}\n"
    LOCKS.mkdir(exist_ok=True)
    runtime = LOCKS / "runtime.lock"
    build_input = "\n".join([*data["build-system"]["requires"], *BUILD_TOOLS])
    _compile(uv, LOCKS / "dev.lock", mark, ["pyproject.toml", "--group", "dev"])
    # The other two take their versions from the dev lock, so that one environment can hold all three.
    _compile(uv, runtime, mark, ["pyproject.toml", "-c", "deploy/locks/dev.lock"])
    _compile(uv, LOCKS / "build.lock", mark, ["-", "-c", "deploy/locks/dev.lock"], build_input)


def _compile(uv: str, target: Path, mark: str, arguments: list[str], stdin: str = "") -> None:
    options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate"]
    upgrade = ["--upgrade"] if os.environ.get("UPGRADE") else []
    command = [uv, "pip", "compile", "-q", *arguments, *options, *upgrade, "-o", str(target)]
    subprocess.run(command, cwd=ROOT, check=True, input=stdin, text=True)  # noqa: S603 - the maintainer's own uv
    target.write_text(mark + target.read_text().removeprefix(mark))
    print(f"locks: {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
