"""From plays to weights: how much each track of the catalogue counts in a listener's taste, period by period.

A play of a track that the catalogue has counts for that track. The other plays of an artist whom the catalogue has count evenly
for all his tracks there: of these plays only the artist is known. Plays of other artists count for nothing, and coverage
says how many those are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.sparse

from backend.models.tastes import Heard, KnownTrack, PlayedTrack

Values = npt.NDArray[np.float64]
_NOBODY: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """n_periods × n_tracks weights of the tracks, in plays.

    Attributes:
        periods: their names, in the order of time; windows as they came.
        tracks: the catalogue's, in the order of the columns.
        by_period: sparse, n_periods × n_tracks.
        direct: the part of it that is of plays of just these tracks.
        plays: of all artists, per period.
    """

    periods: list[str]
    tracks: Sequence[KnownTrack]
    by_period: Any
    direct: Any
    plays: Values

    @property
    def total(self) -> Values:
        """Per track, over all periods."""
        return np.asarray(self.by_period.sum(axis=0)).ravel()

    @property
    def heard(self) -> Values:
        """Per track, plays of just this track."""
        return np.asarray(self.direct.sum(axis=0)).ravel()


def weigh(heard: Heard, tracks: Sequence[KnownTrack]) -> Weights:
    """The weights of the tracks in what a listener plays.

    Args:
        heard: what is played; tracks without artists in their period count for the artist, too.
        tracks: what the catalogue has of it, the earliest released first: of several appearances the first counts.
    """
    periods = list(dict.fromkeys([*(a.period for a in heard.artists), *(t.period for t in heard.tracks)]))
    if not heard.nested:
        periods.sort()
    place = {period: i for i, period in enumerate(periods)}
    names = sorted({a.key for a in heard.artists} | {t.artist_key for t in heard.tracks})
    artist_at = {key: i for i, key in enumerate(names)}
    shape = (len(periods), len(names))
    of_artists = _sums(((place[a.period], artist_at[a.key], a.plays) for a in heard.artists), shape)
    of_tracks = _sums(((place[t.period], artist_at[t.artist_key], t.plays) for t in heard.tracks), shape)
    # Where a chart of tracks says more of an artist than the chart of artists does, it is right.
    plays = of_artists.maximum(of_tracks)

    column = _columns(tracks)
    found = [(t, at) for t in heard.tracks if (at := column(t)) is not None]
    direct = _sums(((place[t.period], at, t.plays) for t, at in found), (len(periods), len(tracks)))
    known = _sums(((place[t.period], artist_at[t.artist_key], t.plays) for t, _ in found), shape)
    rest = (plays - known).maximum(0)
    owners = np.array([artist_at.get(t.artist_key, _NOBODY) for t in tracks], dtype=np.int64)
    mine = np.flatnonzero(owners != _NOBODY)
    counts = np.bincount(owners[mine], minlength=len(names))
    spread = scipy.sparse.csr_matrix(
        (1.0 / counts[owners[mine]], (owners[mine], mine)), shape=(len(names), len(tracks))
    )
    return Weights(
        periods=periods,
        tracks=tracks,
        by_period=(direct + rest @ spread).tocsr(),
        direct=direct,
        plays=np.asarray(plays.sum(axis=1)).ravel(),
    )


def _columns(tracks: Sequence[KnownTrack]) -> Any:
    by_id = {t.id: i for i, t in enumerate(tracks)}
    by_mbid: dict[str, int] = {}
    by_key: dict[str, int] = {}
    for i, track in enumerate(tracks):
        if track.mbid:
            by_mbid.setdefault(track.mbid, i)
        if track.track_key:
            by_key.setdefault(track.track_key, i)

    def column(played: PlayedTrack) -> int | None:
        for of, value in ((by_id, played.track_id), (by_mbid, played.mbid), (by_key, played.track_key)):
            if value and (at := of.get(value)) is not None:
                return at
        return None

    return column


def _sums(entries: Iterable[tuple[int, int, int]], shape: tuple[int, int]) -> Any:
    rows, columns, values = np.array(list(entries), dtype=np.int64).reshape(-1, 3).T
    return scipy.sparse.csr_matrix((values.astype(np.float64), (rows, columns)), shape=shape)
