"""One index of tracks per level of rights, kept as the catalogue changes: opened, followed, built anew when much is new."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import structlog

from backend.models.ingestion_models import RightsLevel
from backend.services.index_folders import IndexFolders, Kept
from backend.services.tracks import TrackTables
from backend.services.worker_threads import WorkerThreads

if TYPE_CHECKING:
    import pyarrow as pa

    from backend.features.discovery.index import DiscoveryIndex
# What imports Arrow is imported inside functions, in a thread: the server's start-up does not wait for it.

log = structlog.get_logger(__name__)

_LOOK: Final = 1.0  # seconds between looks whether somebody else changed the catalogue
_LARGE: Final = 20_000  # tracks; a larger index answers as it is while the next one is made
_PACE: Final = (
    2.0  # seconds that a large one rests at least before it follows again: an ingestion moves it many times a second
)
_WANTED: Final = 60.0  # seconds since it was last asked for in which a large one follows by itself
_STORED_FROM: Final = 5_000  # tracks; smaller ones are built quicker than they are opened
_ANEW: Final = 2_000  # tracks; smaller catalogues are learnt from again at each change
_TAIL: Final = 0.05  # of the tracks that may be new or changed before all is learnt again


Sittings: TypeAlias = Callable[[], Sequence[Sequence[str]]]


class Catalogue(Protocol):
    """What changed; `repositories.album_moments` has it. Blocking."""

    def moments(self, rights: RightsLevel) -> pa.Table:
        """Of all albums `id` and `moved`, a whole number that grows when the album or a track of it changes."""
        ...

    def tracks_of(self, albums: Sequence[str], rights: RightsLevel, columns: Sequence[str]) -> pa.Table:
        """The tracks of some albums."""
        ...


class Heard(Protocol):
    """What listeners who agreed to it heard; `repositories.sittings` has it."""

    async def version(self) -> str:
        """A word that changes when a listener comes or goes, or when there is much more than before."""
        ...

    async def tracks(self) -> Sequence[Sequence[str]]:
        """Of each sitting the ids of the catalogue's tracks."""
        ...


class Nobody:
    """Where there are no histories."""

    async def version(self) -> str:
        """See `Heard`."""
        return ""

    async def tracks(self) -> Sequence[Sequence[str]]:
        """See `Heard`."""
        return ()


