"""Counting what parts share. Written apart from how groups are made, so that a mistake there shows here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

import numpy as np
import polars as pl

from backend.features.splits.certificate import Shared
from backend.features.splits.near import BEGINNING, SAME_CODE_MS, SAME_MS, SHORTEST, alike

_EXAMPLES: Final = 3
_AT_ONCE: Final = 2_000_000  # pairs of titles
_NAMES: Final = 1_000  # that are compared with each other: a million at most
_LONGEST: Final = 16  # letters
_CROSSING: Final = pl.col("part") < pl.col("part_right")


def by_keys(tracks: pl.DataFrame, keys: Sequence[str], parts: Sequence[str]) -> tuple[Shared, ...]:
    """Pairs of tracks that have any of some columns equal; a pair that has several is one pair.

    Args:
        tracks: `part` (its number), `id` and the columns; null is equal to nothing.
        keys: columns.
        parts: the names of the parts.
    """
    signed: list[pl.DataFrame] = []
    rows: list[pl.DataFrame] = []
    examples: list[pl.DataFrame] = []
    for size in range(1, len(keys) + 1):
        for chosen in combinations(keys, size):
            met = _met(tracks, chosen)
            # Inclusion and exclusion: pairs with one of them equal, less those with two, …
            signed.append(met.select("part", "part_right", (pl.col("pairs") * (1 if size % 2 else -1))))
            if size == 1:
                examples.append(met.select("part", "part_right", "id", "id_right"))
                rows += [_rows_of(tracks, met, chosen[0], here) for here in ("part", "part_right")]
    return tuple(_told(pl.concat(signed), pl.concat(rows).unique(), pl.concat(examples), parts))


def by_each(tracks: pl.DataFrame, key: str, parts: Sequence[str]) -> tuple[Shared, ...]:
    """The same of a column of lists; a pair is counted once for each value that it shares."""
    return by_keys(tracks.explode(key).unique(["id", key]), [key], parts)


def by_code(tracks: pl.DataFrame, key: str, parts: Sequence[str]) -> tuple[Shared, ...]:
    """Pairs of one code whose durations agree or are not both known."""
    some = tracks.filter(pl.col(key).is_not_null()).select("part", "id", "duration", key)
    pairs = some.join(some, on=key).filter(
        _CROSSING & ((pl.col("duration") - pl.col("duration_right")).abs() <= SAME_CODE_MS).fill_null(value=True)
    )
    return _of_pairs(pairs, parts)


def near_titles(tracks: pl.DataFrame, parts: Sequence[str]) -> tuple[Shared, ...]:
    """Pairs of one first artist (`first`) with equal or nearly equal titles (`title`) and durations of one recording."""
    some = (
        tracks.drop_nulls(["first", "title", "duration"])
        .select(
            "part", "id", "title", "duration",
            pl.concat_str("first", pl.col("title").str.slice(0, BEGINNING), separator="/").alias("block"),
            (pl.col("duration") / SAME_MS).floor().cast(pl.Int64).alias("bucket"),
        )
    )  # fmt: skip
    # Both hands of a pair may be in neighbouring buckets; an equal title counts whatever its length, a near one from SHORTEST on.
    found = [
        some.join(some.with_columns(pl.col("bucket") + step), on=["block", "bucket"])
        .filter(_CROSSING & ((pl.col("duration") - pl.col("duration_right")).abs() <= SAME_MS))
        .select("part", "part_right", "id", "id_right", "title", "title_right")
        for step in (-1, 0, 1)
    ]
    pairs = pl.concat(found)
    long_enough = pl.min_horizontal(pl.col("title", "title_right").str.len_chars()) >= SHORTEST
    equal = pl.col("title") == pl.col("title_right")
    spelt = _alike(pairs.filter(~equal & long_enough))
    return _of_pairs(pl.concat([pairs.filter(equal), spelt]), parts)


def near_names(tracks: pl.DataFrame, parts: Sequence[str]) -> tuple[Shared, ...]:
    """Pairs of tracks whose first artists are different names that look alike: perhaps a typing error."""
    named = tracks.drop_nulls("first").group_by("part", "first").agg(pl.col("id").min(), pl.len().alias("n"))
    names = named.select("first").unique().filter(pl.col("first").str.len_chars() > SHORTEST)
    names = names.with_columns(_beginning("first").alias("block"))
    pairs = names.join(names, on="block").filter(pl.col("first") < pl.col("first_right"))
    close = _alike(pairs.rename({"first": "title", "first_right": "title_right"})).select("title", "title_right")
    both = pl.concat([close, close.select(pl.col("title_right").alias("title"), pl.col("title").alias("title_right"))])
    met = (
        both.join(named, left_on="title", right_on="first")
        .join(named, left_on="title_right", right_on="first", suffix="_right")
        .filter(_CROSSING)
    )
    counted = met.select("part", "part_right", (pl.col("n") * pl.col("n_right")).cast(pl.Int64).alias("pairs"))
    rows = [
        met.select("part", "part_right", pl.lit(here).alias("here"), pl.col(name).alias("first"))
        .unique()
        .with_columns(pl.col(here).alias("own"))
        .join(tracks.select("id", "first", pl.col("part").alias("own")), on=["first", "own"])
        .select("part", "part_right", "here", "id")
        for here, name in (("part", "title"), ("part_right", "title_right"))
    ]
    return tuple(_told(counted, pl.concat(rows), met.select("part", "part_right", "id", "id_right"), parts))


def out_of_order(tracks: pl.DataFrame, parts: Sequence[str]) -> tuple[Shared, ...]:
    """Pairs in which the track of the earlier part is the later one by `day`."""
    found = []
    of_part = [
        tracks.filter((pl.col("part") == i) & pl.col("day").is_not_nan()).sort("day", "id") for i in range(len(parts))
    ]
    for one, other in combinations(range(len(parts)), 2):
        before, after = (of_part[i].get_column("day").to_numpy() for i in (one, other))
        if not len(before) or not len(after) or before[-1] <= after[0]:
            continue
        pairs = int(np.searchsorted(after, before, side="left").sum())
        rows = (int(np.count_nonzero(before > after[0])), int(np.count_nonzero(after < before[-1])))
        example = (of_part[one].get_column("id")[-1], of_part[other].get_column("id")[0])
        found.append(Shared(parts=(parts[one], parts[other]), pairs=pairs, rows=rows, examples=(example,)))
    return tuple(found)


def _beginning(name: str) -> pl.Expr:
    """The shortest beginning, of 2 letters or more, that not too many names share; null where even a long one is shared."""
    starts = [pl.col(name).str.slice(0, length) for length in range(BEGINNING, _LONGEST + 1, 2)]
    return pl.coalesce(pl.when(pl.len().over(start) <= _NAMES).then(start) for start in starts)


def _met(tracks: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Values that two parts have, with how many pairs share them and one of these."""
    counted = (
        tracks.lazy()
        .drop_nulls(list(keys))
        .group_by("part", *keys)
        .agg(pl.len().cast(pl.Int64).alias("n"), pl.col("id").min())
    ).collect()
    several = counted.filter(pl.len().over(*keys) > 1)
    return (
        several.join(several, on=list(keys))
        .filter(_CROSSING)
        .with_columns((pl.col("n") * pl.col("n_right")).alias("pairs"))
    )


