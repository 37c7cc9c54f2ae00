"""Documents made wrong: valid ones with some of their parts changed, and noise."""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
"""How many of each a long run makes (`make fuzz`); 0 in the usual tests, which make few and always the same."""

Make = Callable[[random.Random], Any]

_TEXTS = (
    "", " ", "0", "-1", "1e999", "nan", "inf", "-inf", "true", "null", "\x00", "\ud800", "\ufeff", "\u202e", "é" * 3, "٣", "²",
    "<script>alert(1)</script>", "'; DROP TABLE albums; --", "../../etc/passwd", "%00", "=1+1", "\x1f", "a" * 5_000, "(" * 500,
    "[" * 500, " - " * 300, "feat. " * 200, "9" * 5_000, "0x" + "f" * 5_000, "1:" * 400, "inf:00", "nan:30", "0000-00-00",
    "2024-02-30", "9999-99-99", "1970-01-01T00:00:00Z", "12:61", "1\u00a0000", "a\tb\nc\rd", "\u2028", "😀" * 50,
)  # fmt: skip
_NUMBERS = (
    0,
    -0.0,
    1,
    -1,
    0.5,
    2**31,
    2**63,
    -(2**63),
    2**64 - 1,
    10**40,
    1e308,
    -1e308,
    5e-324,
    1e40,
    float("nan"),
    float("inf"),
)


def limits(short: int) -> settings:
    """How many examples, and for how long one may take: long enough for a busy machine, too short for a bad algorithm."""
    return settings(
        max_examples=EXAMPLES or short, deadline=20_000, derandomize=not EXAMPLES, database=None, print_blob=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


def made(make: Make) -> st.SearchStrategy[Any]:
    """What a function makes of chance; a failure shows what was made."""
    return st.integers(0, 2**62).map(lambda seed: make(random.Random(seed)))


def junk(rng: random.Random, depth: int = 2) -> Any:
    """Any JSON value, the odd ones first."""
    kind = rng.randrange(8 if depth else 5)
    if kind == 0:
        return rng.choice((None, True, False))
    if kind == 1:
        return rng.choice(_NUMBERS)
    if kind in {2, 3}:
        return rng.choice(_TEXTS)
    if kind == 4:
        return "".join(chr(rng.choice((rng.randrange(32, 127), rng.randrange(0xD800), 0x1F3B5))) for _ in range(9))
    if kind == 5:
        return [junk(rng, depth - 1) for _ in range(rng.randrange(4))]
    if kind == 6:
        return {str(junk(rng, 0)): junk(rng, depth - 1) for _ in range(rng.randrange(4))}
    nested: Any = rng.choice(({}, []))
    for _ in range(rng.choice((1, 50, 300))):
        nested = [nested] if rng.random() < 0.5 else {"a": nested}
    return nested


def changed(value: Any, rng: random.Random, *, most: int = 4) -> Any:
    """A copy of a JSON value with one to a few of its parts changed; sometimes something else altogether."""
    if rng.random() < 0.02:
        return junk(rng)
    found = {"": copy.deepcopy(value)}
    for _ in range(rng.randint(1, most)):
        places = list(_places(found))
        holder, key = rng.choice(places)
        now = holder[key]
        kind = rng.randrange(8)
        if kind == 0 and holder is not found:
            del holder[key]
        elif kind == 1 and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(now))
        elif kind == 2:
            holder[key] = [now]
        elif kind == 3:
            holder[key] = {"data": now}
        elif kind == 4 and isinstance(now, str | int | float):
            holder[key] = str(now) if not isinstance(now, str) else len(now)
        elif kind == 5:
            other_holder, other = rng.choice(places)
            holder[key] = copy.deepcopy(other_holder[other]) if other in _keys(other_holder) else None
        else:
            holder[key] = junk(rng)
    return found[""]


def _keys(holder: Any) -> Sequence[Any]:
    return range(len(holder)) if isinstance(holder, list) else list(holder)


def _places(holder: Any) -> Any:
    for key in _keys(holder):
        yield holder, key
        if isinstance(holder[key], list | dict) and len(str(key)) < 100:
            yield from _places(holder[key])


def altered(text: bytes, rng: random.Random, *, words: Sequence[bytes] = (), most: int = 5) -> bytes:
    """Bytes with pieces taken out, doubled, moved or put in; sometimes cut short, sometimes noise alone."""
    if rng.random() < 0.03:
        return rng.randbytes(rng.randrange(300))
    found = bytearray(text)
    for _ in range(rng.randint(1, most)):
        at = rng.randrange(len(found) + 1)
        piece = found[at : at + rng.choice((1, 2, 8, 40, 200))]
        kind = rng.randrange(7)
        if kind == 0:
            del found[at : at + len(piece)]
        elif kind == 1:
            found[at:at] = piece * rng.choice((1, 2, 30))
        elif kind == 2:
            found[at : at + 1] = rng.randbytes(1)
        elif kind == 3:
            del found[at:]
        elif kind == 4:
            found[at:at] = rng.choice(_TEXTS).encode("utf-8", "surrogatepass")
        elif kind == 5 and words:
            found[at:at] = rng.choice(list(words)) * rng.choice((1, 1, 1, 200))
        else:
            there = rng.randrange(len(found) + 1)
            found[there:there] = piece
    return bytes(found)
