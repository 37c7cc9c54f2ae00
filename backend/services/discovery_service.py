"""What is like a track, an album or an artist, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from cachetools import LRUCache

from backend.models.ingestion_models import RightsLevel
from backend.models.results import TrackFilter
from backend.services.index_keeper import IndexKeeper
from backend.services.tracks import TrackTables
from backend.services.worker_threads import WorkerThreads
from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    from backend.features.columns import Flags
    from backend.features.discovery.index import DiscoveryIndex
    from backend.features.discovery.pick import Pick
# What imports Arrow is imported inside functions, in a thread: the server's start-up does not wait for it.

MOST: Final = 100
"""Tracks of one answer."""
PER_ARTIST: Final = 3
"""Tracks of one artist in an answer, unless somebody says otherwise."""
_FILTERS: Final = 32  # of which it is remembered which tracks fit


class DiscoveryService:
    """Answers out of the index.

    Args:
        keeper: has the index.
        tracks: which tracks fit a filter.
        threads: run what blocks.
    """

    def __init__(self, keeper: IndexKeeper, tracks: TrackTables, *, threads: WorkerThreads) -> None:
        self._keeper = keeper
        self._tracks = tracks
        self._threads = threads
        self._fitting: LRUCache[tuple[TrackFilter, str], Flags] = LRUCache(_FILTERS)

    async def index(self, rights: RightsLevel = RightsLevel.ANY) -> DiscoveryIndex:
        """The index of a level of rights as the catalogue is now."""
        return await self._keeper.index(rights)

    def moved(self) -> None:
        """Somebody changed the catalogue."""
        self._keeper.moved()

    async def close(self) -> None:
        """Wait for an index that is being made."""
        await self._keeper.close()

    async def recommendations(
        self,
        track_id: str,
        *,
        k: int = 10,
        track_filter: TrackFilter | None = None,
        per_artist: int | None = PER_ARTIST,
        diversity: float = 0.0,
    ) -> list[dict[str, Any]]:
        """The tracks most like one, best first, each with why.

        Args:
            track_id: of the track to start from.
            k: at most so many, 1 to 100.
            track_filter: which tracks may be answered; any when None.
            per_artist: at most so many of one artist; None for any number.
            diversity: 0 takes the best; towards 1 each must be unlike those before it.

        Returns:
            See `shown`.

        Raises:
            NotFoundError: no track has this id.
            InvalidInputError: k, `per_artist` or `diversity` is not allowed.
        """
        from backend.features.discovery.choosing import Taste

        taste = Taste(k=allowed_k(k), per_artist=cap(per_artist), diversity=share(diversity))
        wanted = track_filter or TrackFilter()
        index = await self.index(wanted.rights)

        def find() -> list[dict[str, Any]]:
            query = index.like([index.rows.find(track_id)])
            return shown(index, index.ask(query, taste, allowed=self.fitting(index, wanted)))

        return await self._threads.run(find)

    async def similar_groups(
        self, track_ids: Sequence[str], *, by: Literal["album", "artist"], k: int, rights: RightsLevel
    ) -> list[dict[str, Any]]:
        """The albums, or artists, whose tracks are most like some tracks.

        Returns:
            The most similar first: `album_id`, `album` and `artist` of each; `score` (a mean, at most 1) and
            `contributions`, which sum to it; `example`, its track that is nearest, and `reasons` in words.

        Raises:
            NotFoundError: no track of this level has one of the ids.
            InvalidInputError: k is not allowed.
        """
        wanted = allowed_k(k)
        index = await self.index(rights)

        def find() -> list[dict[str, Any]]:
            from backend.features.discovery.groups import similar_groups
            from backend.features.reasons import share_words

            query = index.like([index.rows.find(track_id) for track_id in track_ids])
            groups = similar_groups(index, query, by=by, k=wanted)
            cards = index.rows.cards([g.example for g in groups])
            return [
                {
                    **{name: card[name] for name in ("album_id", "album", "artist")},
                    "score": g.score,
                    "contributions": g.contributions,
                    "example": card,
                    "reasons": share_words(g.contributions),
                }
                for g, card in zip(groups, cards, strict=True)
            ]

        return await self._threads.run(find)

    def fitting(self, index: DiscoveryIndex, track_filter: TrackFilter) -> Flags | None:
        """Which rows of an index fit a filter; None when all do. Blocking."""
        if track_filter == TrackFilter(rights=track_filter.rights):
            return None
        key = (track_filter, index.version)
        # What somebody heard changes without the catalogue, and is not kept here when it is forgotten there.
        found = None if track_filter.seen_by is not None else self._fitting.get(key)
        if found is None:
            from backend.services.matrices import EVERYTHING

            ids = self._tracks.arrow(track_filter, limit=EVERYTHING, columns=["id"]).column("id")
            found = index.rows.mask(ids)
            if track_filter.seen_by is None:
                self._fitting[key] = found
        return found


def shown(index: DiscoveryIndex, picks: Sequence[Pick]) -> list[dict[str, Any]]:
    """Picks for people and programs.

    Returns:
        Per track: `id`, `title`, `artist`, `album`, `album_id`, `release_year`, `synthetic`; `score` (at most 1) and
        `contributions` by group, which sum to it; `because`: the given track that is nearest (`id`, `title`, `artist`);
        `shared_genres`, `shared_moods` with it; `reasons` in words; `filled`: audio features unknown of one of the two, for
        which the middle was taken.
    """
    from backend.features.reasons import reasons

    if not picks:
        return []
    seeds = sorted({pick.because for pick in picks if pick.because is not None})
    rows = [*(pick.row for pick in picks), *map(index.rows.find, seeds)]
    cards = index.rows.cards(rows)
    known = {card["id"]: {name: card[name] for name in ("id", "title", "artist")} for card in cards[len(picks) :]}
    return [
        {
            **card,
            "score": pick.score,
            "contributions": dict(pick.contributions),
            "because": None if pick.because is None else known[pick.because],
            "shared_genres": list(pick.shared["genres"]),
            "shared_moods": list(pick.shared["moods"]),
            "reasons": reasons(pick),
            "filled": list(pick.filled),
        }
        for pick, card in zip(picks, cards[: len(picks)], strict=True)
    ]


def allowed_k(k: int) -> int:
    """How many, when it is allowed.

    Raises:
        InvalidInputError: it is not.
    """
    if not 1 <= k <= MOST:
        raise InvalidInputError(f"k={k} is not allowed; ask for 1 to {MOST}")
    return k


def cap(per_artist: int | None) -> int | None:
    """How many of one artist, when it is allowed.

    Raises:
        InvalidInputError: it is not.
    """
    if per_artist is not None and per_artist < 1:
        raise InvalidInputError(
            f"per_artist={per_artist} is not allowed; give 1 or more, or leave it out for any number"
        )
    return per_artist


def share(diversity: float) -> float:
    """The dial of diversity, when it is allowed.

    Raises:
        InvalidInputError: it is not.
    """
    if not 0 <= diversity <= 1:
        raise InvalidInputError(f"diversity={diversity:g} is not allowed; give 0 (the nearest) to 1 (the most varied)")
    return diversity
