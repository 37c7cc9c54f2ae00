"""Lists of albums as people keep them: CSV with or without a header, album first or as the header says."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from backend.models.ingestion_models import AlbumQuery
from backend.services.album_names import check_query
from backend.utils.errors import InvalidInputError
from backend.utils.text import fold

_ALBUM_HEADS: Final = frozenset({"album", "album name", "album title", "title", "release"})
_ARTIST_HEADS: Final = frozenset({"artist", "artist name", "album artist", "band", "performer", "singer", "interpret"})
_COLUMNS: Final = 2  # of a list without a header
_SHOWN_FAULTS: Final = 10


def read_album_list(path: Path, *, once: bool = True) -> list[AlbumQuery]:
    """Read a CSV file of albums (UTF-8; comma, semicolon or tab).

    A header with an album and an artist column is followed in its order, other columns are passed over; without one the
    first column is the album and the second the artist. Empty lines are skipped and, with `once`, repeated pairs are taken once.

    Raises:
        InvalidInputError: the file cannot be read, or lines do not fit; the message names them and nothing is taken.
    """
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise InvalidInputError(f"{path} cannot be read: {problem.strerror}") from problem
    return album_list_of(content, name=str(path), once=once)


def album_list_of(content: bytes, *, name: str = "the list", once: bool = True) -> list[AlbumQuery]:
    """The albums of a CSV file's content; see `read_album_list`.

    Raises:
        InvalidInputError: it is not UTF-8, holds no album, or lines do not fit.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise InvalidInputError(f"{name} is not UTF-8 text (byte {problem.start}); save it as UTF-8") from problem
    return parse_album_list(text.splitlines(), name=name, once=once)


def parse_album_list(lines: Sequence[str], *, name: str = "the list", once: bool = True) -> list[AlbumQuery]:
    """The albums of the lines of a CSV text; see `read_album_list`.

    Raises:
        InvalidInputError: no album in it, or lines that do not fit.
    """
    rows = [(n, row) for n, row in _rows(lines) if any(cell.strip() for cell in row)]
    if not rows:
        raise InvalidInputError(f"{name} holds no album; each line is: album,artist")
    columns = _columns(rows[0][1])
    if columns is not None:
        rows = rows[1:]
    elif (most := max(len(row) for _, row in rows)) > _COLUMNS:
        raise InvalidInputError(
            f"{name} has {most} columns and no header that says which is which; "
            "let the first line name them (album,artist,…). Nothing was taken."
        )
    album_at, artist_at = columns or (0, 1)
    found: list[AlbumQuery] = []
    faults = []
    for number, row in rows:
        if len(row) <= max(album_at, artist_at):
            faults.append(f"line {number} has no artist: {','.join(row)[:80]!r}")
            continue
        try:
            query = check_query(AlbumQuery(album=row[album_at], artist=row[artist_at]))
        except InvalidInputError as problem:
            faults.append(f"line {number}: {problem}")
        else:
            found.append(query)
    if faults:
        more = f"; and {len(faults) - _SHOWN_FAULTS} more lines" if len(faults) > _SHOWN_FAULTS else ""
        raise InvalidInputError(f"{name}: {'; '.join(faults[:_SHOWN_FAULTS])}{more}. Nothing was taken.")
    if not found:
        raise InvalidInputError(f"{name} holds a header and no album")
    return list({(q.album, q.artist): q for q in found}.values()) if once else found


def _rows(lines: Sequence[str]) -> Iterable[tuple[int, list[str]]]:
    first = lines[0] if lines else ""
    # The sniffer of `csv` guesses wrongly on titles; the three delimiters people use can be told by counting.
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as problem:
        raise InvalidInputError(f"line {reader.line_num} is no CSV: {problem}") from problem


def _columns(head: Sequence[str]) -> tuple[int, int] | None:
    names = [fold(cell) for cell in head]
    album = next((i for i, n in enumerate(names) if n in _ALBUM_HEADS), None)
    artist = next((i for i, n in enumerate(names) if n in _ARTIST_HEADS), None)
    return (album, artist) if album is not None and artist is not None else None
