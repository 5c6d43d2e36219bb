"""Whose order is it? The magic number that carries a client order id through the venue.

A magic number is ``namespace * 10**11 + hash``: the namespace (four decimal digits, from the
configuration) can be read in the terminal, the 36-bit hash of the client order id survives on
the order, its deals and its position [vendor]. The largest is below 2**53, exact as a float.

The entry of a bracket may have a number beyond those: ``2**36 + shape * 2**30``, and the first 30
bits of the hash. The shape says which ids its stops have, of which the venue knows nothing else.
"""

from hashlib import blake2b
from typing import Final

#: Namespaces that a configuration may choose.
NAMESPACES: Final = range(1000, 10000)

_NAMESPACE_UNIT: Final = 10**11
_HASH_BITS: Final = 36
#: What a number with a shape has of the hash.
_SHORT_BITS: Final = 30
#: Shapes that fit below the next namespace.
SHAPES: Final = range(16)


def magic(namespace: int, client_order_id: str, shape: int | None = None) -> int:
    """The magic number of `client_order_id`: always the same, and in practice nobody else's.

    Two ids collide with a probability of 2**-36 per pair, 2**-30 with a `shape`: whoever sends
    compares with the orders that are known. Raises ValueError for a namespace outside `NAMESPACES`,
    a shape outside `SHAPES`, and for an empty id.
    """
    if namespace not in NAMESPACES:
        raise ValueError(
            f"namespace must be within {NAMESPACES.start}..{NAMESPACES.stop - 1}, was {namespace}"
        )
    if not client_order_id:
        raise ValueError("client_order_id must not be empty: every order needs its own magic")
    if shape is not None and shape not in SHAPES:
        raise ValueError(f"shape must be within {SHAPES.start}..{SHAPES.stop - 1}, was {shape}")
    digest = blake2b(client_order_id.encode("utf-8"), digest_size=8).digest()
    rest = int.from_bytes(digest, "big") >> (64 - _HASH_BITS)
    if shape is not None:
        rest = (1 << _HASH_BITS) + (shape << _SHORT_BITS) + (rest >> (_HASH_BITS - _SHORT_BITS))
    return namespace * _NAMESPACE_UNIT + rest


def namespace_of(magic: int) -> int | None:
    """The namespace of a magic number of ours; None for any other number (0: no magic at all)."""
    namespace, rest = divmod(magic, _NAMESPACE_UNIT)
    return namespace if namespace in NAMESPACES and rest < _REST_END else None


def shape_of(magic: int) -> int | None:
    """The shape in a magic number of ours; None for one without."""
    shape, _ = divmod(magic % _NAMESPACE_UNIT - (1 << _HASH_BITS), 1 << _SHORT_BITS)
    return shape if namespace_of(magic) is not None and shape in SHAPES else None


def short_hash(magic: int) -> int:
    """What the numbers of one client order id have in common, whatever their shape."""
    rest = magic % _NAMESPACE_UNIT
    if rest < 1 << _HASH_BITS:
        return rest >> (_HASH_BITS - _SHORT_BITS)
    return rest & ((1 << _SHORT_BITS) - 1)


_REST_END: Final = (1 << _HASH_BITS) + (len(SHAPES) << _SHORT_BITS)
