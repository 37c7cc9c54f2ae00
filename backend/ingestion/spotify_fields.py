"""Which fields of Spotify's objects we know, so that new ones are noticed; they are never an error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, Literal

import structlog

log = structlog.get_logger(__name__)

Thing = Literal["album", "page", "track", "artist", "audio_features"]

_LINK: Final = frozenset({"external_urls", "href", "id", "type", "uri"})
# Of the OpenAPI description as of May 2026, with what development mode leaves out and what markets add.
_KNOWN: Final[Mapping[Thing, frozenset[str]]] = {
    "album": _LINK
    | {"album_type", "total_tracks", "images", "name", "release_date", "release_date_precision", "restrictions"}
    | {"artists", "tracks", "copyrights", "external_ids", "genres", "label", "popularity", "available_markets"}
    | {"album_group", "is_playable"},
    "page": frozenset({"href", "limit", "next", "offset", "previous", "total", "items", "cursors"}),
    "track": _LINK
    | {"artists", "disc_number", "duration_ms", "explicit", "is_playable", "restrictions", "name", "preview_url"}
    | {"track_number", "is_local", "available_markets", "linked_from", "album", "external_ids", "popularity"}
    | {"episode", "track"},
    "artist": _LINK | {"genres", "images", "name", "popularity", "followers"},
    "audio_features": frozenset({"id", "uri", "track_href", "analysis_url", "type", "duration_ms"})
    | {"acousticness", "danceability", "energy", "instrumentalness", "key", "liveness", "loudness", "mode"}
    | {"speechiness", "tempo", "time_signature", "valence"},
}
_MOST_NAMES: Final = 200  # counted one by one, so that a service gone mad cannot fill the memory


class FieldWatch:
    """Counts the fields that nobody here knows, and names each of them once in the log.

    Attributes:
        unknown: how often each was seen, as "album.mood".
    """

    def __init__(self) -> None:
        self.unknown: Counter[str] = Counter()

    def look(self, thing: Thing, objects: Iterable[object]) -> None:
        """Look at objects of one kind; whatever is no object is passed over."""
        for found in objects:
            if not isinstance(found, Mapping):
                continue
            for name in found.keys() - _KNOWN[thing]:
                self._count(f"{thing}.{name}")

    def _count(self, name: str) -> None:
        if name not in self.unknown:
            if len(self.unknown) >= _MOST_NAMES:
                name = "…"
            else:
                log.info("a field that Tensoe does not know; it is passed over", source="spotify", field=name[:100])
        self.unknown[name] += 1
