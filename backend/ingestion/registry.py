"""The sources Tensoe asks. To add one: its class in its own file, and one line in `SOURCES`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, Final

from backend.config.settings import IngestionSettings
from backend.ingestion.dumps import Dump
from backend.ingestion.lastfm_fetcher import LastfmSource
from backend.ingestion.lastfm_listener import LastfmListener
from backend.ingestion.listenbrainz_fetcher import ListenBrainzSource
from backend.ingestion.listenbrainz_listener import ListenBrainzListener
from backend.ingestion.source import Source, SourceProfile
from backend.ingestion.tables.profiles import TABLE_PROFILES
from backend.ingestion.transport import Transport
from backend.models.tastes import HeardFrom
from backend.utils.errors import ConfigurationError

SOURCES: Final = (
    "spotify_fetcher:SpotifySource",
    "lastfm_fetcher:LastfmSource",
    "aoty_scraper:AotySource",
    "musicbrainz_fetcher:MusicBrainzSource",
    "listenbrainz_fetcher:ListenBrainzSource",
    "reccobeats_fetcher:ReccoBeatsSource",
    "acousticbrainz_fetcher:AcousticBrainzSource",
    "deezer_fetcher:DeezerSource",
    "demo_fetcher:DemoSource",
    "synthetic_fetcher:SyntheticSource",
)
"""The file below `backend/ingestion` and the class in it, one a line."""

DUMPS: Final = ("acousticbrainz_dump:AcousticBrainzDump",)
"""The classes of dump files (`ingestion.dumps`), likewise."""


@cache
def source_types() -> tuple[type[Source], ...]:
    """The classes of `SOURCES`.

    Raises:
        ConfigurationError: a line names none.
    """
    return tuple(_named(line) for line in SOURCES)


def build_dumps() -> dict[str, Dump]:
    """One of each registered kind of dump, by its source."""
    dumps: list[Dump] = [_named(line)() for line in DUMPS]
    return {dump.source: dump for dump in dumps}


def all_profiles(sources: Sequence[Source]) -> dict[str, SourceProfile]:
    """What is known of everybody whose values may be stored: the sources, and tables that people import."""
    return {**{s.profile.name: s.profile for s in sources}, **TABLE_PROFILES}


def _named(line: str) -> Any:
    module, _, name = line.partition(":")
    try:
        return getattr(import_module(f"backend.ingestion.{module}"), name)
    except (ImportError, AttributeError) as problem:
        raise ConfigurationError(f"the source {line!r} of backend/ingestion/registry.py: {problem}") from problem


def build_sources() -> list[Source]:
    """One of each registered source, with its settings read.

    Raises:
        ConfigurationError: a setting does not fit, a line names no class, or two sources have one name.
    """
    sources = [source() for source in source_types()]
    names = [s.profile.name for s in sources]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigurationError(f"two sources are called {', '.join(twice)} in backend/ingestion/registry.py")
    return sources


def build_listeners(
    sources: Sequence[Source], transports: Mapping[str, Transport]
) -> dict[HeardFrom, LastfmListener | ListenBrainzListener]:
    """Who is asked for listeners, each through the transport of the source that shares its service."""

    def transport(kind: type[Source]) -> Transport:
        (name,) = (s.profile.name for s in sources if isinstance(s, kind))
        return transports[name]

    return {
        HeardFrom.LASTFM: LastfmListener(transport(LastfmSource)),
        HeardFrom.LISTENBRAINZ: ListenBrainzListener(transport(ListenBrainzSource)),
    }


def in_use(sources: Sequence[Source], settings: IngestionSettings) -> list[Source]:
    """Those that are asked: the stand-ins only while the demo is on."""
    demo = demo_is_on(sources, settings)
    return [s for s in sources if demo or not s.profile.stand_in]


def demo_is_on(sources: Sequence[Source], settings: IngestionSettings) -> bool:
    """Whether the shipped demo catalogue takes part.

    `TENSOE_DEMO=auto` means on while no source that needs the user's key has one.
    """
    if settings.tensoe_demo != "auto":
        return settings.tensoe_demo == "on"
    return not any(s.profile.keyed and s.unconfigured() is None for s in sources)
