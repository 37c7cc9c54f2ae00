"""Looking after what is stored: rows made anew, a source taken out, how much is kept of each."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from backend.ingestion.insert_to_supabase import Merging
from backend.ingestion.merger import Levels
from backend.models.ingestion_models import Rights, RightsLevel, SourceRecord
from backend.repositories.catalogue_state import MERGED, CatalogueState
from backend.repositories.feature_models import FeatureModels
from backend.repositories.remerging import Progress, Remerged, Remerging
from backend.repositories.storage import Storage
from backend.utils.errors import InvalidInputError

log = structlog.get_logger(__name__)

_ALARM: Final = 0.8  # of a source's cap
_LOOK_SECONDS: Final = 60.0  # between looks at how much is stored


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageUse:
    """How much is kept of a source's.

    Attributes:
        source: its name.
        bytes: of its records as text, past ones included.
        cap: what its terms let one keep; None for no such limit.
        share: of the cap; None without one.
        alarm: what to do about it, from 80 % of the cap on; "" before.
    """

    source: str
    bytes: int
    cap: int | None = None
    share: float | None = None
    alarm: str = ""


class UpkeepService:
    """Rebuilds, purges and counts.

    Args:
        remerging: makes rows anew.
        storage: counts bytes.
        state: remembers under which policy the rows were made.
        models: that estimate audio features; those learnt from a purged source go with it.
        merging: how records become rows.
        stored: awaited after the catalogue changed, to empty caches.
    """

    def __init__(
        self,
        remerging: Remerging,
        storage: Storage,
        state: CatalogueState,
        models: FeatureModels,
        *,
        merging: Merging,
        stored: Callable[[], Awaitable[None]],
    ) -> None:
        self._remerging = remerging
        self._storage = storage
        self._state = state
        self._models = models
        self._merging = merging
        self._stored = stored
        self._uses: dict[str, StorageUse] = {}
        self._looked = float("-inf")

    async def rebuild(self, *, progress: Progress = lambda *_: None) -> Remerged:
        """Make all rows anew from what the sources said, by the policy and the models of now; equal rows stay untouched."""
        await self._prepare()
        found = await self._remerging.rebuild(self._merge, progress=progress)
        await self._state.set(MERGED, self._fingerprint)
        if found.changed:
            await self._stored()
        return found

    async def purge(self, source: str, *, progress: Progress = lambda *_: None) -> Remerged:
        """Take out all that a source ever said, what rows had of it, and the models that were learnt from it.

        Raises:
            InvalidInputError: nothing of such a source is stored, and none is registered.
        """
        known = {*self._merging.profiles, *await self._storage.bytes_by_source()}
        if source not in known:
            raise InvalidInputError(f"there is no source {source!r}; there are {', '.join(sorted(known))}")
        # First, for a model holds rows that it was learnt from: nothing may be estimated from them any more.
        permitted = [level for level in RightsLevel if level.permits(self._rights_of(source))]
        learnt = [level for level in permitted if await self._models.purge(level)]
        await self._prepare()
        found = await self._remerging.purge(source, self._merge, progress=progress)
        if learnt:
            log.info("models learnt from the purged source are gone; learn again", rights=", ".join(learnt))
            found = replace(found, changed=(await self._remerging.rebuild(self._merge)).changed + found.changed)
        self._looked = float("-inf")
        await self._stored()
        log.info("purged", source=source, records=found.records, albums=found.albums, removed=found.removed)
        return found

    async def is_stale(self) -> bool:
        """Whether the rows were made under another policy, or other terms of sources, than those of now."""
        made = await self._state.get(MERGED)
        if made is None and await self._state.is_empty():
            await self._state.set(MERGED, self._fingerprint)
            return False
        return made != self._fingerprint

    async def storage(self) -> list[StorageUse]:
        """How much is kept of each source's."""
        found = await self._storage.bytes_by_source()
        return [self._use(source, found.get(source, 0)) for source in sorted({*found, *self._capped()})]

    async def full(self, source: str) -> str | None:
        """Why nothing more of a source's may be stored; None while it may. Looked at once a minute."""
        profile = self._merging.profiles.get(source)
        if profile is None or profile.storage_cap is None:
            return None
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            self._looked = time.monotonic()
            await self._look()
        use = self._uses.get(source)
        return use.alarm if use is not None and use.bytes >= profile.storage_cap else None

    async def _look(self) -> None:
        found = await self._storage.bytes_by_source(self._capped())
        self._uses = {source: self._use(source, size) for source, size in found.items()}
        for use in self._uses.values():
            if use.alarm:
                log.warning("storage of a source nears its cap", source=use.source, bytes=use.bytes, advice=use.alarm)

    def _capped(self) -> list[str]:
        return [name for name, profile in self._merging.profiles.items() if profile.storage_cap is not None]

    def _use(self, source: str, size: int) -> StorageUse:
        profile = self._merging.profiles.get(source)
        cap = profile.storage_cap if profile is not None else None
        if cap is None:
            return StorageUse(source=source, bytes=size)
        share = size / cap
        alarm = ""
        if share >= _ALARM:
            alarm = (
                f"{size:,} bytes of {source} are stored, {share:.0%} of the {cap:,} that its terms allow"
                f"{'; nothing more is asked' if share >= 1 else ''}: `tensoe purge {source}` takes them out"
            )
        return StorageUse(source=source, bytes=size, cap=cap, share=round(share, 4), alarm=alarm)

    def _rights_of(self, source: str) -> Rights:
        """The freest rights of anything that it gives; of a source that is no longer registered, all that may be."""
        profile = self._merging.profiles.get(source)
        given = {Rights.OPEN} if profile is None else {profile.rights, *profile.rights_of.values()}
        return min(given, key=[*Rights].index)

    async def _prepare(self) -> None:
        if self._merging.prepare is not None:
            await self._merging.prepare(now=True)

    @property
    def _fingerprint(self) -> str:
        return self._merging.policy.fingerprint(self._merging.profiles)

    def _merge(self, album_id: str, records: Sequence[SourceRecord]) -> Levels | None:
        """The album, or None when nobody whose word counts says what it is called: its rows stay as they are."""
        try:
            return self._merging.levels(records, album_id=album_id)
        except InvalidInputError as problem:
            log.warning("an album cannot be merged anew", album_id=album_id, problem=str(problem))
            return None
