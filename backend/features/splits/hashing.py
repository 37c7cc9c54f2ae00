"""A hash that is the same in every process, on every machine and in every version: BLAKE2b (RFC 7693)."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

_BYTES: Final = 8
_PERSON: Final = b"tensoe split 1"  # another version of the splits would be another hash


def hashes(keys: Iterable[str], *, seed: int | None = None) -> Hashes:
    """64 bits per key, of key and seed alone.

    >>> [int(h) for h in hashes(["beatles", "queen"], seed=7) % 1000]
    [260, 145]
    """
    start = blake2b(digest_size=_BYTES, person=_PERSON)
    start.update(f"{'' if seed is None else seed}\x1f".encode())
    found = bytearray()
    for key in keys:
        one = start.copy()
        one.update(key.encode("utf-8", "surrogatepass"))
        found += one.digest()
    return np.frombuffer(bytes(found), ">u8").astype(np.uint64)


def places(keys: Iterable[str], *, seed: int) -> npt.NDArray[np.float64]:
    """Where each key stands between 0 and 1 (not reached): 53 bits of its hash."""
    return (hashes(keys, seed=seed) >> np.uint64(11)).astype(np.float64) * 2.0**-53
