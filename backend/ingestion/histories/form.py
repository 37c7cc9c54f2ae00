"""What a form of history is: how its rows are recognised by content, and how a row is read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

from backend.ingestion.alignment import recording_key
from backend.models.listening import LeftOut, Listen
from backend.utils.text import fold_name

Row: TypeAlias = Mapping[str, Any]
"""An object of JSON, or a line of a table by its columns' names in small letters."""


class Form(Protocol):
    """A form of export. One file each in this package; `registry` lists them."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def expected(self) -> str:
        """How its files look, for who gave another."""
        ...

    @property
    def wrappers(self) -> frozenset[str]:
        """Keys of JSON objects that hold rows instead of being one."""
        ...

    def fits(self, row: Row) -> bool:
        """Whether a row has this form."""
        ...

    def read(self, row: Row) -> Listen | LeftOut:
        """What a row says.

        Raises:
            RowError: it cannot be read.
        """
        ...


@lru_cache(maxsize=8_192)
def keys(artist: str, track: str) -> tuple[str, str]:
    """`track_key` and `artist_key` of a listen; kept, for a history plays the same over and over."""
    return recording_key(artist, track), fold_name(artist)


def heard(*, source: str, at: datetime, track: str, artist: str, album: str, **more: Any) -> Listen:
    """A listen with its keys."""
    track_key, artist_key = keys(artist, track)
    return Listen(
        source=source,
        listened_at=at,
        track=track,
        artist=artist,
        album=album or None,
        track_key=track_key,
        artist_key=artist_key,
        album_key=fold_name(album),
        **more,
    )
