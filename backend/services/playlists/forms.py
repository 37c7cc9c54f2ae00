"""The forms of playlists, their media types and suffixes."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Final

from backend.utils.errors import InvalidInputError


class PlaylistForm(StrEnum):
    """How a playlist is written."""

    M3U = "m3u"  # extended, UTF-8
    XSPF = "xspf"
    JSPF = "jspf"
    CSV = "csv"


MEDIA_TYPES: Final = {
    PlaylistForm.M3U: "application/vnd.apple.mpegurl",
    PlaylistForm.XSPF: "application/xspf+xml",
    PlaylistForm.JSPF: "application/jspf+json",
    PlaylistForm.CSV: "text/csv; charset=utf-8",
}
SUFFIXES: Final = {
    ".m3u8": PlaylistForm.M3U, ".m3u": PlaylistForm.M3U, ".xspf": PlaylistForm.XSPF, ".jspf": PlaylistForm.JSPF,
    ".csv": PlaylistForm.CSV,
}  # fmt: skip


def form_of_file(path: Path) -> PlaylistForm:
    """The form that a file's name asks for.

    Raises:
        InvalidInputError: its suffix is none that is known.
    """
    form = SUFFIXES.get(path.suffix.lower())
    if form is None:
        raise InvalidInputError(f"{path.name[:80]!r} names no form of a playlist; let it end in {', '.join(SUFFIXES)}")
    return form
