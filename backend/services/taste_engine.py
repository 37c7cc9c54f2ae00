"""Tracks near a taste: the seam to the engine of similarity, and the one that there is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from backend.models.ingestion_models import RightsLevel
from backend.services.discovery_service import DiscoveryService
from backend.services.worker_threads import WorkerThreads

if TYPE_CHECKING:
    from backend.features.discovery.index import DiscoveryIndex
    from backend.features.discovery.pick import Pick
# What imports Arrow is imported inside functions, in a thread: the server's start-up does not wait for it.


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A track near a taste.

    Attributes:
        card: what is shown of it.
        score: its likeness to the weighted mean of the seeds, less what is taken off tracks that are near to everything.
        contributions: per group of features its share; they sum to the score.
        because: the seed that is nearest to it.
        reasons: what it has in common with that seed, in words.
    """

    card: dict[str, Any]
    score: float
    contributions: dict[str, float]
    because: str
    reasons: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked of an engine.

    Attributes:
        seeds: weights above 0 of tracks by id.
        known_artists: folded names; their tracks are familiar, all others new.
        left_out: ids of tracks that are not to be answered.
        k: how many familiar and how many new ones at most.
        per_artist: how many of one artist at most in each list.
        rights: whose values.
    """

    seeds: Mapping[str, float]
    known_artists: Collection[str]
    left_out: Collection[str]
    k: int
    per_artist: int
    rights: RightsLevel


class TasteEngine(Protocol):
    """One that finds tracks near weighted seeds."""

    async def near(self, wish: Wish) -> tuple[list[Near], list[Near]]:
        """Familiar and new tracks, each the nearest first, ties by id; no recording twice, and none that has nothing in common.

        Raises:
            NotFoundError: no track of the level has the id of a seed.
        """
        ...


class MeanOfSeeds:
    """What is like the weighted mean of the seeds, group by group."""

    def __init__(self, discovery: DiscoveryService, *, threads: WorkerThreads) -> None:
        self._discovery = discovery
        self._threads = threads

    async def near(self, wish: Wish) -> tuple[list[Near], list[Near]]:
        """See `TasteEngine.near`."""
        index = await self._discovery.index(wish.rights)
        return await self._threads.run(lambda: near(index, wish))


def near(index: DiscoveryIndex, wish: Wish) -> tuple[list[Near], list[Near]]:
    """See `TasteEngine.near`; blocking."""
    import numpy as np

    from backend.features.discovery.choosing import Taste
    from backend.features.discovery.query import Query
    from backend.features.discovery.songs import artist_codes

    seeds = [index.rows.find(seed) for seed in wish.seeds]
    weights = np.array(list(wish.seeds.values())) / sum(wish.seeds.values())
    vector = (weights @ index.vectors(seeds)[:, :-1]).astype(np.float32)
    left_out = np.flatnonzero(index.rows.mask(wish.left_out)).tolist()
    query = Query(vector, seeds=tuple(seeds), without=tuple(left_out))
    familiar = np.isin(index.rows.artists, artist_codes(wish.known_artists))
    taste = Taste(k=wish.k, per_artist=wish.per_artist)
    return (
        _told(index, index.ask(query, taste, allowed=familiar)),
        _told(index, index.ask(query, taste, allowed=~familiar)),
    )


def _told(index: DiscoveryIndex, picks: Sequence[Pick]) -> list[Near]:
    from backend.features.reasons import reasons

    cards = index.rows.cards([pick.row for pick in picks])
    return [
        Near(
            card=card,
            score=pick.score,
            contributions=dict(pick.contributions),
            because=str(pick.because),  # there is always a seed
            reasons=reasons(pick),
        )
        for pick, card in zip(picks, cards, strict=True)
    ]
