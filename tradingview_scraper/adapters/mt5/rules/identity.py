"""Whose order is it? The magic number that carries a client order id through the venue.

A magic number is ``namespace * 10**11 + hash``: the namespace (four decimal digits, from the
configuration) can be read in the terminal, the 36-bit hash of the client order id survives on
the order, its deals and its position [vendor]. The largest is below 2**53, exact as a float.
"""

from hashlib import blake2b
from typing import Final

#: Namespaces that a configuration may choose.
NAMESPACES: Final = range(1000, 10000)

_NAMESPACE_UNIT: Final = 10**11
_HASH_BITS: Final = 36


def magic(namespace: int, client_order_id: str) -> int:
    """The magic number of `client_order_id`: always the same, and in practice nobody else's.

    Two ids collide with a probability of 2**-36 per pair: whoever sends compares with the orders
    that are known. Raises ValueError for a namespace outside `NAMESPACES` and for an empty id.
    """
    if namespace not in NAMESPACES:
        raise ValueError(
            f"namespace must be within {NAMESPACES.start}..{NAMESPACES.stop - 1}, was {namespace}"
        )
    if not client_order_id:
        raise ValueError("client_order_id must not be empty: every order needs its own magic")
    digest = blake2b(client_order_id.encode("utf-8"), digest_size=8).digest()
    return namespace * _NAMESPACE_UNIT + (int.from_bytes(digest, "big") >> (64 - _HASH_BITS))


def namespace_of(magic: int) -> int | None:
    """The namespace of a magic number of ours; None for any other number (0: no magic at all)."""
    namespace, rest = divmod(magic, _NAMESPACE_UNIT)
    return namespace if namespace in NAMESPACES and rest < 1 << _HASH_BITS else None
