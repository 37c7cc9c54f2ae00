"""What a column may hold, and by which headers people call it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from backend.models.ingestion_models import AUDIO_FEATURES
from backend.utils.text import fold

Unit = Literal["", "ms", "seconds", "clock", "0..1", "0..100", "names", "list", "semicolon", "parted"]
"""How a column says it; empty where there is one way only."""

SHARES: Final = ("acousticness", "danceability", "energy", "instrumentalness", "liveness", "speechiness", "valence")
"""Audio features of 0 to 1, which some tables give in percent."""
_CREDITS: Final[tuple[Unit, ...]] = ("names", "list", "semicolon", "parted")
_SHARES: Final[tuple[Unit, ...]] = ("0..1", "0..100")
UNITS: Final[Mapping[str, tuple[Unit, ...]]] = {
    "duration_ms": ("ms", "seconds", "clock"),
    "artists": _CREDITS,
    "album_artist": _CREDITS,
    "tags": _CREDITS,
} | dict.fromkeys(SHARES, _SHARES)

# Folded headers by what they hold, the surest first.
SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "track_id": (
        "track id", "spotify track id", "spotify id", "track uri", "spotify track uri", "spotify uri", "trackid", "song id",
        "uri", "track url", "id",
    ),
    "title": (
        "track name", "track title", "song title", "song name", "song", "track", "title", "name", "trackname",
    ),
    "artists": (
        "track artist", "track artists", "artists", "artist s name", "artist names", "artist name s", "artist name", "artist",
        "artistname", "performer", "band",
    ),
    "album_id": (
        "track album id", "album id", "spotify album id", "album uri", "spotify album uri", "album url",
    ),
    "album": (
        "track album name", "album name", "album title", "album", "release title", "release name", "release", "albumname",
    ),
    "album_artist": (
        "album artist", "album artists", "album artist name", "album artist names", "album artist name s",
    ),
    "release_date": (
        "track album release date", "album release date", "release date", "released", "released date", "date",
    ),
    "year": ("year", "release year", "album year", "released year", "album release year"),
    "month": ("release month", "released month", "month"),
    "day": ("release day", "released day", "day"),
    "label": ("label", "record label", "labels"),
    "upc": ("upc", "barcode", "ean", "album upc"),
    "duration_ms": (
        "duration ms", "track duration ms", "duration", "track duration", "length", "song length", "track length", "time",
        "duration s", "duration sec", "duration seconds", "duration in seconds", "duration min", "length s", "duration msec",
    ),
    "explicit": ("explicit", "is explicit", "track explicit", "explicit lyrics"),
    "popularity": ("track popularity", "popularity", "song popularity", "spotify popularity"),
    "listeners": ("listeners", "lastfm listeners"),
    "isrc": ("isrc", "track isrc"),
    "disc_number": ("disc number", "disc", "disk number", "cd"),
    "track_number": ("track number", "track no", "track position", "track nr", "tracknumber"),
    "track_mbid": ("recording mbid", "recording id", "musicbrainz recording id", "track mbid", "mbid"),
    "album_mbid": ("release mbid", "album mbid", "musicbrainz album id", "musicbrainz release id"),
    "tags": (
        "playlist genre", "playlist subgenre", "track genre", "genre", "genres", "top genre", "artist genres", "tags", "subgenre",
        "album genres", "primary genres", "mood", "moods", "playlist genres", "music genre",
    ),
    "tag": ("tag", "tag name", "tagname"),
    "count": ("count", "tag count", "weight", "uses", "taggings"),
    "critic_score": ("aoty critic score", "critic score"),
    "critic_count": ("aoty critic reviews", "aoty critic count", "critic reviews", "critic ratings", "critic count"),
    "user_score": ("aoty user score", "user score"),
    "user_count": ("aoty user reviews", "aoty user ratings", "aoty user count", "user reviews", "user ratings", "user count"),
    **{name: (name.replace("_", " "),) for name in AUDIO_FEATURES},
}  # fmt: skip

SCORES: Final = frozenset({"critic_score", "critic_count", "user_score", "user_count"})
"""What tables of Album of the Year's scores hold; they have a reader of their own."""
MANY: Final = frozenset({"tags"})
"""What several columns may hold together."""
TEXTS: Final = ("title", "album", "label")
CREDITS: Final = ("artists", "album_artist")


def folded(header: str) -> str:
    """A header without case, underlines and signs.

    >>> folded("Duration (ms)"), folded("danceability_%"), folded("trackName")
    ('duration ms', 'danceability', 'trackname')
    """
    return fold(header.replace("_", " ").replace("%", " "))
