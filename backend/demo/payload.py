"""The wire form of the two demo sources: a record as plain JSON values."""

from __future__ import annotations

from typing import Any

import msgspec

from backend.models.ingestion_models import AlbumRecord
from backend.utils.errors import MalformedReplyError


def write(album: AlbumRecord) -> dict[str, Any]:
    """A record as a payload: `{"album": {…}}`."""
    return {"album": msgspec.to_builtins(album)}


def read(payload: dict[str, Any]) -> AlbumRecord:
    """The record of a payload.

    Raises:
        MalformedReplyError: it is not of the form that `write` gives; the message names the part.
    """
    try:
        return msgspec.convert(payload, dict[str, AlbumRecord])["album"]
    except msgspec.ValidationError as problem:
        raise MalformedReplyError(f"the demo's payload does not fit: {problem}") from problem
    except KeyError as problem:
        raise MalformedReplyError("the demo's payload has no 'album'") from problem
