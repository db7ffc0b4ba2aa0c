"""Run the benches: ``python -m tests.bench [--profile] [name …]``; without a name, all of them."""

import argparse
import cProfile
import importlib
import pstats
import sys
from pathlib import Path


def names() -> list[str]:
    """Return the benches there are."""
    return sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))


def main() -> int:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"any of: {', '.join(names())}")
    parser.add_argument("--profile", action="store_true", help="also print where the time went")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(names()):
        parser.error(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(names())}")
    for name in arguments.names or names():
        bench = importlib.import_module(f"tests.bench.bench_{name}")
        if arguments.profile:
            profile = cProfile.Profile()
            profile.runcall(bench.main)
            pstats.Stats(profile).sort_stats("tottime").print_stats(20)
        else:
            bench.main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
