"""What a recommender of tracks has to beat: chance, popularity, same artist, plain neighbours, implicit feedback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pyarrow as pa

from backend.features.columns import Floats, Values, floats
from backend.features.discovery.blocks import unit
from backend.features.discovery.songs import NOBODY, Codes, artist_codes
from backend.features.discovery.space import TrackSpace
from backend.features.discovery.weights import GROUPS, Weights
from backend.features.evaluation import implicit_models as models
from backend.features.evaluation.methods import Method, Missing, random_scores, scored
from backend.features.evaluation.occurrence import occurrences
from backend.features.evaluation.protocols import Dealt

_PLAIN: Final = Weights({group: 0.0 if group in {"listening", "artist", "album"} else 1.0 for group in GROUPS})


@dataclass(frozen=True, slots=True)
class TrackFacts:
    """What the baselines know of a catalogue.

    Attributes:
        plain: n × width, each group of features (audio, year, popularity, genres, moods) at length 1 and side by side, none
            weighed; rows of length 1.
        artists: n codes.
        artist_means: n × width, of the artist of each track the mean of `plain` over all his tracks, of length 1.
        popularity: n, as the catalogue says, NaN where it does not.
        genres: of each track its genres.
    """

    plain: Floats
    artists: Codes
    artist_means: Floats
    popularity: Values
    genres: list[list[str]]

    @classmethod
    def of(cls, table: pa.Table) -> Self:
        """Of a catalogue, columns of `rows.READS`."""
        space = TrackSpace.fit(table, weights=_PLAIN)
        plain = unit(space.vectors(table))
        artists = artist_codes(table.column("artist").to_pylist())
        _, number = np.unique(artists, return_inverse=True)
        sums = np.zeros((int(number.max(initial=-1)) + 1, plain.shape[1]))
        np.add.at(sums, number, plain)
        means = unit(sums)[number]
        means[artists == NOBODY] = plain[artists == NOBODY]
        genres = [list(tags or ()) for tags in table.column("genres").to_pylist()]
        return cls(plain, artists, means, floats(table, "popularity"), genres)


def popular(facts: TrackFacts, dealt: Dealt) -> Values:
    """In how many playlists' seeds each track stands, ties by the catalogue's popularity; n."""
    found: Values = occurrences(dealt.seeds, len(facts.artists)) + np.nan_to_num(facts.popularity) / 1_000
    return found


def simple(facts: TrackFacts, dealt: Dealt, *, seed: int, k: int) -> list[Method]:
    """Those that learn nothing."""
    n = len(facts.artists)
    breaker = popular(facts, dealt)
    plain, means = facts.plain.astype(np.float64), facts.artist_means.astype(np.float64)

    def same_artist(i: int) -> Values:
        return _shares(facts.artists[dealt.seeds[i]], facts.artists)

    def given(name: str, scores: models.Row, note: str = "") -> Method:
        return scored(name, scores, dealt.seeds, k=k, breaker=breaker, note=note)

    return [
        given("random", random_scores(n, seed=seed)),
        given("popularity", lambda _: breaker),
        given("same artist", same_artist),
        given("artist mean", lambda i: means @ means[dealt.seeds[i]].mean(axis=0)),
        given("plain kNN", lambda i: plain @ plain[dealt.seeds[i]].mean(axis=0)),
    ]


def implicit(facts: TrackFacts, dealt: Dealt, *, seed: int, k: int) -> list[Method | Missing]:
    """Those of the library `implicit`: of tracks, and of their artists, since most tracks stand in one playlist alone."""
    breaker = popular(facts, dealt)
    names = {"ALS": (models.als, models.ALS_GRID), "BM25": (models.bm25, models.BM25_GRID)}
    if not models.is_there():
        return [Missing(f"{name} (implicit)", models.WHY_NOT) for name in (*names, "ALS of artists")]
    matrix = models.incidence(dealt.seeds, len(facts.artists))
    found: list[Method | Missing] = []
    for name, (fit, grid) in names.items():
        tuned = models.tuned(fit, grid, matrix, seed=seed)
        found.append(
            scored(f"{name} (implicit)", tuned.scores, dealt.seeds, k=k, breaker=breaker, note=_said(tuned.settings))
        )
    kinds, number = np.unique(facts.artists, return_inverse=True)
    of_artists = models.tuned(
        models.als, models.ALS_GRID, models.incidence(dealt.seeds, len(kinds), of=number), seed=seed
    )
    found.append(
        scored(
            "ALS of artists (implicit)",
            lambda i: of_artists.scores(i)[number],
            dealt.seeds,
            k=k,
            breaker=breaker,
            note=_said(of_artists.settings),
        )
    )
    return found


def _shares(seeds: Codes, artists: Codes) -> Values:
    """Of each track the share of the seeds that are by its artist."""
    kinds, counts = np.unique(seeds[seeds != NOBODY], return_counts=True)
    if not len(kinds):
        return np.zeros(len(artists))
    place = np.minimum(np.searchsorted(kinds, artists), len(kinds) - 1)
    return np.where(kinds[place] == artists, counts[place] / len(seeds), 0.0)


def _said(settings: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in settings.items())
