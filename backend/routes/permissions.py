"""What a request needs to be let in: one table, so that nobody has to look into the routes for it."""

from __future__ import annotations

import re
from typing import Final

from backend.models.access import Access

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_OPEN: Final = re.compile(r"/|/live|/ready|/docs|/favicon\.ico|/session|/static/.*|/studio(/.*)?")
"""For everybody, also where reading needs a key: the pages themselves (what they show needs one), health, signing in."""
_ASKS: Final = frozenset({
    "/ml/datasets/preview", "/ml/discover", "/ml/features", "/ml/ingest/list", "/ml/ingest/plan", "/ml/playlists/continue",
})  # fmt: skip
"""Questions that are too long for an address: POST, but nothing changes."""
_PERSONAL: Final = re.compile(r"/listeners(/.*)?|/import/listens")
_ADMIN: Final = re.compile(r"/system/(doctor|keys(/.*)?|deeds)")


def needed(method: str, path: str) -> Access | None:
    """The scope that a request needs; None for what is for everybody.

    Args:
        method: of HTTP, in capitals.
        path: without a query.
    """
    if method == "OPTIONS" or _OPEN.fullmatch(path):
        return None
    if _PERSONAL.fullmatch(path):
        return Access.LISTENER
    if _ADMIN.fullmatch(path):
        return Access.ADMIN
    if method in SAFE or path in _ASKS:
        return Access.READ
    return Access.ADMIN if method == "DELETE" else Access.INGEST
