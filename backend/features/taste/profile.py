"""A taste profile: genres, moods, eras, audio features with their spread, mainstream-ness, drift; from weights of tracks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from backend.features.columns import CONTINUOUS
from backend.features.taste.distinctive import distinctive
from backend.features.taste.figures import DECILES, divergence, effective, incidence, quantiles
from backend.features.taste.weights import Weights
from backend.models.tastes import CatalogueFigures

Values = npt.NDArray[np.float64]

_TAGS: Final = 20
_TAGS_OF_A_PERIOD: Final = 10
_DISTINCTIVE: Final = 15
_DECADE: Final = 10


class Taste:
    """The figures of one listener.

    Args:
        weights: what he plays of the catalogue.
        whole: the period that is all of it, where periods are windows that hold one another; None: all together.
    """

    def __init__(self, weights: Weights, *, whole: str | None = None) -> None:
        self._weights = weights
        self._whole = whole
        self._rows = {period: i for i, period in enumerate(weights.periods)}
        tracks = weights.tracks
        self._tags = {kind: incidence([getattr(t, kind) for t in tracks]) for kind in ("genres", "moods")}
        self._features = {
            name: np.array([t.features.get(name, np.nan) for t in tracks], dtype=np.float64) for name in CONTINUOUS
        }
        self._years = np.array([np.nan if t.year is None else t.year for t in tracks], dtype=np.float64)
        self._popularity = np.array(
            [np.nan if t.popularity is None else t.popularity for t in tracks], dtype=np.float64
        )

    @property
    def track_weights(self) -> Values:
        """Per track of the catalogue, in plays."""
        return self._of(self._weights.by_period)

    @property
    def heard(self) -> Values:
        """Per track of the catalogue, plays of just this track."""
        return self._of(self._weights.direct)

    @property
    def plays(self) -> float:
        """All plays, of whatever the catalogue has or not."""
        plays = self._weights.plays
        return float(plays.sum()) if self._whole is None else float(plays[self._rows[self._whole]])

    def _of(self, matrix: Any) -> Values:
        row = matrix.sum(axis=0) if self._whole is None else matrix[self._rows[self._whole]].toarray()
        return np.asarray(row).ravel().astype(np.float64)

    def coverage(self) -> dict[str, Any]:
        """How many of the plays the catalogue knows."""
        all_ = self.plays
        return {
            "plays": round(all_),
            "track_share": _share(self.heard.sum(), all_),
            "artist_share": _share(self.track_weights.sum(), all_),
        }

    def shares(self, kind: str, weights: Values | None = None) -> dict[str, float]:
        """Per genre or mood its share of the known plays; a track of two counts for both."""
        weights = self.track_weights if weights is None else weights
        matrix, names = self._tags[kind]
        total = weights.sum()
        found = np.asarray(matrix.T @ weights).ravel()
        return {name: float(n / total) for name, n in zip(names, found, strict=True) if n > 0} if total else {}

    def eras(self) -> list[dict[str, Any]]:
        """Per decade its share of the known plays whose year is known."""
        weights = self.track_weights
        known = ~np.isnan(self._years) & (weights > 0)
        sums: dict[int, float] = defaultdict(float)
        decades = (self._years[known] // _DECADE * _DECADE).astype(int)
        for decade in np.unique(decades):
            sums[int(decade)] = float(weights[known][decades == decade].sum())
        total = sum(sums.values())
        return [{"decade": d, "share": round(w / total, 4)} for d, w in sorted(sums.items())]

    def spread(self) -> dict[str, dict[str, Any]]:
        """Per audio feature mean, standard deviation, deciles (10 % to 90 %), and of which share of the plays it is known."""
        weights = self.track_weights
        found = {}
        for name, values in self._features.items():
            known = ~np.isnan(values) & (weights > 0)
            if known.any():
                mean, deviation = _moments(values[known], weights[known])
                found[name] = {
                    "mean": round(mean, 4),
                    "sd": round(deviation, 4),
                    "deciles": np.round(quantiles(values[known], weights[known], DECILES), 4).tolist(),
                    "known_share": _share(weights[known].sum(), weights.sum()),
                }
        return found

    def mainstream(self, catalogue: CatalogueFigures) -> dict[str, Any]:
        """Where in the catalogue's popularity the plays lie: Σ w·P(popularity) / Σ w over tracks of known popularity.

        P(x) is the mid-rank percentile in the catalogue, (tracks below x + half of those at x) / all: 0.5 is what somebody
        has who plays the catalogue at random.
        """
        weights = self.track_weights
        known = ~np.isnan(self._popularity) & (weights > 0)
        if not known.any() or not catalogue.popularity:
            return {"value": None, "known_share": 0.0}
        places = _percentiles(self._popularity[known], catalogue.popularity)
        return {
            "value": round(float(places @ weights[known] / weights[known].sum()), 4),
            "known_share": _share(weights[known].sum(), weights.sum()),
        }

    def distinctive(self, catalogue: CatalogueFigures, artists: Mapping[str, int]) -> dict[str, list[dict[str, Any]]]:
        """Genres, moods and artists that are over-represented against the catalogue (see `taste.distinctive`).

        Plays of one track say the same again, so counts are scaled to the number of tracks they are worth.

        Args:
            catalogue: its figures.
            artists: tracks in the catalogue per folded name of an artist.
        """
        weights = self.track_weights
        worth = effective(weights)
        if not worth:
            return {"genres": [], "moods": [], "artists": []}
        counts = {kind: {n: worth * s for n, s in self.shares(kind, weights).items()} for kind in ("genres", "moods")}
        own: dict[str, float] = defaultdict(float)
        for track, weight in zip(self._weights.tracks, weights, strict=True):
            own[track.artist_key] += worth * weight / weights.sum()
        spelt = {track.artist_key: track.artist for track in self._weights.tracks}
        rest = catalogue.tracks - sum(artists.values())
        of_artists = distinctive(own, {**artists, **({"": rest} if rest > 0 else {})})
        return {
            "genres": [_row(d) for d in distinctive(counts["genres"], catalogue.genres)[:_DISTINCTIVE]],
            "moods": [_row(d) for d in distinctive(counts["moods"], catalogue.moods)[:_DISTINCTIVE]],
            "artists": [{**_row(d), "name": spelt.get(d.name, d.name)} for d in of_artists if d.name][:_DISTINCTIVE],
        }

    def drift(self) -> list[dict[str, Any]]:
        """Period by period: plays, shares of the genres, means of the features, and how far it is from the period before.

        `change` is Jensen and Shannon's divergence of the genres, 0 to 1; null for the first period, and where no genre is known.
        """
        found: list[dict[str, Any]] = []
        before: dict[str, float] | None = None
        for i, period in enumerate(self._weights.periods):
            weights = np.asarray(self._weights.by_period[i].toarray()).ravel()
            genres = self.shares("genres", weights)
            known = weights.sum()
            change = None if before is None or not genres else divergence(before, genres)
            found.append(
                {
                    "period": period,
                    "plays": round(float(self._weights.plays[i])),
                    "known_share": _share(known, self._weights.plays[i]),
                    "genres": ranked(genres)[:_TAGS_OF_A_PERIOD],
                    "audio_features": self._means(weights),
                    "change": change,
                }
            )
            before = genres or before
        return found

    def _means(self, weights: Values) -> dict[str, float]:
        means = {}
        for name, values in self._features.items():
            known = ~np.isnan(values) & (weights > 0)
            if known.any():
                means[name] = round(float(values[known] @ weights[known] / weights[known].sum()), 4)
        return means


def ranked(shares: Mapping[str, float]) -> list[dict[str, Any]]:
    """Names with their shares, the largest first, ties by name."""
    order = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    return [{"name": name, "share": round(share, 4)} for name, share in order]


def profile(taste: Taste, catalogue: CatalogueFigures, artists: Mapping[str, int]) -> dict[str, Any]:
    """All figures of a taste but drift.

    Args:
        taste: of one listener.
        catalogue: the whole of its level.
        artists: tracks in the catalogue per folded name of an artist.
    """
    spread = taste.spread()
    return {
        "coverage": taste.coverage(),
        "genres": ranked(taste.shares("genres"))[:_TAGS],
        "moods": ranked(taste.shares("moods"))[:_TAGS],
        "eras": taste.eras(),
        "audio_features": {name: of["mean"] for name, of in spread.items()},
        "spread": spread,
        "mainstream": taste.mainstream(catalogue),
        "distinctive": taste.distinctive(catalogue, artists),
    }


def _percentiles(values: Values, popularity: Mapping[int, int]) -> Values:
    levels = np.array(sorted(popularity))
    up_to = np.concatenate(([0], np.cumsum([popularity[int(level)] for level in levels])))
    below, with_it = (up_to[np.searchsorted(levels, values, side)] for side in ("left", "right"))
    return np.asarray((below + with_it) / 2 / up_to[-1])


def _moments(values: Values, weights: Values) -> tuple[float, float]:
    mean = float(values @ weights / weights.sum())
    return mean, float(np.sqrt(((values - mean) ** 2) @ weights / weights.sum()))


def _share(part: Any, whole: Any) -> float:
    # First to where rounding of sums shows, so that 0.46875 is the same, in whatever order it was summed.
    return round(round(float(part) / float(whole), 12), 4) if whole else 0.0


def _row(found: Any) -> dict[str, Any]:
    return {
        "name": found.name,
        "share": found.share,
        "catalogue_share": found.reference,
        "log_odds": found.log_odds,
        "z": found.z,
    }
