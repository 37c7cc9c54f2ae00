"""Checking the names of albums that are asked for."""

from __future__ import annotations

from typing import Final

from backend.models.ingestion_models import AlbumQuery
from backend.utils.errors import InvalidInputError
from backend.utils.text import squeeze

_MAX_NAME: Final = 500


def check_query(query: AlbumQuery) -> AlbumQuery:
    """The query with its names tidied.

    Raises:
        InvalidInputError: a name is empty, too long or not text; the message says which.
    """
    album, artist = _check_name("album_name", query.album), _check_name("artist_name", query.artist)
    hints = {name: _check_text(name, text).replace("\0", "") for name, text in query.hints.items()}
    return AlbumQuery(album=album, artist=artist, hints=hints)


def _check_text(field: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInputError(f"{field} holds half a character (a lone surrogate); send valid Unicode") from None
    return text


def _check_name(field: str, name: str) -> str:
    _check_text(field, name)
    tidy = squeeze(name)
    if not tidy:
        raise InvalidInputError(f"{field} is empty; give the name as it stands on the cover")
    if len(tidy) > _MAX_NAME:
        raise InvalidInputError(f"{field} has {len(tidy):,} characters; {_MAX_NAME} are the most")
    return tidy


def check_numbered(position: int, query: AlbumQuery) -> AlbumQuery:
    """The query with its names tidied; what is wrong names its place in the list.

    Raises:
        InvalidInputError: as `check_query`.
    """
    try:
        return check_query(query)
    except InvalidInputError as problem:
        raise InvalidInputError(f"album {position} of the list: {problem}") from problem
