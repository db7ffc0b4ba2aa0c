"""The type of a Redis client in signatures.

redis-py 8 types every reply as a union of bytes, str and None, whatever the client
was told about decoding; ours always answers bytes. Until its types know that, replies
are untyped where they come in, and typed by the function that returns them.
"""

from typing import Any, TypeAlias

Client: TypeAlias = Any
