"""Cells as values, in their units and ranges; what cannot be read is noted, never dropped unsaid."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from backend.ingestion.normalizer import tidy_date, tidy_text, tidy_upc
from backend.ingestion.tables.fields import CREDITS, SHARES, TEXTS
from backend.ingestion.tables.mapping import Column, Mapping
from backend.ingestion.tables.reading import LINE, PART
from backend.models.ingestion_models import AUDIO_FEATURES

if TYPE_CHECKING:
    import polars as pl

_UNSAID: Final = ("", "NA", "N/A", "NaN", "nan", "None", "none", "null", "NULL", "\\N", "-")
_RANGES: Final = {
    **dict.fromkeys(SHARES, (0.0, 1.0)),
    "loudness": (-80.0, 10.0),
    "tempo": (1.0, 400.0),
    "key": (-1.0, 11.0),
    "mode": (0.0, 1.0),
    "time_signature": (1.0, 15.0),
    "popularity": (0.0, 100.0),
    "listeners": (0.0, 2_147_483_647.0),
    "duration_ms": (1.0, 24 * 3_600_000.0),
    "disc_number": (1.0, 32_767.0),
    "track_number": (1.0, 2_147_483_647.0),
    **dict.fromkeys(("count", "critic_count", "user_count"), (0.0, 2_147_483_647.0)),
    **dict.fromkeys(("critic_score", "user_score"), (0.0, 100.0)),
}
_WHOLE: Final = frozenset({"key", "mode", "time_signature", "disc_number", "track_number"})
# Numbers by which tables say that nothing was measured; no fault of the table.
_NOTHING: Final = {"tempo": 0.0, "time_signature": 0.0, "duration_ms": 0.0, "disc_number": 0.0, "track_number": 0.0}
_TINIEST: Final = 1.2e-38  # of REAL's normal numbers
_KEYS: Final = {
    name: str(place)
    for place, names in enumerate(
        (("c",), ("c#", "db", "c♯/d♭"), ("d",), ("d#", "eb", "d♯/e♭"), ("e",), ("f",), ("f#", "gb", "f♯/g♭"), ("g",),
         ("g#", "ab", "g♯/a♭"), ("a",), ("a#", "bb", "a♯/b♭"), ("b",))
    )
    for name in names
}  # fmt: skip
_WORDS: Final = {"key": _KEYS, "mode": {"major": "1", "minor": "0"}}
_YES: Final = ("true", "1", "1.0", "yes", "t", "explicit")
_NO: Final = ("false", "0", "0.0", "no", "f", "clean", "notexplicit")
_PLAIN: Final = r"^[!-~]+(?: [!-~]+)*$"  # nothing to tidy but the length
_LONGEST: Final = 1_000
_LONGEST_LIST: Final = 100_000
_FORMS: Final = (
    ("%m/%d/%Y", "%Y-%m-%d"), ("%d.%m.%Y", "%Y-%m-%d"), ("%B %d %Y", "%Y-%m-%d"), ("%b %d %Y", "%Y-%m-%d"),
    ("%d %B %Y", "%Y-%m-%d"), ("%d %b %Y", "%Y-%m-%d"), ("%B %Y", "%Y-%m"), ("%b %Y", "%Y-%m"), ("%b-%y", "%Y-%m"),
)  # fmt: skip
_MONTHS: Final = ("%B", "%b", "%m")
_DAY: Final = re.compile("[0-9]{1,2}")
_IDS: Final = {
    **dict.fromkeys(("track_id", "album_id"), r"([0-9A-Za-z]{22})(?:\?.*)?$"),
    **dict.fromkeys(("track_mbid", "album_mbid"), r"(?i)^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$"),
    "isrc": "^([A-Z]{2}[A-Z0-9]{3}[0-9]{7})$",
}


@dataclass(frozen=True, slots=True)
class Unread:
    """A cell that says something that cannot be used, or a row that lacks what it must have (then without a column)."""

    line: int
    column: str
    value: str


def values(frame: pl.DataFrame, mapping: Mapping) -> tuple[pl.DataFrame, Iterator[Unread]]:
    """The fields of a table as columns in their units, with `LINE`; and the cells that could not be read.

    Credits and tags are text with `PART` between their elements.
    """
    import polars as pl

    # Numbers in one go: each call of the engine costs as much as thousands of cells.
    plain = {c.field: c for c in mapping.columns if c.field in _RANGES and c.unit != "clock"}
    made = frame.select(_number(pl.col(c.column), c).alias(f) for f, c in plain.items()).to_dict() if plain else {}
    for field in dict.fromkeys(c.field for c in mapping.columns if c.field not in made):
        parts = [_values(frame, column) for column in mapping.of(field)]
        made[field] = parts[0] if len(parts) == 1 else _joined(parts)
    if "year" in made:
        made["release_date"] = _dated(made)
    out = pl.DataFrame(
        {LINE: frame.get_column(LINE), **{k: v for k, v in made.items() if k not in {"year", "month", "day"}}}
    )
    return out, _unread(frame, mapping, out)


def _values(frame: pl.DataFrame, column: Column) -> pl.Series:
    import polars as pl

    cells = frame.get_column(column.column)
    field = column.field
    if field in _IDS:
        return _ids(cells, field)
    if field in CREDITS or field in {"tags", "tag"}:
        return _credits(cells, column.unit)
    if field in TEXTS:
        return _texts(cells)
    if field == "explicit":
        said = cells.str.strip_chars().str.to_lowercase()
        yes, no = said.is_in(list(_YES)), said.is_in(list(_NO))
        return pl.select(pl.when(yes).then(True).when(no).then(False)).to_series()
    if field == "release_date":
        return by_unique(cells, _date)
    if field == "upc":
        return by_unique(cells, tidy_upc)
    if field in {"year", "month", "day"}:
        return cells.str.strip_chars()
    return pl.select(_number(pl.lit(by_unique(cells, _clock)), column)).to_series()  # of a clock


def _ids(cells: pl.Series, field: str) -> pl.Series:
    """Identifiers in their plain form, out of addresses and however they are written."""
    if field == "isrc":
        cells = cells.str.replace_all(r"[\s-]", "").str.to_uppercase()
    found = cells.str.extract(_IDS[field], 1)
    return found.str.to_lowercase() if field.endswith("mbid") else found


def _number(cells: pl.Expr, column: Column) -> pl.Expr:
    """Numbers in their range; what is outside is unknown."""
    import polars as pl

    field, said = column.field, cells.str.strip_chars()
    value = said.cast(pl.Float64, strict=False)
    if field in _WORDS:
        words = said.str.to_lowercase().replace(_WORDS[field]).cast(pl.Float64, strict=False)
        value = pl.coalesce(value, words)
    if column.unit == "seconds":
        value *= 1_000.0
    if column.unit == "0..100":
        value /= 100.0
    low, high = _RANGES[field]
    fits = value.is_between(low, high)
    if field in AUDIO_FEATURES and field not in _WHOLE:
        # Smaller than the columns' type holds is none; -0.0 becomes 0.0.
        return pl.when(fits).then(pl.when(value.abs() < _TINIEST).then(0.0).otherwise(value) + 0.0)
    whole = value.round(0)
    if field in _WHOLE:
        fits &= value == whole
    if field in AUDIO_FEATURES:
        return pl.when(fits).then(whole + 0.0)
    return pl.when(fits).then(whole).cast(pl.Int64, strict=False)


def _texts(cells: pl.Series) -> pl.Series:
    """Names without superfluous blanks and control characters."""
    import polars as pl

    plain = cells.str.contains(_PLAIN) & (cells.str.len_bytes() <= _LONGEST)
    if plain.all():
        return cells
    odd = cells.filter(~plain)
    tidied = by_unique(odd, tidy_text)
    return cells.scatter(pl.select(pl.lit(~plain).arg_true()).to_series(), tidied) if len(odd) else cells


def _credits(cells: pl.Series, unit: str) -> pl.Series:
    if unit in {"", "names"}:
        return _texts(cells)
    return by_unique(cells, _SPLIT[unit])


def _split_list(cell: str) -> str | None:
    try:
        found = ast.literal_eval(cell.strip()) if len(cell) <= _LONGEST_LIST else None
    # Python's own parser may also give up where brackets or signs stand in each other too deeply.
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        found = None
    if not isinstance(found, list | tuple) or not all(isinstance(one, str | float | None) for one in found):
        found = [part.strip(" '\"") for part in cell.strip(" []").split(",")]
    return _parted(found)


def _parted(names: Any) -> str | None:
    return PART.join(dict.fromkeys(name for name in map(tidy_text, map(str, names)) if name)) or None


_SPLIT: Final[dict[str, Callable[[str], str | None]]] = {
    "list": _split_list,
    "semicolon": lambda cell: _parted(cell.split(";")),
    "parted": lambda cell: _parted(cell.split(PART)),
}


def _clock(cell: str) -> str | None:
    """Milliseconds of "3:45", "1:02:03" or "3:45.5"."""
    parts = cell.strip().split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return None
    seconds = 0.0
    for number in numbers:
        seconds = seconds * 60 + number
    return str(round(seconds * 1_000)) if len(parts) > 1 and math.isfinite(seconds) else None


def _date(cell: str) -> str | None:
    """An ISO date as precise as the cell."""
    words = cell.strip()
    if found := tidy_date(
        words.split("T", 1)[0].split(" ", 1)[0] if re.match(r"\d{4}-\d\d-\d\d[T ]", words) else words
    ):
        return found
    if re.fullmatch(r"[12]\d{3}\.0", words):
        return words[:4]
    words = " ".join(words.replace(",", " ").split())
    for form, shown in _FORMS:
        try:
            return tidy_date(datetime.strptime(words, form).strftime(shown))  # noqa: DTZ007 - a day, at no time
        except ValueError:
            continue
    return None


def _dated(made: dict[str, pl.Series]) -> pl.Series:
    """Dates of year, month and day in columns of their own; a date that a column says whole goes before them."""
    import polars as pl

    empty = pl.Series([None], dtype=pl.String).new_from_index(0, len(made["year"]))
    parts = [made.get(name, empty).fill_null("") for name in ("year", "month", "day")]
    joined = pl.select(pl.concat_str(*parts, separator=PART)).to_series()
    found = by_unique(joined, _of_parts)
    whole = made.get("release_date")
    return found if whole is None else pl.select(pl.coalesce(pl.lit(whole), pl.lit(found))).to_series()


def _of_parts(joined: str) -> str | None:
    year, month, day, *more = joined.split(PART)
    if more or not re.fullmatch(r"[12]\d{3}(\.0)?", year):
        return None
    date = year[:4]
    for form in _MONTHS:
        try:
            date = datetime.strptime(f"{date} {month.removesuffix('.0')}", f"%Y {form}").strftime("%Y-%m")  # noqa: DTZ007
            break
        except ValueError:
            continue
    number = day.removesuffix(".0")
    return tidy_date(f"{date}-{int(number):02d}" if "-" in date and _DAY.fullmatch(number) else date)


def _joined(parts: list[pl.Series]) -> pl.Series:
    """Several columns of one field; each element once."""
    import polars as pl

    joined = pl.select(pl.concat_str(*parts, separator=PART, ignore_nulls=True)).to_series()
    return by_unique(joined, lambda cell: _parted(cell.split(PART)))


def by_unique(cells: pl.Series, work: Callable[[str], str | None]) -> pl.Series:
    """Each text through a function, which is called once per different text."""
    import polars as pl

    different = cells.drop_nulls().unique()
    table = pl.DataFrame(
        {"key": different, "value": pl.Series([work(c) for c in different.to_list()], dtype=pl.String)}
    )
    found = pl.DataFrame({"key": cells}).join(table, on="key", how="left", maintain_order="left")
    return found.get_column("value").alias(cells.name)


def _unread(frame: pl.DataFrame, mapping: Mapping, out: pl.DataFrame) -> Iterator[Unread]:
    """The cells that say something, of which nothing came."""
    import polars as pl

    for column in mapping.columns:
        field = "release_date" if column.field == "year" else column.field
        if field not in out.columns or field in {"month", "day"}:
            continue
        cells, made = frame.get_column(column.column), out.get_column(field)
        if made.null_count() <= cells.null_count():
            continue
        lost = made.is_null() & cells.is_not_null() & ~cells.str.strip_chars().is_in(list(_UNSAID))
        if field in _NOTHING:
            lost &= cells.cast(pl.Float64, strict=False).ne_missing(pl.Series([_NOTHING[field]]))
        for line, value in zip(out.get_column(LINE).filter(lost).to_list(), cells.filter(lost).to_list(), strict=True):
            yield Unread(line, column.column, value)
