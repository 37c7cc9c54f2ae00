"""The sources Tensoe asks. To add one: its class in its own file, and its line here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.config.settings import IngestionSettings
from backend.ingestion.aoty_scraper import AotySource
from backend.ingestion.demo_fetcher import DemoSource
from backend.ingestion.lastfm_fetcher import LastfmSource
from backend.ingestion.lastfm_listener import LastfmListener
from backend.ingestion.source import Source
from backend.ingestion.spotify_fetcher import SpotifySource
from backend.ingestion.synthetic_fetcher import SyntheticSource
from backend.ingestion.transport import Transport

SOURCES: tuple[type[Source], ...] = (SpotifySource, LastfmSource, AotySource, DemoSource, SyntheticSource)


def build_sources() -> list[Source]:
    """One of each registered source, with its settings read."""
    return [source() for source in SOURCES]


def build_listener(sources: Sequence[Source], transports: Mapping[str, Transport]) -> LastfmListener:
    """Who is asked for listeners, through the transport of the source that shares its service."""
    (name,) = (s.profile.name for s in sources if isinstance(s, LastfmSource))
    return LastfmListener(transports[name])


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
