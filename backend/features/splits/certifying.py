"""Looking a split over for leaks: at the tracks and their parts alone, not at how the split was made."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from backend.features.splits import reading, sharing
from backend.features.splits.certificate import Certificate, Check, Shared
from backend.features.splits.names import title_key
from backend.features.splits.recipe import SplitRecipe
from backend.features.splits.split import LEFT_OUT, Split
from backend.utils.errors import InvalidInputError

_DISJOINT: Final = frozenset({"artist", "album", "recording"})
_CODES: Final = ("recording_mbid", "recording_id", "recording_key", "spotify_id")
_EXAMPLES: Final = 5
_MAIN: Final[dict[str, tuple[str, ...]]] = {
    "random": (), "artist": ("artist",), "album": ("album",), "recording": ("recording", "isrc", "same_title"),
    "time": ("time_order",),
}  # fmt: skip


def certify(
    tracks: pa.Table, split: Split, *, fitted_on: Collection[str] | None = None, held_out: Sequence[str] | None = None
) -> Certificate:
    """What the parts of a split share.

    Args:
        tracks: those of the split, in any order, with the same columns that `assign` takes.
        split: the parts.
        fitted_on: ids of the tracks that statistics (means, vocabularies, scalers) were learnt from.
        held_out: parts whose tracks must not be among them; all but the first unless told.

    Raises:
        InvalidInputError: tracks and split are not of the same ids, or a part is not known.
    """
    codes = _codes(tracks, split)
    checks = list(_checks(tracks, codes, split.recipe))
    if fitted_on is not None:
        checks.append(_statistics(split, set(fitted_on), held_out))
    return Certificate(
        recipe=split.recipe.to_plain(),
        fingerprint=split.fingerprint,
        rows={name: int(np.count_nonzero(codes == i)) for i, name in enumerate(split.names)},
        left_out=int(np.count_nonzero(codes == LEFT_OUT)),
        checks=tuple(checks),
        main=_MAIN[split.recipe.kind],
    )


def _codes(tracks: pa.Table, split: Split) -> Any:
    """The part of each row of the table."""
    place = pc.index_in(reading.ids(tracks), split.ids)
    if place.null_count or len(split.ids) != tracks.num_rows:
        raise InvalidInputError(
            f"the split is of other tracks: {place.null_count:,} of the table's {tracks.num_rows:,} tracks "
            f"are not among its {len(split.ids):,}"
        )
    return split.codes[place.to_numpy()]


def _checks(tracks: pa.Table, codes: Any, recipe: SplitRecipe) -> Iterator[Check]:
    dealt = pl.Series("part", codes)
    frame = pl.DataFrame({"id": pl.Series(reading.ids(tracks)), "part": dealt})
    parts, kind = recipe.names, recipe.kind

    def look(
        name: str, meaning: str, promised: bool, columns: dict[str, Any], needed: Sequence[str], how: Any
    ) -> Check:
        if not any(reading.has(tracks, column) for column in needed):
            return Check(
                name=name,
                meaning=meaning,
                expected_zero=promised,
                unchecked=f"no column {', '.join(needed)} with a value",
            )
        there = frame.with_columns(**{column: pl.Series(values) for column, values in columns.items()})
        return Check(name=name, meaning=meaning, expected_zero=promised, shared=how(there.filter(pl.col("part") >= 0)))

    whole = recipe.artists == "whole" and kind == "artist"
    first, titles = reading.artists(tracks, "first"), reading.title_keys(tracks)
    artist_ids = {name: reading.identifiers(tracks, name) for name in reading.ARTIST_IDS if reading.has(tracks, name)}
    names = {"artist": reading.artists(tracks, "whole") if whole else first} | artist_ids
    yield look(
        "artist", "the same artist (the whole credit)" if whole else "the same first artist, in any spelling or by identifier",
        kind == "artist", names, ("artist", *reading.ARTIST_IDS), lambda t: sharing.by_keys(t, list(names), parts),
    )  # fmt: skip
    yield look(
        "credited_artist", "any artist of joint credits, guests among them (a pair counts for each one)",
        kind == "artist" and recipe.artists == "all", {"credited": reading.artists(tracks, "all")}, ("artist",),
        lambda t: sharing.by_each(t, "credited", parts),
    )  # fmt: skip
    yield look(
        "artist_spelling", "first artists whose different names look alike: see whether they are one",
        False, {"first": first}, ("artist",), lambda t: sharing.near_names(t, parts),
    )  # fmt: skip
    albums = {
        "album_id": reading.identifiers(tracks, "album_id"),
        "album": reading.named(first, reading.mapped(reading.texts(tracks, "album"), title_key)),
    }
    yield look(
        "album", "the same album, by its id or as editions of one title by one first artist",
        kind == "album", albums, tuple(albums), lambda t: sharing.by_keys(t, list(albums), parts),
    )  # fmt: skip
    disjoint = kind in _DISJOINT
    ids = {name: reading.identifiers(tracks, name) for name in _CODES if reading.has(tracks, name)}
    if "recording_id" in ids:  # that a track is its own recording is no link
        ids["recording_id"] = _shared_values(ids["recording_id"])
    yield look(
        "recording",
        f"the same recording by {', '.join(_CODES)}",
        disjoint,
        ids,
        _CODES,
        lambda t: sharing.by_keys(t, list(ids), parts),
    )
    duration = {"duration": pl.Series(reading.durations(tracks), nan_to_null=True)}
    yield look(
        "isrc", "the same ISRC, with durations within ten seconds or unknown", disjoint,
        {"isrc": reading.identifiers(tracks, "isrc"), **duration}, ("isrc",), lambda t: sharing.by_code(t, "isrc", parts),
    )  # fmt: skip
    yield look(
        "same_title", "the same first artist and title (editions aside), whatever the duration", disjoint,
        {"title": reading.named(first, titles)}, ("title",), lambda t: sharing.by_keys(t, ["title"], parts),
    )  # fmt: skip
    yield look(
        "near_duplicate", "the same first artist, equal or nearly equal titles, durations within three seconds", disjoint,
        {"first": first, "title": titles, **duration}, ("duration_ms",), lambda t: sharing.near_titles(t, parts),
    )  # fmt: skip
    if recipe.folds is None:
        days = {"day": reading.days(tracks, recipe.dated_by)} if reading.has(tracks, recipe.dated_by) else {}
        yield look(
            "time_order", f"a track of an earlier part that has a later {recipe.dated_by} than one of a later part",
            kind == "time", days, (recipe.dated_by,), lambda t: sharing.out_of_order(t, parts),
        )  # fmt: skip


def _shared_values(values: Any) -> Any:
    """The values that stand more than once; the others null, which spares counting them."""
    counted = values.value_counts()
    several = counted.field("values").filter(pc.greater(counted.field("counts"), 1))
    return pc.if_else(pc.is_in(values, several), values, pa.scalar(None, pa.string()))


def _statistics(split: Split, fitted_on: set[str], held_out: Sequence[str] | None) -> Check:
    """Which tracks that were to be held out (those left out among them) statistics were learnt from."""
    if held_out is None and split.recipe.folds is not None:
        raise InvalidInputError("of folds, tell as held_out which of them the statistics were not to see")
    parts = split.names[1:] if held_out is None else held_out
    told = split.table()
    seen = pc.is_in(told.column("id"), pa.array(sorted(fitted_on), pa.string()))
    found = []
    for part in (*parts, None):
        if part is not None:
            split.rows(part)  # refuses a part that is not known
        inside = pc.equal(told.column("part"), part) if part is not None else pc.is_null(told.column("part"))
        ids = sorted(told.column("id").filter(pc.and_kleene(seen, inside)).to_pylist())
        if ids:
            examples = tuple(("statistics", track) for track in ids[:_EXAMPLES])
            found.append(
                Shared(
                    parts=("statistics", part or "left out"),
                    pairs=len(ids),
                    rows=(len(ids), len(ids)),
                    examples=examples,
                )
            )
    return Check(
        name="statistics", meaning="a track that was to be held out is among those that statistics were learnt from",
        expected_zero=True, shared=tuple(found),
    )  # fmt: skip
