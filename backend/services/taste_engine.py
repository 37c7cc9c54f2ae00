"""Tracks near a taste: the seam to the engine of similarity, and the one that there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from backend.models.ingestion_models import RightsLevel
from backend.services.ml_service import MlService
from backend.services.worker_threads import WorkerThreads
from backend.utils.text import fold_name

if TYPE_CHECKING:
    from backend.features.similarity import SimilarityIndex

_DECIMALS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A track near a taste.

    Attributes:
        card: what is shown of it.
        score: weighted mean of its similarity to the seeds, up to 1.
        contributions: per group of features its share; they sum to the score.
        because: the seed that adds most.
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
    """The weighted mean of the similarities to all seeds."""

    def __init__(self, ml: MlService, *, threads: WorkerThreads) -> None:
        self._ml = ml
        self._threads = threads

    async def near(self, wish: Wish) -> tuple[list[Near], list[Near]]:
        """See `TasteEngine.near`."""
        index = await self._ml.index(wish.rights)
        return await self._threads.run(lambda: near(index, wish))


def near(index: SimilarityIndex, wish: Wish) -> tuple[list[Near], list[Near]]:
    """See `TasteEngine.near`; blocking."""
    import numpy as np

    total = sum(wish.seeds.values())
    parts: dict[str, Any] = {}
    for seed, weight in wish.seeds.items():
        for group, part in index.mean_parts([seed]).items():
            parts[group] = parts.get(group, 0.0) + weight / total * part
    # Rounded before they are summed: what is shown adds up.
    parts = {group: np.round(part, _DECIMALS) for group, part in parts.items()}
    scores = np.round(np.sum(list(parts.values()), axis=0), _DECIMALS)
    familiar, new = (
        [_told(index, row, parts, scores, wish.seeds) for row in rows] for rows in _chosen(index, scores, wish)
    )
    return familiar, new


def _chosen(index: SimilarityIndex, scores: Any, wish: Wish) -> tuple[list[int], list[int]]:
    """The rows of familiar and of new tracks."""
    import numpy as np

    from backend.ingestion.alignment import title_key

    ids, artists, titles = index.ids, index.column("artist"), index.column("title")
    familiar: list[int] = []
    new: list[int] = []
    of_artist: Counter[str] = Counter()
    seen: set[tuple[str, str]] = set()
    left_out = set(wish.left_out)
    order = np.argsort(-scores, kind="stable")  # ties by id: the index is in that order
    for row in order[: int(np.count_nonzero(scores > 0))].tolist():
        artist = fold_name(artists[row] or "")
        rows = familiar if artist in wish.known_artists else new
        if len(rows) >= wish.k or ids[row] in left_out or of_artist[artist] >= wish.per_artist:
            continue
        recording = (artist, title_key(titles[row] or ""))
        if recording not in seen:
            seen.add(recording)
            of_artist[artist] += 1
            rows.append(row)
        if len(familiar) >= wish.k and len(new) >= wish.k:
            break
    return familiar, new


def _told(index: SimilarityIndex, row: int, parts: Mapping[str, Any], scores: Any, seeds: Mapping[str, float]) -> Near:
    import numpy as np

    from backend.features.reasons import reasons

    track = index.ids[row]
    # Similarity is mutual: what this track has with all others holds what each seed has with it.
    own = np.sum(list(index.mean_parts([track]).values()), axis=0)
    adds = {seed: weight * float(own[at]) for at, (seed, weight) in zip(index.rows(seeds), seeds.items(), strict=True)}
    because = min(adds, key=lambda seed: (-adds[seed], seed))
    found = index.neighbours(track, 1, allowed=[because])
    return Near(
        card=index.card(track),
        score=float(scores[row]),
        contributions={group: float(part[row]) for group, part in parts.items()},
        because=because,
        reasons=reasons(found[0]) if found else [],
    )
