"""Album of the Year: critic and user scores, genres, ratings of tracks. Nothing that keeps robots out is evaded.

An album's page is taken from an address or a saved page that the user gives; the site's search, which robots.txt bars, is
used only when the user says that he may.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from dataclasses import replace
from typing import Final
from urllib.parse import urljoin, urlsplit

from cachetools import TTLCache
from pydantic import Field, model_validator

from backend.config.settings import SettingsGroup
from backend.ingestion.aoty_page import LayoutChangedError, read_page, read_search
from backend.ingestion.aoty_pairing import Pairing, linked, pair
from backend.ingestion.aoty_robots import Robots, check_page
from backend.ingestion.editions import without_edition
from backend.ingestion.matcher import Match, choose
from backend.ingestion.source import Payload, SourceProfile
from backend.ingestion.transport import Limits, Params, Transport
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Rights
from backend.utils.errors import (
    HintError,
    RecordNotFoundError,
    RejectedError,
    UnconfiguredError,
)

_SITE: Final = "https://www.albumoftheyear.org"
_HOSTS: Final = frozenset({"www.albumoftheyear.org", "albumoftheyear.org"})
LARGEST_PAGE: Final = 5_000_000
_PAGES_KEPT: Final = 1_000  # of some ten thousand characters each
_PAGE_SECONDS: Final = 3600.0
_LOCKS_KEPT: Final = 1_000
_ALBUM_PATH: Final = re.compile(r"/album/\d+(?:-[^/]*)?/?")


class AotySettings(SettingsGroup):
    """Where the site is, what may be asked there, and how slowly."""

    aoty_url: str = _SITE
    aoty_allow_search: bool = False
    aoty_seconds_between: float = Field(default=3.0, ge=0)

    @model_validator(mode="after")
    def _polite(self) -> AotySettings:
        if (urlsplit(self.aoty_url).hostname or "") in _HOSTS and self.aoty_seconds_between < 1:
            raise ValueError("AOTY_SECONDS_BETWEEN below 1 is for stand-ins only; the site asks for patience")
        return self


class AotySource:
    """Album of the Year as a source."""

    def __init__(self, settings: AotySettings | None = None) -> None:
        self._settings = settings or AotySettings.read()
        self._robots = Robots(self._settings.aoty_url)
        # Editions share a page there, and are searched for by the same words.
        self._read: TTLCache[str, str] = TTLCache(_PAGES_KEPT, _PAGE_SECONDS)
        self._reading: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

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
            hint="aoty_url",
            gives={**dict.fromkeys(own, 1.0), **dict.fromkeys(shared, 0.3), "tags": 0.9},
            fresh_days=14,
            limits=Limits(rate=rate, concurrent=2),
            # Without its search only the pages that the user names are asked for.
            typical_calls=1.5 if self._settings.aoty_allow_search else 0.0,
            terms="No licence is stated; its robots.txt bars searching, and a challenge may keep programs out.",
        )

    @property
    def settings(self) -> SettingsGroup:
        """See `Source`."""
        return self._settings

    def unconfigured(self) -> str | None:
        """See `Source`: an address or a page may come with each query, so it can always be asked."""
        return None

    async def probe(self, transport: Transport) -> None:
        """See `ingestion.probe`: its robots.txt."""
        await self._robots.read(transport)

    async def fetch(self, query: AlbumQuery, transport: Transport) -> Payload:
        """The page that the query names, or the one that the search finds.

        Raises:
            UnconfiguredError: no page is named and searching is not allowed.
            BlockedError: a challenge or robots.txt keeps us out.
            HintError: the page or address given is no album's, not this site's, or of another album.
        """
        saved, address = query.hints.get("aoty_html"), query.hints.get("aoty_url")
        if saved is not None:
            if len(saved) > LARGEST_PAGE:
                raise HintError(f"the saved page has {len(saved):,} characters; {LARGEST_PAGE:,} are the most")
            return _payload(saved, _given(saved, query))
        if address is not None:
            page = await self._page(self._own(address), transport)
            return _payload(page, _given(page, query))
        if not self._settings.aoty_allow_search:
            raise UnconfiguredError(
                "no page is named and robots.txt bars the search: give the album's address (aoty_url) or saved page "
                "(aoty_html), or set AOTY_ALLOW_SEARCH=true if you may"
            )
        found = await self._found(query, transport)
        page = await self._page(self._own(found.candidate.id), transport)
        return _payload(page, linked(read_page(page), query.known) or Pairing("name", found.score, found.penalties))

    def normalise(self, payload: Payload) -> AlbumRecord:
        """See `Source`.

        Raises:
            LayoutChangedError: the page lacks parts that must be there.
        """
        html, match = payload.get("html"), payload.get("match") or {}
        if not isinstance(html, str):
            raise LayoutChangedError("the payload has no page (html)")
        return replace(
            read_page(html),
            match_method=str(match.get("method", "page")),
            match_score=float(match.get("score", 1.0)),
            match_penalties=dict(match.get("penalties") or {}),
        )

    # -- asking ------------------------------------------------------------------------------------

    def _own(self, address: str) -> str:
        """The address on the configured site; any other is refused, so that nobody sends us elsewhere."""
        try:
            own, given = urlsplit(self._settings.aoty_url), urlsplit(address.strip())
            hosts = {(own.hostname, own.port), *((host, None) for host in _HOSTS)}
            is_ours = given.scheme in {"http", "https"} and (given.hostname, given.port) in hosts and not given.username
        except ValueError:
            is_ours = False
        if not is_ours:
            raise HintError(f"aoty_url must be an album's page such as {_SITE}/album/1234-artist-title.php")
        try:
            return self._at(_album_path(given.path))
        except RejectedError as problem:
            raise HintError(f"aoty_url: {problem}") from problem

    def _at(self, path: str) -> str:
        return f"{self._settings.aoty_url.rstrip('/')}/{path.lstrip('/')}"

    async def _found(self, query: AlbumQuery, transport: Transport) -> Match:
        """The search's nearest album, by the names known best; once, as the site asks for patience."""
        known = query.known
        artist, title = (known.artist, known.title) if known is not None else (query.artist, query.album)
        # It finds only what has every word, and knows editions seldom.
        params: dict[str, str | int] = {"q": f"{artist} {without_edition(title)}"}
        found = await self._once(self._at("search/albums/"), transport, params=params)
        # The search page's links are relative to the site's root; a person is shown addresses that he can open and give back.
        offered = [replace(c, id=urljoin(_SITE, c.id)) for c in read_search(found)]
        return choose(AlbumQuery(album=title, artist=artist, known=known), offered, source="aoty", hint="aoty_url")

    async def _page(self, url: str, transport: Transport) -> str:
        return await self._once(url, transport, params=None)

    async def _once(self, url: str, transport: Transport, *, params: Params | None) -> str:
        """A page's text; asked for once in a while, also by albums that run at once. Searches are the user's to allow."""
        key = f"{url} {params}"
        async with self._reading[key]:
            text = self._read.get(key)
            if text is None:
                if params is None:
                    await self._robots.obey(url, transport)
                text = self._read[key] = (await transport.get(url, params=params, check=check_page)).text()
        if len(self._reading) > _LOCKS_KEPT:
            self._reading.clear()
        return text


def _album_path(path: str) -> str:
    """The part of a path that names an album.

    Raises:
        RejectedError: it names none.
    """
    found = _ALBUM_PATH.fullmatch(path, path.find("/album/")) if "/album/" in path else None
    if found is None:
        raise RejectedError(f"{path!r} is no album's page; it should be like /album/1234-artist-title.php")
    return found[0]


def _payload(page: str, pairing: Pairing) -> Payload:
    match = {"method": pairing.method, "score": pairing.score, "penalties": pairing.penalties}
    return {"html": page, "match": match}


def _given(page: str, query: AlbumQuery) -> Pairing:
    """How a page that the caller gave fits the album he asked for.

    Raises:
        HintError: it is no album's page, or another album's.
    """
    try:
        found = read_page(page)
    except LayoutChangedError as problem:
        raise HintError(f"the page given for Album of the Year is {problem}") from problem
    try:
        return pair(found, query)
    except RecordNotFoundError as problem:
        raise HintError(
            f"the page given is of {found.title!r} by {found.artist!r}, not of {query.album!r} by {query.artist!r}"
        ) from problem
