"""Reading what splits need out of a table of tracks: ids, names, identifiers, days."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from backend.features.splits.names import artist_key, credited, first_artist, guests, title_key
from backend.utils.errors import InvalidInputError

Days = npt.NDArray[np.float64]
"""Days since 1970-01-01, NaN where unknown."""

ARTIST_IDS: Final = ("artist_id", "artist_ids", "artist_mbid", "artist_mbids", "artist_spotify_id", "spotify_artist_id")
"""Columns that identify the artist of the track (not of the album); a list has them in the order of the credit."""
RECORDING_IDS: Final = ("isrc", "recording_mbid", "recording_id", "spotify_id")
"""Columns of which an equal value means one recording; of ISRCs only where the durations agree, for they are given wrongly."""
_ISRC: Final = r"^[A-Z]{2}[A-Z0-9]{3}[0-9]{2}([0-9]{4}[1-9]|[0-9]{3}[1-9]0|[0-9]{2}[1-9]00|[0-9][1-9]000|[1-9]0000)$"
_DAY: Final = r"^\d{4}(-\d{2}(-\d{2})?)?$"


def has(table: pa.Table, name: str) -> bool:
    """Whether there is such a column with any value."""
    return name in table.column_names and table.column(name).null_count < table.num_rows


def ids(table: pa.Table) -> Any:
    """The tracks' ids as one array of text.

    Raises:
        InvalidInputError: there is no column `id`, or an id is missing or stands twice.
    """
    if "id" not in table.column_names:
        raise InvalidInputError(f"the table of tracks needs a column id; it has {', '.join(table.column_names)}")
    found = _flat(table.column("id").cast(pa.string()))
    if found.null_count:
        raise InvalidInputError(f"{found.null_count} tracks have no id")
    if (distinct := pc.count_distinct(found).as_py()) < len(found):
        raise InvalidInputError(f"{len(found) - distinct} ids stand more than once; a split deals each track once")
    return found


def texts(table: pa.Table, name: str) -> Any:
    """A column as one array of text without blanks at the ends; null where nothing is said or the column is missing."""
    if not has(table, name):
        return pa.nulls(table.num_rows, pa.string())
    trimmed = pc.utf8_trim_whitespace(_flat(table.column(name)).cast(pa.string()))
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def mapped(values: Any, change: Callable[[str], Any], kind: Any = None) -> Any:
    """What a function makes of each text, called once for each distinct one; null of null and of "" and ()."""
    encoded = pc.dictionary_encode(values)
    changed = pa.array([change(text) or None for text in encoded.dictionary.to_pylist()], kind or pa.string())
    return changed.take(encoded.indices)


def artists(table: pa.Table, how: str) -> Any:
    """The artists' keys of each track, as text for `whole` and `first`, as lists for `all` (guests in titles among them)."""
    credit = texts(table, "artist")
    if how == "all":
        named = mapped(credit, credited, pa.list_(pa.string()))
        invited = mapped(texts(table, "title"), guests, pa.list_(pa.string()))
        return _joined(named, invited)
    return mapped(credit, first_artist if how == "first" else artist_key)


def identifiers(table: pa.Table, name: str, *, every: bool = False) -> Any:
    """A column of identifiers as text; of lists the first one, or each of them; ISRCs without hyphens."""
    kind = table.schema.field(name).type if name in table.column_names else pa.string()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        column = _flat(table.column(name)).cast(pa.list_(pa.string()))
        if every:
            return column
        filled = pc.fill_null(pc.greater(pc.list_value_length(column), 0), fill_value=False)
        return pc.replace_with_mask(
            pa.nulls(len(column), pa.string()), filled, pc.list_element(column.filter(filled), 0)
        )
    found = texts(table, name)
    if name != "isrc":
        return found
    plain = pc.utf8_upper(pc.replace_substring_regex(found, r"[^0-9A-Za-z]", ""))
    return pc.if_else(pc.match_substring_regex(plain, _ISRC), plain, pa.scalar(None, pa.string()))


