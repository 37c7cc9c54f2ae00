"""What Album of the Year lets programs do: robots.txt, and the challenge that keeps them out. Neither is evaded."""

from __future__ import annotations

import asyncio
import time
from typing import Final
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

from backend.ingestion.transport import Reply, ShutOutError, Transport, user_agent
from backend.utils.errors import BlockedError, MalformedReplyError, RecordNotFoundError, RejectedError

_SECONDS: Final = 24 * 3600.0  # for which what it says holds (RFC 9309, section 2.4)
_LONGEST_DELAY: Final = 60.0  # seconds between two pages that are still waited for
_CHALLENGED: Final = (
    "Album of the Year answers with a challenge, which is not evaded; save the album's page in your browser "
    "and give it as aoty_html (tensoe ingest --aoty-page, or tensoe import aoty for many)"
)


class Robots:
    """The site's robots.txt, read once a day.

    Args:
        site: its address; a stand-in may have a path before the site's root.
    """

    def __init__(self, site: str) -> None:
        self._site = site.rstrip("/")
        self._rules: RobotFileParser | None = None
        self._until = 0.0
        self._next_page = 0.0  # when its Crawl-delay lets the next page be asked for
        self._reading = asyncio.Lock()

    async def obey(self, url: str, transport: Transport) -> None:
        """Wait for as long as it wants between pages.

        Raises:
            BlockedError: it bars the address, may not be read, or wants longer waits than we have patience for.
        """
        async with self._reading:
            if self._rules is None or time.monotonic() > self._until:
                self._rules = await self.read(transport)
                self._until = time.monotonic() + _SECONDS
            # A stand-in's path before the site's root is no part of what robots.txt speaks of.
            path = urlsplit(url).path.removeprefix(urlsplit(self._site).path)
            host = urlsplit(url).netloc
            if not self._rules.can_fetch(user_agent(), path):
                raise BlockedError(f"robots.txt of {host} bars {path}")
            delay = float(self._rules.crawl_delay(user_agent()) or 0)
            if delay > _LONGEST_DELAY:
                raise BlockedError(f"robots.txt of {host} wants {delay:g} s between pages; save the pages yourself")
            await asyncio.sleep(max(0.0, self._next_page - time.monotonic()))
            self._next_page = time.monotonic() + delay

    async def read(self, transport: Transport) -> RobotFileParser:
        """Ask for the rules.

        Raises:
            BlockedError: a challenge keeps us out, or they may not be read.
        """
        rules = RobotFileParser()
        try:
            said = (await transport.get(f"{self._site}/robots.txt", check=_check_rules)).text()
        except RecordNotFoundError:
            said = ""  # none there: everything is allowed (RFC 9309, section 2.3.1.3)
        rules.parse(said.splitlines())
        return rules


def check_page(reply: Reply) -> None:
    """Raise what the answer to a page says."""
    if reply.is_challenge:
        raise ShutOutError(_CHALLENGED)
    if reply.is_fault:
        return
    if reply.status == 404:
        raise RecordNotFoundError(f"no page at {reply.url}")
    if reply.status != 200:
        raise RejectedError(f"{reply.url} answered {reply.status}")
    if b"</html>" not in reply.body[-2000:].lower():
        raise MalformedReplyError(f"{reply.url} answered an unfinished page")


def _check_rules(reply: Reply) -> None:
    if reply.is_challenge:
        raise ShutOutError(_CHALLENGED)
    if reply.is_fault:
        return
    if reply.status in {401, 403}:
        raise ShutOutError("Album of the Year keeps programs out: its robots.txt may not be read")
    if reply.status >= 400:
        raise RecordNotFoundError("no robots.txt")
    if reply.body.lstrip().startswith(b"<"):
        raise MalformedReplyError(f"{reply.url} answered a page instead of rules")
