"""Reading tables of Album of the Year's scores (CSV) into records; columns are found by their header. Pure.

What is in a table that people pass on: names, scores and counts, genre, label, release date. Values of other sites that stand
beside them (Metacritic's) are no business of this source: such columns are named and passed over.
"""

from __future__ import annotations

import contextlib
import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from backend.ingestion.normalizer import tidy_text
from backend.ingestion.scripts import repair
from backend.models.ingestion_models import AlbumRecord, Tag
from backend.utils.errors import InvalidInputError
from backend.utils.text import fold

TABLE_VERSION: Final = "table-1"
"""Of this module; stored with every record that it reads."""

# Folded headers by what they hold, the surest first.
_HEADS: Final[Mapping[str, tuple[str, ...]]] = {
    "artist": ("artist", "artist name", "album artist", "band", "performer"),
    "title": ("title", "album", "album title", "album name", "release", "name"),
    "critic_score": ("aoty critic score", "critic score"),
    "critic_count": ("aoty critic reviews", "aoty critic count", "critic reviews", "critic ratings", "critic count"),
    "user_score": ("aoty user score", "user score"),
    "user_count": ("aoty user reviews", "aoty user ratings", "aoty user count", "user reviews", "user ratings", "user count"),
    "genre": ("genre", "genres", "aoty genre", "aoty genres", "primary genres"),
    "label": ("label", "record label", "labels"),
    "date": ("release date", "date", "released"),
    "year": ("release year", "year"),
    "month": ("release month", "month"),
    "day": ("release day", "day"),
    "spotify": ("spotify url", "spotify link", "spotify album id", "spotify id", "spotify"),
    "aoty": ("aoty url", "aoty link", "aoty id", "aoty", "url"),
}  # fmt: skip
_NEEDED: Final = ("artist", "title")
_UNRATED: Final = frozenset({"", "nr", "n/a", "na", "nan", "none", "null", "tbd", "-", "–"})
_DATES: Final = (
    ("%Y-%m-%d", "%Y-%m-%d"), ("%B %d %Y", "%Y-%m-%d"), ("%b %d %Y", "%Y-%m-%d"), ("%d %B %Y", "%Y-%m-%d"),
    ("%Y-%m", "%Y-%m"), ("%B %Y", "%Y-%m"), ("%b %Y", "%Y-%m"), ("%Y", "%Y"),
)  # fmt: skip
_MONTHS: Final = ("%B", "%b", "%m")
_SPOTIFY: Final = re.compile(r"(?:.*album[/:])?([0-9A-Za-z]{22})(?:\?.*)?")
_AOTY: Final = re.compile(r"(?:.*/album/)?(\d{1,9})(?:[-./].*)?")
_BEST: Final = 100.0
_LONGEST_NAME: Final = 500


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: its record, or why there is none."""

    line: int
    shown: str  # for people: artist – title
    album: AlbumRecord | None = None
    problem: str = ""


class Table:
    """A table of scores, read line by line.

    Attributes:
        unused: the headers of columns that are passed over.

    Raises:
        InvalidInputError: it has no header, or none with artist, title and a score; the message names what is missing.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        given = iter(lines)
        first = next(given, "").removeprefix("\ufeff")
        # The sniffer of `csv` guesses wrongly on titles; the three delimiters people use can be told by counting.
        self._delimiter = max(",;\t", key=first.count)
        head = next(self._reader([first]), [])
        self._columns = _columns(head)
        missing = [name for name in _NEEDED if name not in self._columns]
        if not self._columns.keys() & {"critic_score", "user_score"}:
            missing.append("a score (AOTY Critic Score, AOTY User Score)")
        if missing:
            raise InvalidInputError(f"the table's first line names no column for {', '.join(missing)}")
        used = set(self._columns.values())
        self.unused = tuple(name.strip() for place, name in enumerate(head) if place not in used and name.strip())
        self._rest = given

    def _reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self._delimiter, skipinitialspace=True)

    def rows(self) -> Iterator[Row]:
        """The lines after the header, empty ones left out; one that cannot be used costs no other."""
        reader = csv.reader(self._rest, delimiter=self._delimiter, skipinitialspace=True)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as problem:
                yield Row(reader.line_num + 1, "", problem=f"no CSV: {problem}")
                continue
            if any(cell.strip() for cell in cells):
                yield self._row(reader.line_num + 1, cells)

    def _row(self, line: int, cells: Sequence[str]) -> Row:
        said = {name: _cell(cells[place]) if place < len(cells) else "" for name, place in self._columns.items()}
        shown = f"{said['artist']} – {said['title']}"[:200]
        try:
            return Row(line, shown, album=_record(said))
        except ValueError as problem:
            return Row(line, shown, problem=str(problem))


