"""Which column of a table holds what: guessed from headers and values, shown, and put right by who knows better."""

from __future__ import annotations

from collections.abc import Mapping as Given
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

from backend.ingestion.tables.fields import CREDITS, MANY, SCORES, SHARES, SYNONYMS, UNITS, Unit, folded
from backend.ingestion.tables.reading import LINE, PART
from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    import polars as pl

Shape = Literal["spotify", "tracks", "albums", "tags", "scores"]
"""spotify: tracks with Spotify's ids or features. tracks, albums: of anybody. tags: of artists. scores: Album of the Year's."""

_SPOTIFY_ID: Final = (
    r"^(?:spotify:(?:track|album):|https://open\.spotify\.com/(?:track|album)/)?[0-9A-Za-z]{22}(?:\?.*)?$"
)
# Three of these together are Spotify's: others call theirs otherwise, or have one or two of them.
_SPOTIFY_FEATURES: Final = frozenset({"danceability", "speechiness", "instrumentalness", "acousticness", "liveness"})
_SAMPLE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Column:
    """A field, the column that holds it, and how."""

    field: str
    column: str
    unit: Unit = ""


@dataclass(frozen=True, slots=True)
class Mapping:
    """What is read of a table.

    Attributes:
        shape: what kind of table it is.
        columns: what is read; several for a field of `MANY`.
        unused: the columns that are passed over.
    """

    shape: Shape
    columns: tuple[Column, ...]
    unused: tuple[str, ...] = ()

    def of(self, field: str) -> tuple[Column, ...]:
        """The columns of a field."""
        return tuple(c for c in self.columns if c.field == field)

    def has(self, field: str) -> bool:
        """Whether a column holds it."""
        return any(c.field == field for c in self.columns)


def guess(frame: pl.DataFrame, given: Given[str, str] | None = None) -> Mapping:
    """The mapping of a table.

    Args:
        frame: its cells as text.
        given: by field, the column that holds it, with "@unit" behind it where the unit is said too ("length@seconds"); an empty
            one: none does. What is given is not guessed.

    Raises:
        InvalidInputError: a field, a column or a unit is given that there is not, or the table lacks what every table needs.
    """
    headers = [c for c in frame.columns if c != LINE]
    by_field, units = _given(given or {}, headers)
    free = [h for h in headers if not any(h in columns for columns in by_field.values())]
    heads: dict[str, list[str]] = {}
    for header in free:
        heads.setdefault(folded(header), []).append(header)
    for field, names in SYNONYMS.items():
        if field in by_field:
            continue
        found = [header for name in names for header in heads.get(name, ()) if header in free]
        found = [h for h in found if _fits(frame, field, h)]
        taken = found if field in MANY else found[:1]
        if taken:
            by_field[field] = taken
            free = [h for h in free if h not in taken]
    shape = _shape(by_field)
    columns = [
        Column(field, header, units.get(field) or _unit(frame, field, header))
        for field in SYNONYMS
        for header in by_field.get(field, ())
        if _of_shape(field, shape)
    ]
    used = {c.column for c in columns}
    unused = tuple(h for h in headers if h not in used)
    mapping = Mapping(shape, tuple(columns), unused)
    _check(mapping, headers)
    return mapping


def _given(given: Given[str, str], headers: Sequence[str]) -> tuple[dict[str, list[str]], dict[str, Unit]]:
    by_field: dict[str, list[str]] = {}
    units: dict[str, Unit] = {}
    for name, said in given.items():
        field = _field(name)
        header, at, unit = said.rpartition("@") if "@" in said and said not in headers else (said, "", "")
        if header and header not in headers:
            raise InvalidInputError(f"the table has no column {header!r}; it has {', '.join(headers)}")
        if at and unit not in UNITS.get(field, ()):
            there = ", ".join(UNITS.get(field, ())) or "none"
            raise InvalidInputError(f"{field} has no unit {unit!r}; there are: {there}")
        by_field[field] = [*by_field.get(field, []), header] if header else []
        if at:
            units[field] = next(u for u in get_args(Unit) if u == unit)
    return by_field, units


