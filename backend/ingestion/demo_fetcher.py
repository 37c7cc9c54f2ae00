"""The shipped demo catalogue as a source: facts about well-known albums, asked without any network."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Final

from backend.config.settings import SettingsGroup
from backend.demo import catalogue
from backend.demo.payload import read, write
from backend.ingestion.matcher import Candidate, choose
from backend.ingestion.source import Payload, SourceProfile
from backend.ingestion.transport import Transport
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Rights

_PROFILE: Final = SourceProfile(
    name="demo",
    rights=Rights.OPEN,
    # Any real source is to be believed before it; it is above the made-up values alone.
    gives=dict.fromkeys(
        ("title", "artist", "release_date", "label", "tracks", "artists", "disc_number", "track_number", "duration_ms"),
        0.2,
    )
    | {"tags": 1.0},
    stage="identity",
    defines=True,
    stand_in=True,
    typical_calls=0,
    terms="Names, numbers and dates of well-known albums, written out for this project; free for any use.",
)


class DemoSettings(SettingsGroup):
    """The demo needs none; whether it takes part is `TENSOE_DEMO`."""


class DemoSource:
    """Knows the albums of the demo catalogue and nothing else."""

    def __init__(self, settings: DemoSettings | None = None) -> None:
        self._settings = settings or DemoSettings.read()

    @property
    def profile(self) -> SourceProfile:
        """What is known of it before asking."""
        return _PROFILE

    @property
    def settings(self) -> DemoSettings:
        """Its own group of settings: empty."""
        return self._settings

    def unconfigured(self) -> str | None:
        """Nothing is needed."""
        return None

    async def fetch(self, query: AlbumQuery, transport: Transport) -> Payload:
        """Look an album up by its names, in any usual spelling.

        Raises:
            RecordNotFoundError: the catalogue does not have it.
            AmbiguousError: the names fit several of its albums alike.
        """
        match = choose(query, _candidates())
        album = catalogue.albums()[int(match.candidate.id)]
        return write(replace(album, match_score=match.score))

    def normalise(self, payload: Payload) -> AlbumRecord:
        """The record within a payload.

        Raises:
            MalformedReplyError: the payload is not of the catalogue's form.
        """
        return read(payload)


@cache
def _candidates() -> tuple[Candidate, ...]:
    return tuple(
        Candidate(
            id=str(place),
            artist=album.artist,
            title=album.title,
            year=int((album.release_date or "0")[:4]) or None,
            total_tracks=len(album.tracks),
        )
        for place, album in enumerate(catalogue.albums())
    )
