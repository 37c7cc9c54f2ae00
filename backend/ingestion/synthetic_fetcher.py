"""Made-up audio features, popularity and scores for the demo's albums as a source, so that nothing hides as a fact."""

from __future__ import annotations

from functools import cache
from typing import Final

from backend.config.settings import SettingsGroup
from backend.demo import catalogue
from backend.demo.payload import read, write
from backend.demo.values import make_up
from backend.ingestion.source import Payload, SourceProfile
from backend.ingestion.transport import Transport
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Rights
from backend.utils.errors import RecordNotFoundError
from backend.utils.text import fold_name

_MADE_UP: Final = ("audio_features", "popularity", "critic_score", "critic_count", "user_score", "user_count")
# Not said of the demo's albums; albums that are made up altogether (demo/generator.py) have no other source.
_ALTOGETHER: Final = (
    "title", "artist", "release_date", "label", "tracks", "artists", "disc_number", "track_number", "duration_ms",
    "explicit", "isrc",
)  # fmt: skip
_PROFILE: Final = SourceProfile(
    name="synthetic",
    rights=Rights.SYNTHETIC,
    gives=dict.fromkeys(_MADE_UP, 0.1) | dict.fromkeys(_ALTOGETHER, 0.05) | {"tags": 1.0},
    stage="enrichment",
    stand_in=True,
    typical_calls=0,
    terms="Made up to show what the pages and tables look like; free for any use, but it says nothing about the music.",
)


class SyntheticSettings(SettingsGroup):
    """The made-up values need none; whether they take part is `TENSOE_DEMO`."""


class SyntheticSource:
    """Makes values up for the albums of the demo catalogue, the same ones every time."""

    def __init__(self, settings: SyntheticSettings | None = None) -> None:
        self._settings = settings or SyntheticSettings.read()

    @property
    def profile(self) -> SourceProfile:
        """What is known of it before asking."""
        return _PROFILE

    @property
    def settings(self) -> SyntheticSettings:
        """Its own group of settings: empty."""
        return self._settings

    def unconfigured(self) -> str | None:
        """Nothing is needed."""
        return None

    async def fetch(self, query: AlbumQuery, transport: Transport) -> Payload:
        """Make values up for the album that an identity source found.

        Raises:
            RecordNotFoundError: it is none of the demo's; a real album gets no made-up values.
        """
        known = query.known
        album = None if known is None else _by_names().get((fold_name(known.artist), fold_name(known.title)))
        if album is None:
            raise RecordNotFoundError("makes up values for the albums of the demo catalogue only")
        return write(make_up(album))

    def normalise(self, payload: Payload) -> AlbumRecord:
        """The record within a payload.

        Raises:
            MalformedReplyError: the payload is not of the demo's form.
        """
        return read(payload)


@cache
def _by_names() -> dict[tuple[str, str], AlbumRecord]:
    return {(fold_name(a.artist), fold_name(a.title)): a for a in catalogue.albums()}
