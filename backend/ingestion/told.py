"""What a source tells of an album, in a record whose every field is of its type, or that what it answered is none."""

from __future__ import annotations

from typing import Final

import msgspec
import structlog

from backend.ingestion.source import Source
from backend.ingestion.transport import Transport
from backend.models.ingestion_models import AlbumQuery, AlbumRecord
from backend.utils.errors import MalformedReplyError

log = structlog.get_logger(__name__)

# What Python says where a value of a reply is of another kind than its service's documentation says.
_OF_ANOTHER_KIND: Final = (TypeError, AttributeError, LookupError, ValueError, OverflowError, RecursionError)


async def told(source: Source, query: AlbumQuery, transport: Transport) -> AlbumRecord:
    """Ask a source for an album, and read its answer.

    A reader need not look at each value's kind: a number where a text should be, or a list in the place of an object, makes
    the whole reply malformed, and goes no further than here. The log has where it was found.

    Raises:
        MalformedReplyError: a value is of another kind than it should be; the message names what, or where.
        SourceError: as the source says.
    """
    name = source.profile.name
    try:
        record = source.normalise(await source.fetch(query, transport))
        # As it is stored and read again: each value's kind is looked at, and half a character (a lone surrogate) is no text.
        msgspec.json.decode(msgspec.json.encode(record), type=AlbumRecord)
    except _OF_ANOTHER_KIND as problem:
        log.warning("a reply is not of the form it should have", source=name, album=query.album, exc_info=problem)
        said = str(problem).splitlines()[0][:200] if str(problem) else type(problem).__name__
        raise MalformedReplyError(f"{name} answered something of another form than it should: {said}") from problem
    return record
