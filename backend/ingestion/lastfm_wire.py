"""Reading Last.fm's JSON, a mechanical translation of XML.

Numbers come as strings or numbers, one item comes bare instead of in a list, an empty container may be "" or missing, and errors
come with status 200. Wire forms: www.last.fm/api, lastfm-docs.github.io/api-docs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backend.ingestion.transport import Reply
from backend.models.ingestion_models import Level, Tag
from backend.utils.errors import (
    BlockedError,
    MalformedReplyError,
    RateLimitedError,
    RecordNotFoundError,
    RejectedError,
    ServerFaultError,
    UnconfiguredError,
)

Json = Mapping[str, Any]

_KEY_REFUSED: Final = frozenset({10, 13, 26})  # invalid, wrong signature, suspended
_PASSING: Final = frozenset({8, 11, 16})  # operation failed, offline, temporarily unavailable
_RATE: Final = 29
_PRIVATE: Final = 17
_NOT_FOUND: Final = frozenset({6, 7})


def check(reply: Reply) -> None:
    """Raise what a reply says.

    Code 6 is also given for a missing parameter or key; Tensoe asks only with all of them, so here it means: not found.
    """
    found = reply.json()
    if not isinstance(found, dict):
        raise MalformedReplyError(f"{reply.url} answered no JSON object")
    code = number(found.get("error"))
    if code is None:
        if reply.status >= 400:
            raise RejectedError(f"Last.fm answered {reply.status}")
        return
    message = str(found.get("message") or "no reason given")
    if code in _NOT_FOUND:
        raise RecordNotFoundError(f"Last.fm: {message}")
    if code == _RATE:
        raise RateLimitedError(f"Last.fm: {message}")
    if code in _PASSING:
        raise ServerFaultError(f"Last.fm: {message} (error {code})")
    if code in _KEY_REFUSED:
        raise UnconfiguredError(f"Last.fm refuses LASTFM_API_KEY: {message}")
    if code == _PRIVATE:
        raise BlockedError(f"Last.fm: {message} (this listener keeps it private)")
    raise RejectedError(f"Last.fm: {message} (error {code})")


def listed(container: object, name: str) -> list[Json]:
    """The items of a container: a list, a bare item, or nothing.

    >>> listed({"tag": {"name": "rock"}}, "tag"), listed("", "tag"), listed({"tag": []}, "tag")
    ([{'name': 'rock'}], [], [])
    """
    items = container.get(name) if isinstance(container, Mapping) else None
    if isinstance(items, Mapping):
        return [items]
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []


def number(value: object) -> int | None:
    """A count that comes as a string or a number; None when it is neither."""
    try:
        return int(float(value)) if isinstance(value, str | int | float) and value != "" else None
    except (ValueError, OverflowError):
        return None


def read_tags(reply: Json, level: Level) -> list[Tag]:
    """The tags of a getTopTags reply, whose root is `toptags` or, in older replies, `tags`; weights 0..1.

    Raises:
        MalformedReplyError: neither root is there.
    """
    for root in ("toptags", "tags"):
        if root in reply:
            tags = [(str(t.get("name") or ""), number(t.get("count"))) for t in listed(reply[root], "tag")]
            # Replies without counts (getTags) are in falling order.
            return [
                Tag(name=name, weight=min(100, max(1, count if count is not None else 100 - 2 * i)) / 100, level=level)
                for i, (name, count) in enumerate(tags)
                if name
            ]
    raise MalformedReplyError("Last.fm's tags have neither toptags nor tags")