def _cell(text: str) -> str:
    """Tables that went through a spreadsheet have often been read in the wrong character set."""
    return tidy_text(repair(text)) or ""


def _columns(head: Sequence[str]) -> dict[str, int]:
    names = [fold(cell.replace("_", " ")) for cell in head]
    found: dict[str, int] = {}
    for what, heads in _HEADS.items():
        place = next((names.index(h) for h in heads if h in names), None)
        if place is not None:
            found[what] = place
    return found


def _record(said: Mapping[str, str]) -> AlbumRecord:
    """The record of a line.

    Raises:
        ValueError: a cell does not fit; the message names it.
    """
    for name in _NEEDED:
        if not said[name]:
            raise ValueError(f"no {name}")
        if len(said[name]) > _LONGEST_NAME or "\x00" in said[name]:
            raise ValueError(f"the {name} is no name: {said[name][:40]!r}…")
    critic, user = _score(said, "critic_score"), _score(said, "user_score")
    genres = [g.strip() for g in re.split(r"[,;]", said.get("genre", "")) if g.strip()]
    return AlbumRecord(
        title=said["title"],
        artist=said["artist"],
        release_date=_date(said),
        label=said.get("label") or None,
        critic_score=critic,
        critic_count=_count(said, "critic_count") if critic else None,
        user_score=user,
        user_count=_count(said, "user_count") if user else None,
        tags=tuple(Tag(name=g, weight=1.0, level="album") for g in dict.fromkeys(genres)),
        ids=_ids(said),
        match_method="name",
        parser=TABLE_VERSION,
    )


def _number(said: Mapping[str, str], name: str) -> float | None:
    cell = said.get(name, "")
    if cell.casefold() in _UNRATED:
        return None
    if not re.fullmatch(r"\d[\d,]*(\.\d+)?", cell):
        raise ValueError(f"{name.replace('_', ' ')} {cell[:40]!r} is no number")
    return float(cell.replace(",", ""))


def _score(said: Mapping[str, str], name: str) -> float | None:
    value = _number(said, name)
    if value is not None and value > _BEST:
        raise ValueError(f"{name.replace('_', ' ')} {value:g} is above {_BEST:g}")
    return value or None  # 0 is how an unrated album is written


def _count(said: Mapping[str, str], name: str) -> int | None:
    value = _number(said, name)
    if value is not None and value != int(value):
        raise ValueError(f"{name.replace('_', ' ')} {value:g} is no whole number")
    return int(value) if value else None


def _date(said: Mapping[str, str]) -> str | None:
    """As precise as the cells say; a month or day that cannot be read costs precision alone."""
    year = said.get("year", "")
    if not year:
        words = " ".join(said.get("date", "").replace(",", " ").split())
        for form, shown in _DATES:
            with contextlib.suppress(ValueError):
                return datetime.strptime(words, form).strftime(shown)  # noqa: DTZ007 - a day, at no time
        return None
    if not re.fullmatch(r"[12]\d{3}(\.0)?", year):
        raise ValueError(f"release year {year[:40]!r} is no year")
    date = year[:4]
    for form in _MONTHS:
        with contextlib.suppress(ValueError):
            date = datetime.strptime(f"{date} {said.get('month', '')}", f"%Y {form}").strftime("%Y-%m")  # noqa: DTZ007
            break
    with contextlib.suppress(ValueError):
        if "-" in date:
            return datetime.strptime(f"{date}-{said.get('day', '')}", "%Y-%m-%d").strftime("%Y-%m-%d")  # noqa: DTZ007
    return date


def _ids(said: Mapping[str, str]) -> dict[str, str]:
    forms = (("aoty", _AOTY), ("spotify", _SPOTIFY))
    return {name: found[1] for name, form in forms if (found := form.fullmatch(said.get(name, "")))}
