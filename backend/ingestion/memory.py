"""What a source remembers from one album to the next: what its key may do, which identifiers it knows nothing of."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

_MOST: Final = 100_000


class Memory(Protocol):
    """One source's memory. Values are plain JSON; what is forgotten costs a request, never more."""

    async def recall(self, keys: Iterable[str]) -> dict[str, Any]:
        """The values of those keys that are remembered."""
        ...

    async def remember(self, values: Mapping[str, Any], *, seconds: float) -> None:
        """Remember values for so long."""
        ...


class ProcessMemory:
    """A memory that ends with the process."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[float, Any]] = {}

    async def recall(self, keys: Iterable[str]) -> dict[str, Any]:
        """See `Memory`."""
        now = time.monotonic()
        return {k: v[1] for k in keys if (v := self._values.get(k)) is not None and v[0] > now}

    async def remember(self, values: Mapping[str, Any], *, seconds: float) -> None:
        """See `Memory`."""
        if len(self._values) > _MOST:
            self._values.clear()
        until = time.monotonic() + seconds
        self._values |= {k: (until, v) for k, v in values.items()}
