"""Laying a page or a row of Album of the Year onto an album: by the page's link to Spotify, else by names. Pure.

However a page came here (fetched, saved, uploaded), the same page laid onto the same album says the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from backend.ingestion.matcher import Candidate, choose
from backend.models.ingestion_models import AlbumQuery, AlbumRecord
from backend.utils.errors import RecordNotFoundError


@dataclass(frozen=True, slots=True)
class Pairing:
    """How a page was laid onto an album.

    Attributes:
        method: link: the page links to that very album at Spotify. page: a person gave it for the album, and the names
            agree. name: it was found by names.
        score: 0..1.
        penalties: named and weighted; they add up to 1 - score.
    """

    method: str
    score: float = 1.0
    penalties: dict[str, float] = field(default_factory=dict)


def linked(page: AlbumRecord, known: AlbumRecord | None) -> Pairing | None:
    """By the link to Spotify. Another link says nothing: the site has one page for all editions of an album."""
    link = page.ids.get("spotify")
    return Pairing("link") if link and known is not None and known.ids.get("spotify") == link else None


def pair(page: AlbumRecord, query: AlbumQuery) -> Pairing:
    """How a page that a person gives fits the album meant, by its names as asked for or as other services spell them.

    Raises:
        RecordNotFoundError: it is another album's.
    """
    if found := linked(page, query.known):
        return found
    offered = [Candidate(page.ids.get("aoty", ""), page.artist, page.title)]
    try:
        match = choose(AlbumQuery(album=query.album, artist=query.artist), offered)
    except RecordNotFoundError:
        if query.known is None:
            raise
        match = choose(AlbumQuery(album=query.known.title, artist=query.known.artist), offered)
    return Pairing("page", match.score, match.penalties)