def title_keys(table: pa.Table) -> Any:
    """The titles' keys."""
    return mapped(texts(table, "title"), title_key)


def named(artist: Any, title: Any) -> Any:
    """First artist and title as one key; null where one of them is unknown."""
    return pc.binary_join_element_wise(artist, title, "/")


def numbers(table: pa.Table, name: str) -> Days:
    """A numeric column as float64, NaN where unknown or missing."""
    if not has(table, name):
        return np.full(table.num_rows, np.nan)
    found: Days = _flat(table.column(name)).cast(pa.float64()).to_numpy(zero_copy_only=False)
    return found


def durations(table: pa.Table) -> Days:
    """Durations in milliseconds; NaN where unknown, and what is not above 0 is unknown."""
    found = numbers(table, "duration_ms")
    return np.where(found > 0, found, np.nan)


def days(table: pa.Table, name: str) -> Days:
    """A column of dates, instants, years or text as days; a year or month stands for its first day.

    Raises:
        InvalidInputError: the column is not there or holds something else.
    """
    if name not in table.column_names:
        raise InvalidInputError(f"the table of tracks has no column {name}; it has {', '.join(table.column_names)}")
    column = _flat(table.column(name))
    kind = column.type
    if pa.types.is_null(kind):
        return np.full(table.num_rows, np.nan)
    if pa.types.is_temporal(kind) and not pa.types.is_time(kind) and not pa.types.is_duration(kind):
        return _as_days(column.cast(pa.date32()) if pa.types.is_date(kind) else pc.floor_temporal(column, unit="day"))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        years = pc.if_else(pc.is_finite(column), column, pa.scalar(None, kind)).cast(pa.int64(), safe=False)
        return _as_days(_parsed(years.cast(pa.string()), name))
    return _as_days(_parsed(texts(table, name), name))


def instants(table: pa.Table, name: str) -> Days:
    """A column of instants as days with their fractions; of any other kind as `days`."""
    if name in table.column_names and pa.types.is_timestamp(table.column(name).type):
        micros = (
            _flat(table.column(name))
            .cast(pa.timestamp("us"), safe=False)
            .cast(pa.int64())
            .cast(pa.float64(), safe=False)
        )
        return np.asarray(micros.to_numpy(zero_copy_only=False) / 86_400e6)
    return days(table, name)


def _parsed(values: Any, name: str) -> Any:
    encoded = pc.dictionary_encode(values)
    said = encoded.dictionary
    bad = said.filter(pc.invert(pc.match_substring_regex(said, _DAY)))
    if len(bad):
        raise InvalidInputError(
            f"{name}={bad[0].as_py()!r} is no date; give days as 2015-01-31, months as 2015-01, years as 2015"
        )
    whole = pa.array([f"{text}{'-01-01'[len(text) - 4 :]}" for text in said.to_pylist()], pa.string())
    try:
        return whole.cast(pa.date32()).take(encoded.indices)
    except pa.ArrowInvalid as error:
        raise InvalidInputError(f"a value of {name} is no day of the calendar: {error}") from error


def _as_days(column: Any) -> Days:
    plain = column.cast(pa.date32()).cast(pa.int32()).cast(pa.float64())
    found: Days = plain.to_numpy(zero_copy_only=False)
    return found


def _joined(one: Any, other: Any) -> Any:
    """Two columns of lists as one."""
    if other.null_count == len(other):
        return one
    return pa.array(
        [
            list(dict.fromkeys([*(a or ()), *(b or ())])) or None
            for a, b in zip(one.to_pylist(), other.to_pylist(), strict=True)
        ],
        pa.list_(pa.string()),
    )


def _flat(column: Any) -> Any:
    """One array of plain values; a table's column may be in chunks and dictionary-encoded."""
    found = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks() if found.num_chunks != 1 else found.chunk(0)
    return found.dictionary_decode() if pa.types.is_dictionary(found.type) else found
