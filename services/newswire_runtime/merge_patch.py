"""JSON Merge Patch (RFC 7396): a document of what changes, applied to a document.

A member with a value replaces the old one, or adds it; ``null`` takes it away; an object goes on
inside. Lists are replaced whole. Nothing is changed in place, and nothing can fail.
"""

from typing import Any

MEDIA_TYPE = "application/merge-patch+json"


def merged(target: Any, patch: Any) -> Any:
    """Return the target as the patch leaves it (RFC 7396 section 2)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result