def _rows_of(tracks: pl.DataFrame, met: pl.DataFrame, key: str, here: str) -> pl.DataFrame:
    """The tracks of one of two parts that have a value that the other part has, too."""
    return (
        met.select("part", "part_right", key, pl.lit(here).alias("here"), pl.col(here).alias("own"))
        .join(tracks.select("id", key, pl.col("part").alias("own")), on=[key, "own"])
        .select("part", "part_right", "here", "id")
    )


def _alike(pairs: pl.DataFrame) -> pl.DataFrame:
    """Those pairs whose titles are spellings of one."""
    kept = [
        part.filter(pl.Series(alike(part.get_column("title").to_list(), part.get_column("title_right").to_list())))
        for part in pairs.iter_slices(_AT_ONCE)
        if part.height
    ]
    return pl.concat(kept) if kept else pairs.clear()


def _of_pairs(pairs: pl.DataFrame, parts: Sequence[str]) -> tuple[Shared, ...]:
    rows = pl.concat(
        [pairs.select("part", "part_right", pl.lit(here).alias("here"), pl.col(name).alias("id"))
         for here, name in (("part", "id"), ("part_right", "id_right"))]
    ).unique()  # fmt: skip
    counted = pairs.select("part", "part_right", pl.lit(1, pl.Int64).alias("pairs"))
    return tuple(_told(counted, rows, pairs.select("part", "part_right", "id", "id_right"), parts))


def _told(pairs: pl.DataFrame, rows: pl.DataFrame, examples: pl.DataFrame, parts: Sequence[str]) -> Iterator[Shared]:
    """Per two parts, in their order: the sum of `pairs`, the number of `rows`, the least of the `examples`."""
    sums = (
        pairs.group_by("part", "part_right")
        .agg(pl.col("pairs").sum())
        .filter(pl.col("pairs") > 0)
        .sort("part", "part_right")
    )
    number = rows.group_by("part", "part_right", "here").agg(pl.len())
    counts: dict[tuple[int, int, str], int] = {(a, b, here): n for a, b, here, n in number.iter_rows()}
    for a, b, found in sums.iter_rows():
        some = (
            examples.filter((pl.col("part") == a) & (pl.col("part_right") == b))
            .select("id", "id_right")
            .unique()
            .sort("id", "id_right")
            .head(_EXAMPLES)
        )
        yield Shared(
            parts=(parts[a], parts[b]),
            pairs=found,
            rows=(counts[a, b, "part"], counts[a, b, "part_right"]),
            examples=tuple(some.iter_rows()),
        )
