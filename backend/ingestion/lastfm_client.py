"""Asking Last.fm's API: what a call needs, and what its answers mean.

Errors come with any status, 200 among them. Codes: www.last.fm/api/errorcodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from pydantic import Field, SecretStr

from backend.config.settings import SettingsGroup
from backend.ingestion.lastfm_wire import number
from backend.ingestion.transport import Reply, Transport
from backend.utils.errors import (
    BlockedError,
    MalformedReplyError,
    RateLimitedError,
    RecordNotFoundError,
    RejectedError,
    ServerFaultError,
    UnconfiguredError,
)

_KEY_REFUSED: Final = frozenset({10, 13, 26})  # invalid, wrong signature, suspended
_PASSING: Final = frozenset({8, 11, 16})  # operation failed, offline, temporarily unavailable
_RATE: Final = 29
_PRIVATE: Final = 17
_NOT_FOUND: Final = frozenset({6, 7})


class LastfmSettings(SettingsGroup):
    """Where Last.fm is and who asks."""

    lastfm_api_key: SecretStr = SecretStr("")
    lastfm_api_secret: SecretStr = SecretStr("")  # for writing, which Tensoe does not do
    lastfm_api_url: str = "https://ws.audioscrobbler.com/2.0/"
    lastfm_rate: float = Field(default=4.0, gt=0)  # requests a second

    @property
    def key(self) -> str:
        """The API key; empty when there is none."""
        return self.lastfm_api_key.get_secret_value().strip()


async def call(
    settings: LastfmSettings,
    transport: Transport,
    method: str,
    *,
    roots: Sequence[str],
    params: Mapping[str, str | int],
) -> dict[str, Any]:
    """Call a method of the API.

    Args:
        settings: with a key.
        transport: Last.fm's.
        method: such as "album.getInfo".
        roots: one of these fields the reply must have.
        params: of the method; none may be blank.

    Raises:
        RejectedError: a name is blank, which Last.fm would answer like one it does not know.
        SourceError: by class what the reply says.
    """
    blank = [name for name, value in params.items() if not str(value).strip()]
    if blank:
        raise RejectedError(f"Last.fm's {method} cannot be asked without {' and '.join(blank)}")
    query = {"method": method, "api_key": settings.key, "format": "json", **params}
    reply = await transport.get(settings.lastfm_api_url, params=query, check=partial(_check, roots))
    found: dict[str, Any] = reply.json()
    return found


def _check(roots: Sequence[str], reply: Reply) -> None:
    """Raise what a reply says.

    Code 6 is also given for a missing parameter or key; `call` asks only with all of them, so here it means: not found.
    """
    if reply.is_fault:
        return
    found = reply.json()
    if not isinstance(found, dict):
        raise MalformedReplyError(f"{reply.url} answered no JSON object")
    code = number(found.get("error"))
    message = str(found.get("message") or "no reason given")
    if code is None:
        if reply.status >= 400:
            raise RejectedError(f"Last.fm answered {reply.status}")
        if not any(root in found for root in roots):
            raise MalformedReplyError(f"{reply.url} answered without {' or '.join(roots)}")
    elif code in _NOT_FOUND:
        raise RecordNotFoundError(f"Last.fm: {message}")
    elif code == _RATE:
        raise RateLimitedError(f"Last.fm: {message}")
    elif code in _PASSING:
        raise ServerFaultError(f"Last.fm: {message} (error {code})")
    elif code in _KEY_REFUSED:
        raise UnconfiguredError(f"Last.fm refuses LASTFM_API_KEY ({message}; error {code})")
    elif code == _PRIVATE:
        raise BlockedError(f"Last.fm: {message} (this listener keeps it private)")
    else:
        raise RejectedError(f"Last.fm: {message} (error {code})")
