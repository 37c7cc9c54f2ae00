"""All ways of asking, for those who wait on an event loop: the index is the level's, what blocks runs in threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from backend.models.discovery import Ask, ListedTrack, PlaylistEntry
from backend.models.ingestion_models import RightsLevel
from backend.models.results import TrackFilter
from backend.services.discovery_service import DiscoveryService, allowed_k
from backend.services.worker_threads import WorkerThreads
from backend.utils.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    import pyarrow as pa

    from backend.features.discovery.index import DiscoveryIndex
# What imports Arrow is imported inside functions, in a thread: the server's start-up does not wait for it.

Answer = dict[str, Any]


class Details(Protocol):
    """What playlists say of tracks; `repositories.playlist_tracks` has it."""

    async def of(self, ids: Sequence[str], *, rights: RightsLevel) -> list[PlaylistEntry]:
        """The tracks of these ids, in their order."""
        ...


class Receptions(Protocol):
    """How works were received; `repositories.receptions` has it. Blocking."""

    def of(self, track_filter: TrackFilter, *, tracks: bool) -> pa.Table:
        """All albums or tracks that have a score."""
        ...


class AskingService:
    """Answers questions of every kind.

    Args:
        discovery: has the indexes.
        details: what playlists say of tracks.
        receptions: how works were received.
        threads: run what blocks.
    """

    def __init__(
        self, discovery: DiscoveryService, details: Details, receptions: Receptions, *, threads: WorkerThreads
    ) -> None:
        self._discovery = discovery
        self._details = details
        self._receptions = receptions
        self._threads = threads

    async def discover(self, ask: Ask, track_filter: TrackFilter) -> Answer:
        """See `discovery_answers.discover`."""

        def find(index: DiscoveryIndex) -> Answer:
            from backend.services.discovery_answers import discover

            return discover(index, ask, track_filter, fitting=self._discovery.fitting)

        return await self._out_of(track_filter.rights, find)

    async def continued(self, tracks: Sequence[ListedTrack], ask: Ask, track_filter: TrackFilter) -> Answer:
        """See `discovery_answers.continued`."""

        def find(index: DiscoveryIndex) -> Answer:
            from backend.services.discovery_answers import continued

            return continued(index, tracks, ask, track_filter, fitting=self._discovery.fitting)

        return await self._out_of(track_filter.rights, find)

    async def way(self, start: str, end: str, *, steps: int, track_filter: TrackFilter) -> Answer:
        """See `discovery_answers.way`."""

        def find(index: DiscoveryIndex) -> Answer:
            from backend.services.discovery_answers import way

            return way(index, start, end, steps=steps, track_filter=track_filter, fitting=self._discovery.fitting)

        return await self._out_of(track_filter.rights, find)

    async def overlooked(self, by: str, track_filter: TrackFilter, *, k: int = 20, tracks: bool = False) -> Answer:
        """See `overlooked_answers.overlooked`.

        Raises:
            InvalidInputError: k or `by` is not allowed.
        """
        most = allowed_k(k)

        def find() -> Answer:
            from backend.services.overlooked_answers import overlooked

            return overlooked(self._receptions.of(track_filter, tracks=tracks), by=who(by), k=most)

        return await self._threads.run(find)

    async def listed(self, ids: Sequence[str], *, rights: RightsLevel) -> Answer:
        """The tracks of these ids in their order, each once, and which ids name none.

        Raises:
            NotFoundError: none of them names a track.
        """
        found = await self._details.of(list(dict.fromkeys(ids)), rights=rights)
        if not found:
            raise NotFoundError("None of these ids names a track; /ml/training-data and /search name them")
        there = {entry.id for entry in found}
        shown = ("id", "title", "artist", "album", "release_year", "duration_ms")
        return {
            "count": len(found),
            "missing": [track_id for track_id in dict.fromkeys(ids) if track_id not in there],
            "data": [{name: getattr(entry, name) for name in shown} for entry in found],
        }

    async def entries(self, rows: Sequence[Mapping[str, Any]], *, rights: RightsLevel) -> list[PlaylistEntry]:
        """The tracks of an answer's `data` as playlists name them; those that are gone meanwhile are left out."""
        by_id = {row["id"]: row for row in rows}
        return [
            replace(entry, score=by_id[entry.id].get("score"), reasons=tuple(by_id[entry.id].get("reasons", ())))
            for entry in await self._details.of(list(by_id), rights=rights)
        ]

    async def _out_of(self, rights: RightsLevel, find: Callable[[DiscoveryIndex], Answer]) -> Answer:
        index = await self._discovery.index(rights)
        return await self._threads.run(lambda: find(index))


def who(by: str) -> Any:
    """Who overlooks, by name.

    Raises:
        InvalidInputError: it is nobody known here.
    """
    from backend.features.discovery.overlooked import Overlooked

    try:
        return Overlooked(by)
    except ValueError:
        raise InvalidInputError(f"by={by[:40]!r} is nobody; there are {', '.join(Overlooked)}") from None
