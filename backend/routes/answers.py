"""Answers as ready bytes, and choosing their form by what the client accepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from fastapi import Request
from fastapi.responses import Response

JSON: Final = "application/json"


def json_answer(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value, or bytes that are JSON already, as an answer."""
    body = value if isinstance(value, bytes) else orjson.dumps(value, default=str)
    return Response(body, status_code=status, media_type=JSON, headers=dict(headers or {}))


def preferred(accept: str, offered: Sequence[str]) -> str | None:
    """The offered media type that the Accept header likes best; None when it takes none of them.

    Ties go to the first offered (RFC 9110, section 12.5.1: the most specific range counts).

    >>> preferred("text/html,application/xml;q=0.9,*/*;q=0.8", ["application/json", "text/html"])
    'text/html'
    >>> preferred("*/*", ["application/json", "text/html"])
    'application/json'
    """
    ranges = [_range(part) for part in accept.split(",") if part.strip()]
    if not ranges:
        return offered[0]
    best = max(offered, key=lambda media: _quality(media, ranges))
    return best if _quality(best, ranges) > 0 else None


def _range(part: str) -> tuple[str, float]:
    media, *parameters = (p.strip().lower() for p in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
    return media, quality if 0 <= quality <= 1 else 0.0


def _quality(media: str, ranges: Sequence[tuple[str, float]]) -> float:
    kind = media.partition("/")[0]
    for wanted in (media, f"{kind}/*", "*/*"):
        found = [quality for name, quality in ranges if name == wanted]
        if found:
            return max(found)
    return 0.0


def next_link(request: Request, **changed: str | int) -> str:
    """A `Link` header value to the next page: this address with some parameters changed."""
    kept = [(k, v) for k, v in request.query_params.multi_items() if k not in changed]
    query = urlencode([*kept, *((k, str(v)) for k, v in changed.items())])
    return f'<{request.url.path}?{query}>; rel="next"'
