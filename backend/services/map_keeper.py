"""One map per level of rights: drawn in the background, kept on disk, grown as the catalogue grows."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from backend.models.ingestion_models import RightsLevel
from backend.models.map import MapProgress
from backend.services.index_keeper import IndexKeeper
from backend.services.map_files import MapFiles, renewed

if TYPE_CHECKING:
    from backend.features.discovery.index import DiscoveryIndex
    from backend.features.map.picture import Picture
# What imports Arrow is imported inside functions, in a thread: the server's start-up does not wait for it.

log = structlog.get_logger(__name__)

_PATIENCE: Final = 1.5  # seconds that an answer waits for a map that is nearly there
_LARGE: Final = 20_000  # tracks; a larger map answers as it is while it is grown


class _EndedError(Exception):
    """The server stops: what is being drawn is given up."""


@dataclass(slots=True)
class _Level:
    """What is kept of one level."""

    picture: Picture | None = None
    stamp: tuple[int, int] | None = None
    work: asyncio.Task[None] | None = None
    done: float = 0.0
    anew: bool = False


class MapKeeper:
    """Keeps maps.

    Args:
        keeper: has the index.
        folder: where maps are stored.
    """

    def __init__(self, keeper: IndexKeeper, folder: Path) -> None:
        self._keeper = keeper
        self._files = MapFiles(folder)
        self._levels = {level: _Level() for level in RightsLevel}
        self._ending = threading.Event()
        # One thread of its own, one map at a time: minutes of work that no other answer waits for.
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="tensoe-map")

    async def picture(self, rights: RightsLevel, *, patience: float | None = _PATIENCE) -> Picture | MapProgress:
        """The map as the catalogue is now, or how far it is; a large one may be some seconds behind.

        Args:
            rights: the level.
            patience: seconds to wait for a map that is not there yet; None for as long as it takes.
        """
        level = self._levels[rights]
        if level.work is None and not await self._is_current(rights, level):
            self._begin(rights, level)
        work = level.work
        if work is not None and (level.picture is None or len(level.picture) <= _LARGE):
            await asyncio.wait([work], timeout=patience)
        if level.picture is not None:
            return level.picture
        if work is not None and work.done():
            work.result()  # it failed: whoever asks learns why
        return MapProgress(done=round(level.done, 3))

    async def rebuild(self, rights: RightsLevel) -> MapProgress:
        """Begin a new layout; the old map answers until it is there. Where one is being drawn, that one is it."""
        level = self._levels[rights]
        if level.work is None:
            level.anew = True
            self._begin(rights, level)
        return MapProgress(done=round(level.done, 3))

    def progress(self, rights: RightsLevel) -> MapProgress | None:
        """How far the map that is being drawn is; None when none is."""
        level = self._levels[rights]
        return None if level.work is None else MapProgress(done=round(level.done, 3))

    async def finished(self, rights: RightsLevel) -> None:
        """Wait for the map that is being drawn, if one is."""
        if (work := self._levels[rights].work) is not None:
            await asyncio.wait([work])

    async def close(self) -> None:
        """Give up what is being drawn."""
        self._ending.set()
        for level in self._levels.values():
            if level.work is not None:
                with contextlib.suppress(_EndedError, asyncio.CancelledError):
                    await level.work
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def _is_current(self, rights: RightsLevel, level: _Level) -> bool:
        if level.picture is None or self._files.stamp(rights) != level.stamp:
            return False
        return level.picture.index is await self._keeper.index(rights)

    def _begin(self, rights: RightsLevel, level: _Level) -> None:
        level.done = 0.0
        level.work = asyncio.create_task(self._work(rights, level), name=f"map of {rights}")
        level.work.add_done_callback(lambda done: self._ended(level, done))

    def _ended(self, level: _Level, done: asyncio.Task[None]) -> None:
        level.work, level.anew = None, False
        if not done.cancelled() and (problem := done.exception()) is not None and not self._ending.is_set():
            log.warning("the map could not be drawn; the old one answers", fault=repr(problem))

    async def _work(self, rights: RightsLevel, level: _Level) -> None:
        index = await self._keeper.index(rights)
        loop = asyncio.get_running_loop()
        level.picture, level.stamp = await loop.run_in_executor(self._pool, self._drawn, rights, index, level)

    def _drawn(
        self, rights: RightsLevel, index: DiscoveryIndex, level: _Level
    ) -> tuple[Picture, tuple[int, int] | None]:
        def told(share: float) -> None:
            if self._ending.is_set():
                raise _EndedError
            level.done = share

        return renewed(self._files, rights, index, anew=level.anew, told=told)
