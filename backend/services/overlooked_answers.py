"""Albums and tracks that some love and others overlook, as an answer; blocking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa

from backend.features.columns import Values, floats
from backend.features.discovery.overlooked import Judged, Overlooked, Reception, Shrinkage, judge
from backend.utils.errors import NotFoundError

_CARD: Final = ("id", "album_id", "title", "artist", "album", "release_year", "genres", "synthetic", "popularity")
_WHO: Final = {"users": "listeners", "critics": "critics"}


def overlooked(received: pa.Table, *, by: Overlooked, k: int) -> dict[str, Any]:
    """Works by how much they are overlooked (formula: `features.discovery.overlooked.judge`).

    Args:
        received: as `repositories.receptions` reads it.
        by: who overlooks.
        k: at most so many.

    Returns:
        `by`; `scored`: how many works the means are made of; `shrinkage`: of listeners' and critics' scores the `mean` and
        `kappa`, the reviews that weigh as much as it; `count`; `data`: the works, the most overlooked first, with `score` and
        `contributions`, which sum to it, in standard deviations, the scores as given and `shrunk`, and `reasons`.

    Raises:
        NotFoundError: no work has a score, or none fits the filters.
    """
    fits = received.column("fits").to_numpy().astype(bool)
    if not len(fits):
        raise NotFoundError(
            "Nothing has a score of listeners or critics; import or ingest scores first (docs/sources.md)"
        )
    if not fits.any():
        raise NotFoundError(f"None of the {len(fits):,} that have a score fits the filters; leave one out or widen it")
    works = _reception(received)
    found = judge(works, by, allowed=fits)
    places = found.order[:k]
    cards = received.select([*_CARD, "user_score", "user_count", "critic_score", "critic_count"])
    rows = cards.take(pa.array(places, pa.int64())).to_pylist()
    data = [_shown(row, found, place) for row, place in zip(rows, places, strict=True)]
    return {
        "by": by.value,
        "scored": len(fits),
        "shrinkage": {who: _told(found.shrinkage[name]) for name, who in _WHO.items()},
        "count": len(data),
        "data": data,
    }


def _reception(received: pa.Table) -> Reception:
    user, count = floats(received, "user_score"), floats(received, "user_count")
    user, count = _with_rating(user, count, floats(received, "rating"))
    return Reception(
        user_score=user,
        user_count=count,
        critic_score=floats(received, "critic_score"),
        critic_count=floats(received, "critic_count"),
        popularity=floats(received, "popularity"),
    )


def _with_rating(score: Values, count: Values, rating: Values) -> tuple[Values, Values]:
    """A track's own rating, of which nobody tells how many gave it, weighs as much as its album's score; alone, as one review."""
    both = ~np.isnan(score) & ~np.isnan(rating)
    alone = np.isnan(score) & ~np.isnan(rating)
    found = np.where(both, (np.nan_to_num(score) + np.nan_to_num(rating)) / 2, np.where(alone, rating, score))
    return found, np.where(alone, 1.0, count)


def _told(shrinkage: Shrinkage) -> dict[str, float | None]:
    unknown = bool(np.isnan(shrinkage.mean))
    return {"mean": None if unknown else round(shrinkage.mean, 2), "kappa": round(shrinkage.kappa, 2)}


def _shown(row: Mapping[str, Any], found: Judged, place: int) -> dict[str, Any]:
    shrunk = {"users": float(found.users[place]), "critics": float(found.critics[place])}
    scores: dict[str, Any] = {}
    for name, who in _WHO.items():
        kind = name.removesuffix("s")
        given = row[f"{kind}_score"]
        scores[who] = None if given is None else {
            "given": round(float(given), 2), "reviews": row[f"{kind}_count"], "shrunk": round(shrunk[name], 2),
        }  # fmt: skip
    return {
        **{name: row[name] for name in _CARD},
        "score": float(found.scores[place]),
        "contributions": {_WHO.get(name, name): float(part[place]) for name, part in found.contributions.items()},
        "scores": scores,
        "reasons": _reasons(row, found),
    }


def _reasons(row: Mapping[str, Any], found: Judged) -> list[str]:
    """The scores beside the usual ones; popularity."""
    told = []
    for name, who in _WHO.items():
        kind = name.removesuffix("s")
        score, reviews = row[f"{kind}_score"], row[f"{kind}_count"]
        if score is None:
            told.append(f"no score of {who} is known")
            continue
        of = "" if reviews is None else f" out of {reviews:,} {'review' if reviews == 1 else 'reviews'}"
        told.append(f"{who} give {score:.0f}{of}, where {found.shrinkage[name].mean:.0f} is usual")
    if row["popularity"] is not None:
        told.append(f"popularity {row['popularity']} of 100")
    return told
