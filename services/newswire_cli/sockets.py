"""How many sockets a process may have: thousands of receivers and readers at once need more than most shells allow."""

try:
    import resource
except ImportError:  # a system without limits to raise
    resource = None  # type: ignore[assignment]  # checked below

WANTED = 65_536


def allow_sockets() -> int:
    """Raise the limit of open files as far as the system lets us, up to `WANTED`; return what it is now."""
    if resource is None:
        return WANTED
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return soft