def _field(name: str) -> str:
    """A field by its own name or by one of the headers it is known by."""
    if name in SYNONYMS:
        return name
    head = folded(name)
    for field, names in SYNONYMS.items():
        if head in names:
            return field
    raise InvalidInputError(f"there is no field {name!r}; there are {', '.join(SYNONYMS)}")


def _fits(frame: pl.DataFrame, field: str, header: str) -> bool:
    """Whether the cells look like what the header says, where headers are used for other things too."""
    import polars as pl

    if field in SHARES:
        numbers = frame.get_column(header).cast(pl.Float64, strict=False)
        least, most = numbers.min(), numbers.max()
        # Others lay the same words on scales of their own (z-scores): such a column is not this one.
        return least is None or (
            isinstance(least, float) and isinstance(most, float) and least >= 0.0 and most <= 100.0
        )
    if field not in {"track_id", "album_id", "track_mbid", "album_mbid"}:
        return True
    cells = frame.get_column(header).drop_nulls().head(_SAMPLE)
    if not len(cells):
        return False
    form = _SPOTIFY_ID if field in {"track_id", "album_id"} else r"(?i)^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
    return _share(cells, form) > 0.5


def _share(cells: pl.Series, form: str) -> float:
    """How many of the cells are of a form, 0..1."""
    return float(cells.str.contains(form).sum()) / len(cells) if len(cells) else 0.0


def _shape(by_field: Given[str, list[str]]) -> Shape:
    if by_field.get("tag") and by_field.get("artists") and not by_field.get("duration_ms"):
        return "tags"
    if (
        (by_field.get("critic_score") or by_field.get("user_score"))
        and by_field.get("artists")
        and not by_field.get("track_id")
        and not by_field.get("duration_ms")
    ):
        return "scores"
    if by_field.get("track_id") or by_field.get("album_id") or len(_SPOTIFY_FEATURES & by_field.keys()) >= 3:
        return "spotify"
    titles = by_field.get("title", ())
    is_of_tracks = titles and (
        by_field.get("album") or by_field.get("duration_ms") or by_field.get("isrc")
        or any(word in folded(titles[0]).split() for word in ("track", "song", "recording"))
    )  # fmt: skip
    return "tracks" if is_of_tracks else "albums"


def _of_shape(field: str, shape: Shape) -> bool:
    if shape == "tags":
        return field in {"artists", "title", "tag", "count"}
    if shape == "scores":
        return field in SCORES or field in {"title", "artists", "label", "tags", "release_date", "year", "month", "day"}
    return field not in {"tag", "count"} and field not in SCORES


def _check(mapping: Mapping, headers: Sequence[str]) -> None:
    needed = ["artists"] if mapping.has("artists") or not mapping.has("album_artist") else []
    if mapping.shape in {"spotify", "tracks"}:
        needed.append("title")
    if mapping.shape == "albums" and not mapping.has("album"):
        needed.append("album" if not mapping.has("title") else "title")
    missing = [field for field in needed if not mapping.has(field)]
    if missing:
        raise InvalidInputError(
            f"no column holds {' and '.join(missing)}; say which one with --map {missing[0]}=COLUMN. The table has "
            f"{', '.join(headers)}"
        )


def _unit(frame: pl.DataFrame, field: str, header: str) -> Unit:
    """How a column says it, from all its values."""
    if field not in UNITS:
        return ""
    import polars as pl

    cells = frame.get_column(header).drop_nulls()
    if field == "duration_ms":
        sample = cells.head(_SAMPLE)
        if _share(sample, r"^\s*\d+:\d\d") > 0.5:
            return "clock"
        middle = sample.cast(pl.Float64, strict=False).median()
        # No song lasts ten seconds or two hours and three quarters; medians of seconds are about 200, of milliseconds 200,000.
        return "seconds" if isinstance(middle, float) and middle < 10_000 else "ms"
    if field in {*CREDITS, "tags"}:
        sample = cells.head(_SAMPLE)
        if cells.str.contains(PART, literal=True).any():
            return "parted"
        if _share(sample, r"^\s*\[.*\]\s*$") > 0.5:
            return "list"
        return "semicolon" if _share(sample, ";") > 0.01 else "names"
    most = cells.cast(pl.Float64, strict=False).max()
    return "0..100" if isinstance(most, float) and most > 1.0 else "0..1"
