"""Lists of tracks as people have them: XSPF, JSPF, M3U, CSV, or one track a line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote
from xml.parsers import expat

import orjson

from backend.models.discovery import ListedTrack
from backend.services.playlists.forms import SUFFIXES, PlaylistForm
from backend.services.playlists.writing import OWN
from backend.utils.errors import InvalidInputError
from backend.utils.text import fold, squeeze

MOST: Final = 10_000
"""Tracks of a list."""

_DASH: Final = re.compile(r"\s+[-\u2013\u2014]\s+")
_ID: Final = re.compile(r"[0-9A-Za-z_-]{8,100}")
# Headers of exports of usual programs, folded.
_HEADERS: Final[Mapping[str, str]] = {
    "id": "id", "track id": "id", "title": "title", "track": "title", "name": "title", "track name": "title", "song": "title",
    "artist": "artist", "artist name": "artist", "artists": "artist", "artist name s": "artist", "track artist": "artist",
    "creator": "artist",
}  # fmt: skip


def read(text: str, *, name: str = "") -> list[ListedTrack]:
    """The tracks of a list, in its order.

    Args:
        text: the file's.
        name: the file's, whose suffix tells the form; others are one track a line, an id or "Artist - Title".

    Raises:
        InvalidInputError: it is not of the form that its name says, or holds no track or more than 10,000.
    """
    form = SUFFIXES.get(Path(name).suffix.lower())
    reader = _lines if form is None else _READERS[form]
    found = list(reader(text.removeprefix("\ufeff")))
    if not found:
        raise InvalidInputError(f"{name or 'The list'} holds no track; give one a line, as an id or as Artist - Title")
    if len(found) > MOST:
        raise InvalidInputError(f"{name or 'The list'} holds {len(found):,} tracks; {MOST:,} are the most")
    return found


def _track(*, artist: str = "", title: str = "", uris: list[str] | None = None) -> ListedTrack | None:
    own = next((uri.removeprefix(OWN) for uri in uris or () if uri.startswith(OWN)), None)
    if own:
        return ListedTrack(id=unquote(own))
    artist, title = squeeze(artist), squeeze(title)
    return ListedTrack(artist=artist, title=title) if artist and title else None


def _line(line: str) -> ListedTrack:
    text = squeeze(line)
    parts = _DASH.split(text, maxsplit=1)
    if len(parts) == 2 and all(parts):
        return ListedTrack(artist=parts[0], title=parts[1])
    if _ID.fullmatch(text) is None:
        raise InvalidInputError(
            f"{text[:80]!r} is no track; write an id, or Artist - Title with blanks around the dash"
        )
    return ListedTrack(id=text)


def _lines(text: str) -> Iterator[ListedTrack]:
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield _line(line)


def _m3u(text: str) -> Iterator[ListedTrack]:
    said = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("#EXTINF:"):
            said = line.partition(",")[2]
        elif line and not line.startswith("#"):
            parts = _DASH.split(said, maxsplit=1)
            artist, title = parts if len(parts) == 2 else ("", "")
            found = _track(artist=artist, title=title, uris=[line])
            if found is None:
                raise InvalidInputError(f"{line[:80]!r} has no #EXTINF line with artist and title before it")
            yield found
            said = ""


def _csv(text: str) -> Iterator[ListedTrack]:
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        header = [_HEADERS.get(fold(cell)) for cell in next(rows, [])]
        if "id" not in header and not {"artist", "title"} <= set(header):
            raise InvalidInputError("The first line of a table must name the columns: id, or artist and title")
        for row in rows:
            # A later column of the same meaning counts where the first is empty.
            values: dict[str, str] = {}
            for meaning, cell in zip(header, row, strict=False):
                if meaning is not None and cell.strip():
                    values.setdefault(meaning, cell.strip().removeprefix("'"))
            if "id" in values:
                yield ListedTrack(id=values["id"])
            elif {"artist", "title"} <= values.keys():
                yield ListedTrack(artist=squeeze(values["artist"]), title=squeeze(values["title"]))
    except csv.Error as problem:
        raise InvalidInputError(f"This is no CSV: {problem}") from problem


def _jspf(text: str) -> Iterator[ListedTrack]:
    try:
        listed: Any = orjson.loads(text)["playlist"]["track"]
        for track in listed:
            uris = track.get("identifier") or []
            found = _track(
                artist=str(track.get("creator") or ""),
                title=str(track.get("title") or ""),
                uris=[uris] if isinstance(uris, str) else [str(uri) for uri in uris],
            )
            if found is not None:
                yield found
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as problem:
        raise InvalidInputError("This is no JSPF: an object `playlist` with a list `track` is expected") from problem


def _xspf(text: str) -> Iterator[ListedTrack]:
    reader = _XspfReader()
    try:
        reader.parser.Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError as problem:
        raise InvalidInputError(f"This is no XSPF: {problem}") from problem
    for track in reader.tracks:
        found = _track(
            artist="".join(track.get("creator", [])), title="".join(track.get("title", [])),
            uris=[uri.strip() for uri in "".join(track.get("identifier", [])).split("\n")],
        )  # fmt: skip
        if found is not None:
            yield found


class _XspfReader:
    """Collects the texts of tracks. A document type is refused: a playlist needs none, and entities can be made to explode."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate(encoding="utf-8", namespace_separator=" ")
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.tracks: list[dict[str, list[str]]] = []
        self._inside: list[str] = []

    def _refuse(self, *_: object) -> None:
        raise InvalidInputError("An XSPF file with a document type is not read; leave <!DOCTYPE …> out")

    def _start(self, name: str, _attributes: object) -> None:
        self._inside.append(name.rpartition(" ")[2])
        if self._inside[-1] == "track":
            self.tracks.append({})

    def _end(self, _name: str) -> None:
        name = self._inside.pop()
        if self._inside[-1:] == ["track"] and name == "identifier":
            self.tracks[-1].setdefault(name, []).append("\n")

    def _text(self, text: str) -> None:
        if self._inside[-2:-1] == ["track"]:
            self.tracks[-1].setdefault(self._inside[-1], []).append(text)


_READERS: Final[Mapping[PlaylistForm, Callable[[str], Iterator[ListedTrack]]]] = {
    PlaylistForm.M3U: _m3u,
    PlaylistForm.XSPF: _xspf,
    PlaylistForm.JSPF: _jspf,
    PlaylistForm.CSV: _csv,
}
