"""Album of the Year: critic and user scores, genres, ratings of tracks. Nothing that keeps robots out is evaded.

An album's page is taken from an address or a saved page that the user gives; the site's search, which robots.txt bars, is
used only when the user says that he may.
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import replace
from typing import Final
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

from pydantic import Field, model_validator

from backend.config.settings import SettingsGroup
from backend.ingestion.aoty_page import PARSER_VERSION, LayoutChangedError, read_page, read_search
from backend.ingestion.editions import without_edition
from backend.ingestion.matcher import Candidate, Match, choose
from backend.ingestion.source import Payload, SourceProfile
from backend.ingestion.transport import Limits, Reply, ShutOutError, Transport, user_agent
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Rights
from backend.utils.errors import (
    BlockedError,
    HintError,
    MalformedReplyError,
    RecordNotFoundError,
    RejectedError,
    UnconfiguredError,
)

_SITE: Final = "https://www.albumoftheyear.org"
_HOSTS: Final = frozenset({"www.albumoftheyear.org", "albumoftheyear.org"})
_ROBOTS_SECONDS: Final = 24 * 3600.0
_LARGEST_PAGE: Final = 5_000_000
_ALBUM_PATH: Final = re.compile(r"/album/\d+(?:-[^/]*)?/?")
_CHALLENGED: Final = (
    "Album of the Year answers with a challenge, which is not evaded; save the album's page in your browser "
    "and give it as aoty_html (tensoe ingest --aoty-page)"
)


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
        self._robots: RobotFileParser | None = None
        self._robots_until = 0.0
        self._reading = asyncio.Lock()

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
            HintError: the page or address given is no album's, not this site's, or of another album.
        """
        saved, address = query.hints.get("aoty_html"), query.hints.get("aoty_url")
        if saved is not None:
            if len(saved) > _LARGEST_PAGE:
                raise HintError(f"the saved page has {len(saved):,} characters; {_LARGEST_PAGE:,} are the most")
            return {"html": saved, "match": {"method": "saved page", "score": _agreement(saved, query)}}
        if address is not None:
            page = await self._page(self._own(address), transport)
            return {"html": page, "match": {"method": "address", "score": _agreement(page, query)}}
        if not self._settings.aoty_allow_search:
            raise UnconfiguredError(
                "no page is named and robots.txt bars the search: give the album's address (aoty_url) or saved page "
                "(aoty_html), or set AOTY_ALLOW_SEARCH=true if you may"
            )
        match = await self._found(query, transport)
        # Links of the search page are relative to the site's root, whatever path a stand-in has before it.
        page = await self._page(self._at(_album_path(urljoin("/", match.candidate.id))), transport)
        return {"html": page, "match": {"method": "name", "score": match.score}}

    def normalise(self, payload: Payload) -> AlbumRecord:
        """See `Source`.

        Raises:
            LayoutChangedError: the page lacks parts that must be there.
        """
        html, match = payload.get("html"), payload.get("match") or {}
        if not isinstance(html, str):
            raise LayoutChangedError("the payload has no page (html)")
        method = f"{match.get('method', 'saved page')}, parser {PARSER_VERSION}"
        return replace(read_page(html), match_method=method, match_score=float(match.get("score", 1.0)))

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
        reply = await transport.get(self._at("search/albums/"), params=params, check=_check)
        return choose(AlbumQuery(album=title, artist=artist, known=known), read_search(reply.text()))

    async def _page(self, url: str, transport: Transport) -> str:
        await self._obey_robots(url, transport)
        return (await transport.get(url, check=_check)).text()

    async def _obey_robots(self, url: str, transport: Transport) -> None:
        async with self._reading:
            if self._robots is None or time.monotonic() > self._robots_until:
                self._robots = await self._read_robots(transport)
                self._robots_until = time.monotonic() + _ROBOTS_SECONDS
        # A stand-in's path before the site's root is no part of what robots.txt speaks of.
        path = urlsplit(url).path.removeprefix(urlsplit(self._settings.aoty_url).path.rstrip("/"))
        if not self._robots.can_fetch(user_agent(), path):
            raise BlockedError(f"robots.txt of {urlsplit(url).netloc} bars {path}")

    async def _read_robots(self, transport: Transport) -> RobotFileParser:
        robots = RobotFileParser()
        try:
            text = (await transport.get(self._at("robots.txt"), check=_check_robots)).text()
        except RecordNotFoundError:
            text = ""  # none there: everything is allowed (RFC 9309, section 2.3.1.3)
        robots.parse(text.splitlines())
        return robots


def _album_path(path: str) -> str:
    """The part of a path that names an album.

    Raises:
        RejectedError: it names none.
    """
    found = _ALBUM_PATH.fullmatch(path, path.find("/album/")) if "/album/" in path else None
    if found is None:
        raise RejectedError(f"{path!r} is no album's page; it should be like /album/1234-artist-title.php")
    return found[0]


def _check(reply: Reply) -> None:
    if _is_challenge(reply):
        raise ShutOutError(_CHALLENGED)
    if reply.is_fault:
        return
    if reply.status == 404:
        raise RecordNotFoundError(f"no page at {reply.url}")
    if reply.status != 200:
        raise RejectedError(f"{reply.url} answered {reply.status}")
    if b"</html>" not in reply.body[-2000:].lower():
        raise MalformedReplyError(f"{reply.url} answered an unfinished page")


def _check_robots(reply: Reply) -> None:
    if _is_challenge(reply):
        raise ShutOutError(_CHALLENGED)
    if reply.is_fault:
        return
    if reply.status in {401, 403}:
        raise ShutOutError("Album of the Year keeps programs out: its robots.txt may not be read")
    if reply.status >= 400:
        raise RecordNotFoundError("no robots.txt")
    if reply.body.lstrip().startswith(b"<"):
        raise MalformedReplyError(f"{reply.url} answered a page instead of rules")


def _is_challenge(reply: Reply) -> bool:
    return "cf-mitigated" in reply.headers or (reply.status in {403, 503} and b"Just a moment..." in reply.body)


def _agreement(html: str, query: AlbumQuery) -> float:
    """How well a page that the caller gave fits the album he asked for, 0..1.

    Raises:
        HintError: it is no album's page, or another album's.
    """
    try:
        page = read_page(html)
        return choose(query, [Candidate(page.ids["aoty"], page.artist, page.title)]).score
    except LayoutChangedError as problem:
        raise HintError(f"the page given for Album of the Year is {problem}") from problem
    except RecordNotFoundError as problem:
        raise HintError(
            f"the page given is of {page.title!r} by {page.artist!r}, not of {query.album!r} by {query.artist!r}"
        ) from problem
