"""Playlists as bytes. Whatever a title holds, a reader gets the same list back."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from xml.etree import ElementTree as ET

import orjson

from backend.models.discovery import PlaylistEntry
from backend.services.csv_cells import csv_rows
from backend.services.playlists.forms import PlaylistForm
from backend.utils.errors import InvalidInputError
from backend.utils.text import squeeze

XSPF: Final = "http://xspf.org/ns/0/"
OWN: Final = "urn:tensoe:track:"
_COLUMNS: Final = (
    "position", "id", "title", "artist", "album", "release_year", "duration_ms", "isrc", "spotify_id", "recording_mbid",
    "score", "reasons",
)  # fmt: skip
# What XML 1.0 cannot hold, not even escaped.
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def written(entries: Sequence[PlaylistEntry], form: PlaylistForm, *, title: str) -> bytes:
    """A playlist as a file's bytes, UTF-8.

    Args:
        entries: the tracks in their order.
        form: which form.
        title: of the list; M3U, XSPF and JSPF hold it.
    """
    return _WRITERS[form](entries, title)


def save(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        InvalidInputError: it cannot be written there.
    """
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        half.write_bytes(content)
        os.replace(half, path)  # noqa: PTH105 - the same on every system
    except OSError as problem:
        half.unlink(missing_ok=True)
        raise InvalidInputError(f"{path} cannot be written: {problem.strerror}") from problem


def identifiers(entry: PlaylistEntry) -> list[str]:
    """URIs of a track, those first that others know."""
    found = []
    if entry.spotify_id:
        found.append(f"https://open.spotify.com/track/{quote(entry.spotify_id, safe='')}")
    if entry.recording_mbid:
        found.append(f"https://musicbrainz.org/recording/{quote(entry.recording_mbid, safe='')}")
    return [*found, f"{OWN}{quote(entry.id, safe='')}"]


def _m3u(entries: Sequence[PlaylistEntry], title: str) -> bytes:
    lines = ["#EXTM3U", "#EXTENC:UTF-8", f"#PLAYLIST:{squeeze(title)}"]
    for entry in entries:
        seconds = -1 if entry.duration_ms is None else round(entry.duration_ms / 1000)
        lines.append(f"#EXTINF:{seconds},{squeeze(entry.artist)} - {squeeze(entry.title)}")
        if entry.album:
            lines.append(f"#EXTALB:{squeeze(entry.album)}")
        lines.append(identifiers(entry)[0])
    return ("\n".join(lines) + "\n").encode()


def _xspf(entries: Sequence[PlaylistEntry], title: str) -> bytes:
    ET.register_namespace("", XSPF)
    root = ET.Element(f"{{{XSPF}}}playlist", version="1")
    _child(root, "title", title)
    _child(root, "creator", "Tensoe")
    listed = ET.SubElement(root, f"{{{XSPF}}}trackList")
    for entry in entries:
        track = ET.SubElement(listed, f"{{{XSPF}}}track")
        for uri in identifiers(entry):
            _child(track, "identifier", uri)
        # In the order that the schema has them.
        _child(track, "title", entry.title)
        _child(track, "creator", entry.artist)
        _child(track, "annotation", "; ".join(entry.reasons))
        _child(track, "album", entry.album)
        _child(track, "duration", None if entry.duration_ms is None else str(entry.duration_ms))
    ET.indent(root)
    found: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return found + b"\n"


def _child(parent: ET.Element, name: str, text: str | None) -> None:
    if text:
        ET.SubElement(parent, f"{{{XSPF}}}{name}").text = _NO_XML.sub("", squeeze(text))


def _jspf(entries: Sequence[PlaylistEntry], title: str) -> bytes:
    tracks = [_jspf_track(entry) for entry in entries]
    body = {"playlist": {"title": squeeze(title), "creator": "Tensoe", "track": tracks}}
    return orjson.dumps(body, option=orjson.OPT_INDENT_2) + b"\n"


def _jspf_track(entry: PlaylistEntry) -> dict[str, Any]:
    values = {
        "identifier": identifiers(entry),
        "title": squeeze(entry.title),
        "creator": squeeze(entry.artist),
        "annotation": "; ".join(entry.reasons),
        "album": entry.album and squeeze(entry.album),
        "duration": entry.duration_ms,
    }
    return {name: value for name, value in values.items() if value}


def _csv(entries: Sequence[PlaylistEntry], _title: str) -> bytes:
    rows: list[tuple[str, ...]] = [_COLUMNS]
    for position, entry in enumerate(entries, 1):
        values = {
            "position": position,
            "reasons": "; ".join(entry.reasons),
            **{name: getattr(entry, name) for name in _COLUMNS[1:-1]},
        }
        rows.append(tuple("" if values[name] is None else str(values[name]) for name in _COLUMNS))
    return csv_rows(rows)


_WRITERS: Final[Mapping[PlaylistForm, Callable[[Sequence[PlaylistEntry], str], bytes]]] = {
    PlaylistForm.M3U: _m3u,
    PlaylistForm.XSPF: _xspf,
    PlaylistForm.JSPF: _jspf,
    PlaylistForm.CSV: _csv,
}
