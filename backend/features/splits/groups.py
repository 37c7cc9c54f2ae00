"""Which tracks must stand together, and by what name each such group is dealt.

Tracks and their keys (artists, titles, identifiers) are the vertices of a graph; what hangs together is a group. A group is
dealt by one of its names, chosen by the names alone and not by how many tracks there are, so that more tracks of known names
change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from backend.features.splits import reading
from backend.features.splits.hashing import hashes
from backend.features.splits.names import title_key
from backend.features.splits.near import Rows, by_length, near_pairs
from backend.features.splits.recipe import SplitRecipe
from backend.utils.errors import InvalidInputError

_NAME, _IDENTIFIER, _TRACK = 0, 1, 2  # what a group is called by, the first that there is


@dataclass(frozen=True, kw_only=True)
class Groups:
    """Groups of tracks.

    Attributes:
        codes: the group of each track.
        keys: the name that each group is dealt by, such as "artist:beatles".
        unnamed: tracks of which the kind's own key (artist, album, recording) is unknown; they are grouped by what else is known.
    """

    codes: Rows
    keys: tuple[str, ...]
    unnamed: int = 0

    @property
    def sizes(self) -> Rows:
        """Tracks per group."""
        return np.bincount(self.codes, minlength=len(self.keys))


@dataclass(frozen=True, kw_only=True)
class _Keys:
    """A column of keys: track `rows[i]` has `distinct[codes[i]]`."""

    kind: str
    rank: int
    rows: Rows
    codes: Rows
    distinct: list[str]


def group(tracks: pa.Table, recipe: SplitRecipe) -> Groups:
    """The groups of a recipe of any kind but `time`.

    Raises:
        InvalidInputError: a column that this kind needs is missing.
    """
    ids = reading.ids(tracks)
    if recipe.kind == "random":
        keys = tuple(f"track:{track}" for track in ids.to_pylist())
        return Groups(codes=np.arange(len(keys)), keys=keys)
    _check(tracks, recipe.kind)
    duration = reading.durations(tracks)
    columns = [
        _by_length(keys, duration) if keys.kind == "isrc" else keys
        for keys in (_keys(kind, rank, values) for kind, rank, values in _columns(tracks, recipe))
    ]
    own = next(column for column in columns if column.kind == recipe.kind)
    near = (np.empty(0, np.int64), np.empty(0, np.int64))
    if recipe.kind != "artist" or recipe.artists == "whole":  # one first artist's tracks are together anyway
        near = near_pairs(reading.artists(tracks, "first"), reading.title_keys(tracks), reading.durations(tracks))
    codes = _components(len(ids), columns, near)
    since = reading.instants(tracks, recipe.since) if recipe.since else None
    unnamed = len(ids) - len(np.unique(own.rows))
    return Groups(codes=codes, keys=_called(codes, columns, ids=ids, since=since), unnamed=unnamed)


def _check(tracks: pa.Table, kind: str) -> None:
    needed = {
        "artist": ("artist", *reading.ARTIST_IDS),
        "album": ("album", "album_id"),
        "recording": ("title", "recording_key", *reading.RECORDING_IDS),
    }[kind]
    if tracks.num_rows and not any(reading.has(tracks, name) for name in needed):
        raise InvalidInputError(
            f"a split by {kind} needs at least one of the columns {', '.join(needed)} with a value; "
            f"the table has {', '.join(tracks.column_names)}"
        )


def _columns(tracks: pa.Table, recipe: SplitRecipe) -> Iterator[tuple[str, int, Any]]:
    """Kind, rank and values of what holds tracks together. Recordings stay together in every kind: else they are the leak."""
    first = reading.artists(tracks, "first")
    if recipe.kind == "artist":
        yield "artist", _NAME, reading.artists(tracks, recipe.artists)
        for name in reading.ARTIST_IDS:
            yield name, _IDENTIFIER, reading.identifiers(tracks, name, every=recipe.artists == "all")
    if recipe.kind == "album":
        titles = reading.mapped(reading.texts(tracks, "album"), title_key)
        yield "album", _NAME, reading.named(first, titles)
        yield "album_id", _IDENTIFIER, reading.identifiers(tracks, "album_id")
    rank = _NAME if recipe.kind == "recording" else _IDENTIFIER
    yield "recording", rank, reading.named(first, reading.title_keys(tracks))
    yield "recording_key", _IDENTIFIER, reading.texts(tracks, "recording_key")
    for name in reading.RECORDING_IDS:
        yield name, _IDENTIFIER, reading.identifiers(tracks, name)


def _keys(kind: str, rank: int, values: Any) -> _Keys:
    rows = np.arange(len(values))
    if pa.types.is_list(values.type):
        rows, values = pc.list_parent_indices(values).to_numpy(), pc.list_flatten(values)
    encoded = pc.dictionary_encode(values)
    codes = encoded.indices.fill_null(-1).to_numpy().astype(np.int64)
    known = codes >= 0
    return _Keys(
        kind=kind,
        rank=rank,
        rows=rows[known].astype(np.int64),
        codes=codes[known],
        distinct=encoded.dictionary.to_pylist(),
    )


def _by_length(keys: _Keys, duration: reading.Days) -> _Keys:
    """The keys parted where durations differ; all that come of one key are called alike, and so are dealt alike."""
    runs = by_length(keys.codes, duration[keys.rows])
    key_of = np.zeros(int(runs.max()) + 1 if len(runs) else 0, np.int64)
    key_of[runs] = keys.codes
    return replace(keys, codes=runs, distinct=[keys.distinct[i] for i in key_of])


def _components(tracks: int, columns: Sequence[_Keys], near: tuple[Rows, Rows]) -> Rows:
    """The component of each track, numbered from 0."""
    starts = np.cumsum([tracks, *(len(c.distinct) for c in columns)])
    one = np.concatenate([near[0], *(c.rows for c in columns)])
    other = np.concatenate([near[1], *(c.codes + start for c, start in zip(columns, starts, strict=False))])
    size = int(starts[-1])
    graph = coo_array((np.ones(len(one), np.int8), (one, other)), shape=(size, size)).tocsr()
    labels: npt.NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return np.unique(labels[:tracks], return_inverse=True)[1].astype(np.int64)


def _called(codes: Rows, columns: Sequence[_Keys], *, ids: Any, since: reading.Days | None) -> tuple[str, ...]:
    """The key of each group: of its names (else identifiers, else ids) the one seen first, then the least by hash."""
    called = [""] * (int(codes.max()) + 1 if len(codes) else 0)
    waiting = np.ones(len(called), bool)
    tracks = _keys("track", _TRACK, ids)
    for rank in (_NAME, _IDENTIFIER, _TRACK):
        found = [
            _candidates(column, codes=codes, waiting=waiting, since=since)
            for column in (*columns, tracks)
            if column.rank == rank and waiting.any()
        ]
        if not found:
            continue
        groups, order, seen = (np.concatenate([part[i] for part in found]) for i in range(3))
        keys = [key for part in found for key in part[3]]
        best = np.lexsort((order, seen, groups))
        first = best[np.unique(groups[best], return_index=True)[1]]
        for i in first:
            called[groups[i]] = keys[i]
        waiting[groups[first]] = False
    return tuple(called)


def _candidates(
    column: _Keys, *, codes: Rows, waiting: npt.NDArray[np.bool_], since: reading.Days | None
) -> tuple[Rows, npt.NDArray[np.uint64], reading.Days, list[str]]:
    """Of each key of groups still without a name: group, hash, first day, and the key with its kind before it."""
    of_key = np.zeros(len(column.distinct), np.int64)
    of_key[column.codes] = codes[column.rows]
    used = np.flatnonzero(waiting[of_key]) if len(of_key) else np.empty(0, np.int64)
    seen = np.full(len(column.distinct), np.inf)
    if since is not None:
        np.minimum.at(seen, column.codes, np.nan_to_num(since[column.rows], nan=np.inf))
    keys = [f"{column.kind}:{column.distinct[i]}" for i in used]
    return of_key[used], hashes(keys), seen[used], keys
