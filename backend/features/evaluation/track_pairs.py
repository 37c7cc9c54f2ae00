"""From one track to others: which tracks of another artist stand in the same playlist, of playlists nobody learnt from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from backend.features.columns import Floats, Values
from backend.features.discovery.index import DiscoveryIndex
from backend.features.discovery.songs import NOBODY, Codes
from backend.features.evaluation.metrics import ndcg
from backend.features.evaluation.protocols import Lists

K: Final = 10
_AT_ONCE: Final = 512


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near all tracks are to each.

    Attributes:
        asked: n × width.
        stored: n × width; the product of an asked and a stored row is the score.
        albums: n codes; `album` is added within one.
        album: see `albums`.
    """

    asked: Floats
    stored: Floats
    albums: Codes
    album: float = 0.0

    def scores(self, rows: Codes) -> Floats:
        """Rows × n."""
        found: Floats = self.asked[rows] @ self.stored.T
        if self.album:
            for place, row in enumerate(rows.tolist()):
                if self.albums[row] != NOBODY:
                    found[place, self.albums == self.albums[row]] += self.album
        return found


def of_index(index: DiscoveryIndex) -> Nearness:
    """As the index answers for a single track."""
    vectors = index.vectors(np.arange(len(index)))
    asked = vectors.copy()
    asked[:, -1] = -1
    return Nearness(asked, vectors, index.rows.albums, index.space.weights.of["album"])


def of_vectors(vectors: Floats, albums: Codes) -> Nearness:
    """By the product of plain vectors."""
    return Nearness(vectors, vectors, albums)


def by_chance(n: int, *, seed: int) -> Nearness:
    """By random vectors."""
    drawn = np.random.default_rng(seed).standard_normal((n, 64)).astype(np.float32)
    return of_vectors(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.zeros(n, np.int64))


def nearest(near: Nearness, artists: Codes, songs: Codes, *, k: int = K) -> Codes:
    """Of each track the k nearest by another artist, of each song once; n × k, -1 where there are fewer.

    Args:
        near: of n tracks.
        artists: n codes.
        songs: n codes; versions of one song have the same.
        k: how many.
    """
    n = len(artists)
    found = np.full((n, k), -1, np.int64)
    for rows in _parts(n):
        scores = near.scores(rows)
        scores[artists[rows][:, None] == artists[None, :]] = -np.inf
        scores[np.arange(len(rows)), rows] = -np.inf  # of nobody's tracks each is by another
        m = min(4 * k, n)
        top = np.argpartition(-scores, m - 1, axis=1)[:, :m]
        values = np.take_along_axis(scores, top, axis=1)
        order = np.lexsort((top, -values))
        for place, row in enumerate(rows.tolist()):
            there = values[place][order[place]] > -np.inf
            best = top[place][order[place]][there]
            _, first = np.unique(songs[best], return_index=True)
            chosen = best[np.sort(first)][:k]
            found[row, : len(chosen)] = chosen
    return found


def scores_of(found: Codes, lists: Lists, asked: list[int], artists: Codes) -> Values:
    """NDCG@k of each playlist, the mean over its tracks: hits are its tracks by another artist. NaN where there are none.

    Args:
        found: n × k.
        lists: playlists.
        asked: which of them; the others were learnt from.
        artists: n codes.
    """
    k = found.shape[1]
    values = np.full(len(asked), np.nan)
    for place, i in enumerate(asked):
        rows = lists.items[i]
        of = []
        for row in rows.tolist():
            wanted = rows[(artists[rows] != artists[row]) & (rows != row)]
            if len(wanted):
                of.append(ndcg(np.isin(found[row], wanted), wanted=len(wanted), k=k))
        if of:
            values[place] = float(np.mean(of))
    return values


def _parts(n: int) -> Iterator[Codes]:
    for start in range(0, n, _AT_ONCE):
        yield np.arange(start, min(n, start + _AT_ONCE))
