"""Who changed what over HTTP: in the log at once, in the database a second later."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from backend.models.access import Deed
from backend.models.results import Page
from backend.utils.errors import TensoeError

log = structlog.get_logger(__name__)

_WAITING: Final = 2_000  # deeds that wait for the database at the most; the log has them all
_AT_ONCE: Final = 500
_PAUSE: Final = 1.0


class Deeds(Protocol):
    """Where deeds are kept; `repositories.deeds` has it."""

    async def keep(self, deeds: Sequence[Deed]) -> None:
        """Keep what was done."""

    async def page(self, *, limit: int, cursor: str | None = None) -> Page:
        """What was done."""


class DeedLog:
    """Notes deeds without keeping anybody waiting.

    Args:
        deeds: where they are kept.
    """

    def __init__(self, deeds: Deeds) -> None:
        self._deeds = deeds
        self._waiting: list[Deed] = []
        self._dropped = 0
        self._keeping: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()  # who reads and who keeps would both keep the same, and forget what came meanwhile

    def note(self, deed: Deed) -> None:
        """Note a deed."""
        log.info(
            "deed", key=deed.key, name=deed.name, address=deed.address, method=deed.method, path=deed.path, status=deed.status
        )  # fmt: skip
        if len(self._waiting) >= _WAITING:
            self._dropped += 1
            return
        self._waiting.append(deed)

    async def page(self, *, limit: int, cursor: str | None = None) -> Page:
        """What was done, the latest first.

        Raises:
            InvalidInputError: the cursor is none of ours.
        """
        await self._try_to_keep()  # a database that can only be read still shows what it has
        return await self._deeds.page(limit=limit, cursor=cursor)

    def start(self) -> None:
        """Keep what is noted, once a second."""
        self._keeping = asyncio.create_task(self._keep_always(), name="deeds")

    async def stop(self) -> None:
        """Keep what is left."""
        if self._keeping is not None:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping
        await self._try_to_keep()

    async def _keep_always(self) -> None:
        while True:
            await asyncio.sleep(_PAUSE)
            await self._try_to_keep()

    async def _try_to_keep(self) -> None:
        try:
            await self._keep()
        except TensoeError as problem:  # the database is away: they wait, as many as there is room for
            log.warning(
                "what was done cannot be kept now; it is tried again", waiting=len(self._waiting), fault=str(problem)
            )

    async def _keep(self) -> None:
        async with self._turn:
            while some := self._waiting[:_AT_ONCE]:
                await self._deeds.keep(some)
                del self._waiting[: len(some)]
        if self._dropped:
            log.warning("deeds are in the log alone: the database was away for too long", deeds=self._dropped)
            self._dropped = 0