class IndexKeeper:
    """Keeps indexes.

    Args:
        tracks: reads tracks.
        catalogue: tells what changed.
        threads: run what blocks.
        folder: where large indexes are stored; None for nowhere.
        heard: what listeners heard.
        look: seconds between looks whether another process changed the catalogue; what this one changed is told by `moved`.
        large: tracks; an index of more than this is followed beside its answers.
    """

    def __init__(
        self,
        tracks: TrackTables,
        catalogue: Catalogue,
        *,
        threads: WorkerThreads,
        folder: Path | None = None,
        heard: Heard | None = None,
        look: float = _LOOK,
        large: int = _LARGE,
    ) -> None:
        self._tracks = tracks
        self._catalogue = catalogue
        self._threads = threads
        self._folders = None if folder is None else IndexFolders(folder)
        self._heard = heard or Nobody()
        self._look = look
        self._large = large
        self._kept: dict[RightsLevel, Kept] = {}
        self._looked: dict[RightsLevel, float] = {}  # when the look began that the kept index comes from
        self._rested: dict[RightsLevel, float] = {}  # when the last look ended
        self._asked: dict[RightsLevel, float] = {}
        self._changed = -1.0  # when this process last heard of a change
        self._locks = {level: asyncio.Lock() for level in RightsLevel}
        self._following: dict[RightsLevel, asyncio.Task[None]] = {}
        self._waited_for: set[asyncio.Task[None]] = set()

    async def index(self, rights: RightsLevel = RightsLevel.ANY) -> DiscoveryIndex:
        """The index of a level as the catalogue is now; a large one may be some seconds behind, while the next is made."""
        now = time.monotonic()
        self._asked[rights] = now
        kept = self._kept.get(rights)
        if kept is not None and not self._is_due(rights, now):
            return kept.index
        if kept is None or len(kept.index) <= self._large:
            # Who asks may be told that it takes too long; what is half built is needed by the next who asks.
            following = asyncio.create_task(self._follow(rights), name=f"index of {rights}, waited for")
            self._waited_for.add(following)
            following.add_done_callback(self._waited_for.discard)
            await asyncio.shield(following)
            return self._kept[rights].index
        self._begin(rights)
        return kept.index

    def moved(self) -> None:
        """Somebody changed the catalogue: small indexes look when asked next, large ones by themselves."""
        self._changed = time.monotonic()
        for rights, kept in self._kept.items():
            if len(kept.index) > self._large:
                self._begin_if_wanted(rights)

    def _is_due(self, rights: RightsLevel, now: float) -> bool:
        looked = self._looked.get(rights, -self._look)
        return self._changed >= looked or now - looked >= self._look

    def _begin_if_wanted(self, rights: RightsLevel) -> None:
        if time.monotonic() - self._asked.get(rights, -_WANTED) < _WANTED:
            self._begin(rights)

    def _begin(self, rights: RightsLevel) -> None:
        """Follow beside everything else, once the last time is long enough ago."""
        if rights not in self._following:
            task = asyncio.create_task(self._follow_rested(rights), name=f"index of {rights}")
            self._following[rights] = task
            task.add_done_callback(lambda done: self._ended(rights, done))

    async def _follow_rested(self, rights: RightsLevel) -> None:
        await asyncio.sleep(self._rested.get(rights, -_PACE) + _PACE - time.monotonic())
        await self._follow(rights)

    async def renew(self) -> None:
        """Forget all that was learnt, here and on disk: something was taken out that must leave no trace."""
        for level, lock in self._locks.items():
            async with lock:
                self._kept.pop(level, None)
                self._looked.pop(level, None)
        if self._folders is not None:
            await asyncio.to_thread(self._folders.clear)

    async def close(self) -> None:
        """Wait for what is being made."""
        self._changed = -1.0
        for task in [*self._following.values(), *self._waited_for]:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _ended(self, rights: RightsLevel, task: asyncio.Task[None]) -> None:
        self._following.pop(rights, None)
        if task.cancelled():
            return
        if (problem := task.exception()) is not None:
            log.warning("the index of similar tracks could not be renewed; the old one answers", fault=repr(problem))
        elif self._changed > self._looked.get(rights, -1.0):  # it moved on while it was followed
            self._begin_if_wanted(rights)

    async def _follow(self, rights: RightsLevel) -> None:
        asked = time.monotonic()
        async with self._locks[rights]:
            if self._looked.get(rights, -1.0) >= asked:  # another one looked while this one waited
                return
            began = time.monotonic()
            kept, heard = self._kept.get(rights), await self._heard.version()
            loop = asyncio.get_running_loop()

            def sittings() -> Sequence[Sequence[str]]:
                return asyncio.run_coroutine_threadsafe(self._heard.tracks(), loop).result()

            self._kept[rights] = await self._threads.run(lambda: self._newest(rights, kept, heard, sittings))
            self._looked[rights], self._rested[rights] = began, time.monotonic()

    def _newest(self, rights: RightsLevel, kept: Kept | None, heard: str, sittings: Sittings) -> Kept:
        moments = self._catalogue.moments(rights)
        if kept is None and self._folders is not None:
            kept = self._folders.open(rights)
        followed = None if kept is None or kept.heard != heard else self._followed(rights, kept, moments)
        return followed or self._built(rights, moments, heard, sittings())

    def _built(self, rights: RightsLevel, moments: pa.Table, heard: str, sittings: Sequence[Sequence[str]]) -> Kept:
        from backend.features.discovery.index import DiscoveryIndex
        from backend.features.discovery.learning import from_sittings
        from backend.features.discovery.rows import READS
        from backend.models.results import TrackFilter
        from backend.services.matrices import EVERYTHING

        table = self._tracks.arrow(TrackFilter(rights=rights), limit=EVERYTHING, columns=READS)
        artists, weights = from_sittings(table, sittings)
        index = DiscoveryIndex.build(table, version=secrets.token_hex(8), sittings=artists, weights=weights)
        kept = Kept(index, moments, heard)
        if self._folders is not None and table.num_rows >= _STORED_FROM:
            try:
                self._folders.keep(rights, kept)
            except OSError as problem:  # a full disk costs the next start some seconds, no answer
                log.warning("the index of similar tracks could not be stored", fault=str(problem))
        return kept

    def _followed(self, rights: RightsLevel, kept: Kept, moments: pa.Table) -> Kept | None:
        """The index with what changed; None when so much did that all is to be learnt anew."""
        from backend.features.discovery.rows import READS
        from backend.features.discovery.songs import text_codes

        changed, gone = _differing(kept.moments, moments)
        if not changed and not gone:
            return kept
        index = kept.index
        if len(index.base) < _ANEW or len(changed) > _TAIL * max(kept.moments.num_rows, 1):
            return None
        import numpy as np

        table = self._catalogue.tracks_of(changed, rights, READS)
        if len(index.tail) + table.num_rows > _TAIL * len(index.base):
            return None
        old = np.flatnonzero(index.rows.alive & np.isin(index.rows.albums, text_codes([*changed, *gone])))
        return Kept(
            index.changed(table, removed=index.rows.names(old), version=secrets.token_hex(8)), moments, kept.heard
        )


def _differing(before: pa.Table, after: pa.Table) -> tuple[list[str], list[str]]:
    """Albums that are new or have moved, and albums that are gone."""
    import polars as pl

    old, new = pl.DataFrame(before), pl.DataFrame(after)
    changed = new.join(old, on=["id", "moved"], how="anti")["id"].to_list()
    gone = old.join(new, on="id", how="anti")["id"].to_list()
    return changed, gone
