"""Weights out of playlists of a catalogue, so dealt that no playlist explains itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from backend.features.columns import Values
from backend.features.discovery.query import mean, shares
from backend.features.discovery.songs import Codes, artist_codes, text_codes
from backend.features.discovery.space import TrackSpace
from backend.features.discovery.weights import DEFAULT, GROUPS, Parts, Weights, example, learn
from backend.features.splits.names import artist_key

_ALIKE: Final = Weights(dict.fromkeys(GROUPS, 1.0))
_SHARE: Final = 0.3
_LEAST: Final = 8
_ENOUGH: Final = 100  # sittings of 8 tracks from which weights of one's own are learnt
_MOST: Final = 1_000  # sittings that they are learnt from


def learnt(table: pa.Table, playlists: Sequence[Codes], *, seed: int = 0) -> Weights:
    """What each group counts for in these playlists.

    A share of each is left out first; who is heard together is learnt from what remains, for with the tracks left out among them
    the playlists would tell their own answers and listening would count for too much.

    Args:
        table: columns of `rows.READS`.
        playlists: rows of the table.
        seed: deals.

    Raises:
        InvalidInputError: no playlist is long enough.
    """
    rng = np.random.default_rng(seed)
    dealt = [rng.permutation(np.unique(rows)) for rows in playlists]
    out = [max(2, int(len(rows) * _SHARE)) if len(rows) >= _LEAST else 0 for rows in dealt]
    seeds = [rows[n:] for rows, n in zip(dealt, out, strict=True)]
    keys = [artist_key(name or "") for name in table.column("artist").to_pylist()]
    space = TrackSpace.fit(table, sittings=[[keys[i] for i in rows.tolist()] for rows in seeds], weights=_ALIKE)
    parts = parts_of(space, table)
    examples = [
        found
        for rows, n, shown in zip(dealt, out, seeds, strict=True)
        if n and (found := example(shown, rows[:n], parts, n_tracks=len(keys), rng=rng)) is not None
    ]
    return learn(examples, n_tracks=len(keys))


def from_sittings(
    table: pa.Table, sittings: Sequence[Sequence[str]], *, seed: int = 0
) -> tuple[list[list[str]], Weights]:
    """What listening tells: the artists of each sitting, and the weights; the shipped ones while it is little.

    Args:
        table: columns of `rows.READS`.
        sittings: ids of tracks; of those that the table lacks nothing is learnt.
        seed: deals, and draws where there are very many.
    """
    place = {track: i for i, track in enumerate(table.column("id").to_pylist())} if sittings else {}
    rows = [np.array([place[t] for t in sitting if t in place], np.int64) for sitting in sittings]
    keys = [artist_key(name or "") for name in table.column("artist").to_pylist()] if sittings else []
    artists = [[keys[i] for i in heard.tolist()] for heard in rows if len(heard) > 1]
    long = [heard for heard in rows if len(np.unique(heard)) >= _LEAST]
    if len(long) < _ENOUGH:
        return artists, DEFAULT
    drawn = np.random.default_rng(seed).permutation(len(long))[:_MOST]
    return artists, learnt(table, [long[i] for i in sorted(drawn.tolist())], seed=seed)


def parts_of(space: TrackSpace, table: pa.Table) -> Parts:
    """Group by group how alike rows of a table are to what seeds ask for, as in `DiscoveryIndex.like`, whatever the weights."""
    vectors = space.vectors(table)
    codes = {
        "artist": artist_codes(table.column("artist").to_pylist()),
        "album": text_codes(table.column("album_id").to_pylist()),
    }

    def parts(seeds: Sequence[int], rows: Codes) -> Values:
        shown = np.asarray(seeds, np.int64)
        found = space.parts(mean(vectors[shown]), vectors[rows])
        for group, of in codes.items():
            wanted = shares(of[shown])
            found[group] = np.array([wanted.get(code, 0.0) for code in of[rows].tolist()])
        return np.column_stack([found[group] for group in GROUPS])

    return parts
