"""Asking Last.fm about the tracks of one album: tags of each, and listeners of those that nobody else has counted."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from cachetools import TTLCache

from backend.ingestion.artists import artist_difference
from backend.ingestion.editions import without_edition
from backend.ingestion.lastfm_client import LastfmSettings, call
from backend.ingestion.lastfm_wire import Json, listed, name_of, number
from backend.ingestion.transport import Transport
from backend.utils.errors import RecordNotFoundError

NO_TAGS: Final[Mapping[str, Any]] = {"toptags": {"tag": []}}
_KEPT: Final = 20_000  # answers of some kilobytes each
_KEPT_SECONDS: Final = 6 * 3600.0
_ANOTHER: Final = 0.5  # an answer whose artist is this far from the one asked for speaks of somebody else


class Answers:
    """What was answered a while ago: an artist's song on two albums is asked for once, also by albums that run at once."""

    def __init__(self) -> None:
        self.found: TTLCache[tuple[str, ...], dict[str, Any] | None] = TTLCache(_KEPT, _KEPT_SECONDS)
        self.asking: defaultdict[tuple[str, ...], asyncio.Lock] = defaultdict(asyncio.Lock)

    def forget_locks(self) -> None:
        """Drop the locks that nobody holds, once there are many."""
        if len(self.asking) > _KEPT:
            for key in [key for key, lock in self.asking.items() if not lock.locked()]:
                del self.asking[key]


class TrackAsker:
    """Asks about tracks; what several of them share is asked once.

    Args:
        settings: with a key.
        transport: Last.fm's.
        answers: of other albums, too.
    """

    def __init__(self, settings: LastfmSettings, transport: Transport, answers: Answers) -> None:
        self._settings = settings
        self._transport = transport
        self._answers = answers

    async def about(self, artist: str, title: str, *, count: bool) -> dict[str, Any]:
        """The weighted tags of a track, and its own entry when `count` asks for its listeners.

        Under its plain title when its edition's has no tags ("… - Remastered 2009"); of two entries the one that more people
        listen to is taken, as both are the same recording. A track that Last.fm does not know, or has no tags for, is not
        asked for its tags a second time.
        """
        entries, tags = [], dict(NO_TAGS)
        for name in dict.fromkeys((title, without_edition(title))):
            if count:
                entry = await self._entry(artist, name)
                if entry is None:
                    continue
                entries.append(entry)
                if not listed(entry.get("toptags"), "tag"):
                    continue
            tags = await self.tags("track.getTopTags", artist=artist, track=name)
            if listed(tags.get("toptags") or tags.get("tags"), "tag"):
                break
        return {"tags": tags, "info": max(entries, key=lambda e: number(e.get("listeners")) or 0, default=None)}

    async def tags(self, method: str, **names: str) -> dict[str, Any]:
        """The tags of something that may be unknown though its album is known."""
        return await self._once(method, ("toptags", "tags"), names) or dict(NO_TAGS)

    async def _entry(self, artist: str, title: str) -> dict[str, Any] | None:
        reply = await self._once("track.getInfo", ("track",), {"artist": artist, "track": title})
        entry = (reply or {}).get("track")
        return entry if isinstance(entry, dict) and entry.get("name") else None

    async def _once(self, method: str, roots: tuple[str, ...], names: Mapping[str, str]) -> dict[str, Any] | None:
        key = (method, *names.values())
        self._answers.forget_locks()
        async with self._answers.asking[key]:
            if key not in self._answers.found:
                try:
                    reply = await call(
                        self._settings, self._transport, method, roots=roots, params={**names, "autocorrect": 1}
                    )
                except RecordNotFoundError:
                    answer = None
                else:
                    answer = reply if _is_of(reply, names["artist"]) else None
                self._answers.found[key] = answer
                return answer
            return self._answers.found[key]


def _is_of(reply: Json, artist: str) -> bool:
    """Whether an answer is about the artist asked for, a corrected spelling included.

    `autocorrect` may lead to somebody else, and Last.fm has been seen to give another question's answer.
    """
    root: Json = next((reply[r] for r in ("toptags", "tags", "track") if isinstance(reply.get(r), Mapping)), {})
    attributes = root.get("@attr")
    said = name_of(attributes.get("artist")) if isinstance(attributes, Mapping) else name_of(root.get("artist"))
    return not said or artist_difference(artist, said) < _ANOTHER
