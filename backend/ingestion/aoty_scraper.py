"""Album of the Year: critic and user scores, genres, ratings of tracks. Nothing that keeps robots out is evaded.

An album's page is taken from an address or a saved page that the user gives; the site's search, which robots.txt bars, is
used only when the user says that he may.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

from pydantic import Field, model_validator

from backend.config.settings import SettingsGroup
from backend.ingestion.aoty_page import LayoutChangedError, read_page, read_search
from backend.ingestion.matcher import choose
from backend.ingestion.source import Payload, SourceProfile
from backend.ingestion.transport import USER_AGENT, Limits, Reply, Transport
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Rights
from backend.utils.errors import (
    BlockedError,
    RecordNotFoundError,
    RejectedError,
    ServerFaultError,
    UnconfiguredError,
)

_SITE: Final = "https://www.albumoftheyear.org"
_BLOCKED_SECONDS: Final = 60.0  # for which a challenge is not asked again
_ROBOTS_SECONDS: Final = 24 * 3600.0
_LARGEST_PAGE: Final = 5_000_000


class AotySettings(SettingsGroup):
    """Where the site is, what may be asked there, and how slowly."""

    aoty_url: str = _SITE
    aoty_allow_search: bool = False
    aoty_seconds_between: float = Field(default=3.0, ge=0)

    @model_validator(mode="after")
    def _polite(self) -> AotySettings:
        if self.aoty_url.rstrip("/") == _SITE and self.aoty_seconds_between < 1:
            raise ValueError("AOTY_SECONDS_BETWEEN below 1 is for stand-ins only; the site asks for patience")
        return self


class AotySource:
    """Album of the Year as a source."""

    def __init__(self, settings: AotySettings | None = None) -> None:
        self._settings = settings or AotySettings.read()
        self._robots: RobotFileParser | None = None
        self._robots_until = 0.0
        self._reading = asyncio.Lock()
        self._blocked_until = 0.0
        self._blocked_why = ""

    @property
    def profile(self) -> SourceProfile:
        """See `Source`."""
        own = ("critic_score", "critic_count", "user_score", "user_count", "rating", "label")
        shared = ("title", "artist", "tracks", "release_date", "duration_ms")
        # Nothing at all between requests is for stand-ins; a rate must still be a number.
        rate = 1 / self._settings.aoty_seconds_between if self._settings.aoty_seconds_between else 10_000.0
        return SourceProfile(
            name="aoty",
            rights=Rights.UNKNOWN,
            gives={**dict.fromkeys(own, 1.0), **dict.fromkeys(shared, 0.3), "tags": 0.9},
            limits=Limits(rate=rate, concurrent=2),
            terms="No licence is stated; its robots.txt bars searching, and a challenge may keep programs out.",
        )

    @property
    def settings(self) -> SettingsGroup:
        """See `Source`."""
        return self._settings

    def unconfigured(self) -> str | None:
        """See `Source`: an address or a page may come with each query, so it can always be asked."""
        return None

    async def fetch(self, query: AlbumQuery, transport: Transport) -> Payload:
        """The page that the query names, or the one that the search finds.

        Raises:
            UnconfiguredError: no page is named and searching is not allowed.
            BlockedError: a challenge or robots.txt keeps us out.
        """
        saved, address = query.hints.get("aoty_html"), query.hints.get("aoty_url")
        if saved is not None:
            if len(saved) > _LARGEST_PAGE:
                raise RejectedError(f"the saved page has {len(saved):,} characters; {_LARGEST_PAGE:,} are the most")
            return {"html": saved}
        if address is not None:
            return {"html": await self._page(self._own(address), transport)}
        if not self._settings.aoty_allow_search:
            raise UnconfiguredError(
                "no page is named and robots.txt bars the search: give the album's address (aoty_url) or saved page "
                "(aoty_html), or set AOTY_ALLOW_SEARCH=true if you may"
            )
        return {"html": await self._searched(query, transport)}

    def normalise(self, payload: Payload) -> AlbumRecord:
        """See `Source`.

        Raises:
            LayoutChangedError: the page lacks parts that must be there.
        """
        html = payload.get("html")
        if not isinstance(html, str):
            raise LayoutChangedError("the payload has no page (html)")
        return read_page(html)

    # -- asking ------------------------------------------------------------------------------------

    def _own(self, address: str) -> str:
        """The address on the configured site; any other is refused, so that nobody sends us elsewhere."""
        own, given = urlsplit(self._settings.aoty_url), urlsplit(address)
        allowed = {own.netloc, urlsplit(_SITE).netloc, urlsplit(_SITE).netloc.removeprefix("www.")}
        if given.scheme not in {"http", "https"} or given.netloc not in allowed or "/album/" not in given.path:
            raise RejectedError(f"aoty_url must be an album's page such as {_SITE}/album/1234-artist-title.php")
        return self._at(given.path[given.path.index("/album/") :])

    def _at(self, path: str) -> str:
        return f"{self._settings.aoty_url.rstrip('/')}/{path.lstrip('/')}"

    async def _searched(self, query: AlbumQuery, transport: Transport) -> str:
        names = query.known or query
        artist = names.artist
        title = query.known.title if query.known else query.album
        words = f"{artist} {title}"
        reply = await self._get(self._at("search/albums/"), transport, params={"q": words})
        wanted = AlbumQuery(album=title, artist=artist)
        match = choose(wanted, read_search(reply.text()))
        # Links of the search page are relative to the site's root.
        path = urlsplit(urljoin("/", match.candidate.id)).path
        return await self._page(self._at(path[path.index("/album/") :]), transport)

    async def _page(self, url: str, transport: Transport) -> str:
        await self._obey_robots(url, transport)
        return (await self._get(url, transport)).text()

    async def _get(self, url: str, transport: Transport, *, params: dict[str, str | int] | None = None) -> Reply:
        if time.monotonic() < self._blocked_until:
            raise BlockedError(self._blocked_why)
        return await transport.get(url, params=params, check=self._check)

    def _check(self, reply: Reply) -> None:
        if "cf-mitigated" in reply.headers or (reply.status == 403 and b"Just a moment" in reply.body):
            self._blocked_until = time.monotonic() + _BLOCKED_SECONDS
            self._blocked_why = (
                "Album of the Year answers with a challenge, which is not evaded; save the album's page in your browser "
                "and give it as aoty_html (tensoe ingest --aoty-page)"
            )
            raise BlockedError(self._blocked_why)
        if reply.status == 404:
            raise RecordNotFoundError(f"no page at {reply.url}")
        if reply.status != 200:
            raise RejectedError(f"{reply.url} answered {reply.status}")
        if not reply.body.rstrip().endswith(b">"):
            raise ServerFaultError(f"{reply.url} answered an unfinished page")

    async def _obey_robots(self, url: str, transport: Transport) -> None:
        async with self._reading:
            if self._robots is None or time.monotonic() > self._robots_until:
                self._robots = await self._read_robots(transport)
                self._robots_until = time.monotonic() + _ROBOTS_SECONDS
        # A stand-in's path before the site's root is no part of what robots.txt speaks of.
        path = urlsplit(url).path.removeprefix(urlsplit(self._settings.aoty_url).path.rstrip("/"))
        if not self._robots.can_fetch(USER_AGENT, path):
            raise BlockedError(f"robots.txt of {urlsplit(url).netloc} bars {path}")

    async def _read_robots(self, transport: Transport) -> RobotFileParser:
        robots = RobotFileParser()
        try:
            text = (await transport.get(self._at("robots.txt"), check=_check_robots)).text()
        except RecordNotFoundError:
            text = ""  # none there: everything is allowed (RFC 9309, section 2.3.1.3)
        robots.parse(text.splitlines())
        return robots


def _check_robots(reply: Reply) -> None:
    if "cf-mitigated" in reply.headers or reply.status in {401, 403}:
        raise BlockedError("Album of the Year keeps programs out (robots.txt cannot be read)")
    if reply.status >= 400:
        raise RecordNotFoundError("no robots.txt")
