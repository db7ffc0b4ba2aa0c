"""The limit of open files is raised as far as the system lets us, and never lowered."""

import resource
import subprocess
import sys

import pytest

ASK = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
from newswire_cli.sockets import allow_sockets
print(allow_sockets(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(("soft", "hard", "then"), [(256, 2_000, 2_000), (2_000, 2_000, 2_000)])
def test_a_low_limit_is_raised_to_what_the_system_allows(soft: int, hard: int, then: int) -> None:
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= hard
    program = ASK.format(soft=soft, hard=hard)
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=20)
    assert said.stdout.split() == [str(then), str(then), str(hard)]
