"""Searching a service for an album by words that forgive more and more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Final

from backend.ingestion.editions import without_edition
from backend.ingestion.matcher import Candidate, Match, choose
from backend.models.ingestion_models import AlbumQuery
from backend.utils.errors import AmbiguousError, RecordNotFoundError

_SURE: Final = 0.9  # of a match, above which a further search finds nothing nearer

Ask = Callable[[str], Awaitable[Sequence[Candidate]]]
"""Sends one search and reads the albums offered."""


async def search(
    query: AlbumQuery, phrases: Iterable[str], ask: Ask, *, source: str, hint: str = "", missing: str = ""
) -> Match:
    """The album meant, among all that searches offer; the first sure match ends them.

    Args:
        query: what is looked for.
        phrases: what to search for, the strictest first; equal ones are sent once.
        ask: sends one search.
        source: see `choose`.
        hint: see `choose`.
        missing: what to say when nothing at all is offered.

    Raises:
        RecordNotFoundError: as `choose`, over all that was offered.
        AmbiguousError: likewise.
    """
    offered: dict[str, Candidate] = {}
    found: Match | None = None
    failure: RecordNotFoundError | AmbiguousError = RecordNotFoundError(missing)
    for words in dict.fromkeys(filter(str.strip, phrases)):
        fresh = [c for c in await ask(words) if c.id not in offered]
        if not fresh:
            continue
        offered.update((c.id, c) for c in fresh)
        try:
            found = choose(query, list(offered.values()), source=source, hint=hint)
        except (RecordNotFoundError, AmbiguousError) as problem:
            failure, found = problem, None
        if found is not None and found.score >= _SURE:
            return found
    if found is None:
        raise failure
    return found


def plain_phrases(album: str, artist: str) -> Iterator[str]:
    """Words to search for where a service has no filters, or where they found nothing.

    A misspelt word hides an album from a search for all of its words, so the last ones leave out more and more.

    >>> list(plain_phrases("Abbey Road (Remastered)", "The Beatles"))
    ['Abbey Road (Remastered) The Beatles', 'Abbey Road', 'The Beatles']
    """
    yield f"{album} {artist}"
    yield without_edition(album)
    yield artist
