"""What is known of tables as sources: nobody is asked, but their values have rights and a precedence like everybody's."""

from __future__ import annotations

from typing import Final

from backend.ingestion.source import SourceProfile
from backend.models.ingestion_models import Rights

# A table seldom has all tracks of an album, and is as old as it is: any service's own word on names and lists goes before it.
_NAMES: Final = dict.fromkeys(
    ("title", "artist", "release_date", "label", "upc", "tracks", "artists", "disc_number", "track_number"), 0.15
)
_FIGURES: Final = {"duration_ms": 0.15, "explicit": 0.3, "popularity": 0.15, "listeners": 0.15, "isrc": 0.3}
_GIVES: Final = _NAMES | _FIGURES | {"audio_features": 0.3, "tags": 0.5}


def _table(name: str, rights: Rights, terms: str) -> SourceProfile:
    return SourceProfile(name=name, rights=rights, gives=_GIVES, terms=terms)


SPOTIFY_TABLE: Final = SourceProfile(
    name="spotify_table",
    rights=Rights.RESTRICTED,
    # The features are Spotify's own, as it no longer gives them to new applications.
    gives=_GIVES | {"audio_features": 0.95},
    terms="Spotify's content, whoever passes it on: its terms bar machine learning.",
)
LASTFM_TABLE: Final = SourceProfile(
    name="lastfm_table",
    rights=Rights.NONCOMMERCIAL,
    gives={"tags": 0.6},
    terms="Last.fm's tags, whoever passes them on: non-commercial use only.",
)
_BY_RIGHTS: Final = {
    Rights.UNKNOWN: _table("table", Rights.UNKNOWN, "A table that was imported without saying what its terms allow."),
    Rights.OPEN: _table("table_open", Rights.OPEN, "A table of which who imported it said that it is open."),
    Rights.NONCOMMERCIAL: _table(
        "table_noncommercial", Rights.NONCOMMERCIAL, "A table of which who imported it said: non-commercial use only."
    ),
    Rights.RESTRICTED: _table(
        "table_restricted",
        Rights.RESTRICTED,
        "A table of which who imported it said that its terms bar machine learning.",
    ),
}
TABLE_PROFILES: Final = {p.name: p for p in (SPOTIFY_TABLE, LASTFM_TABLE, *_BY_RIGHTS.values())}
"""By name; they count when rows are merged, and are never asked."""


def table_with(rights: Rights) -> SourceProfile:
    """The profile of a table with these rights.

    Raises:
        KeyError: the rights are of no table (made-up values).
    """
    return _BY_RIGHTS[rights]
