"""Asking Spotify's Web API: the access token, and what its answers mean."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from backend.config.settings import SettingsGroup
from backend.ingestion.spotify_access import Mode
from backend.ingestion.transport import Params, Reply, ShutOutError, Transport
from backend.utils.errors import (
    BlockedError,
    MalformedReplyError,
    RecordNotFoundError,
    RejectedError,
    ThrottledError,
    UnconfiguredError,
)

_RENEW_SECONDS: Final = 60.0  # before a token's end
_MOST_TOKENS: Final = 4  # for one question that waits longer than tokens live
_QUOTA_SECONDS: Final = 3600.0  # of a quota refusal that does not say how long; the quota's window is about a day


class SpotifySettings(SettingsGroup):
    """Where Spotify is and who asks."""

    spotify_client_id: SecretStr = SecretStr("")
    spotify_client_secret: SecretStr = SecretStr("")
    spotify_api_url: str = "https://api.spotify.com/v1"
    spotify_accounts_url: str = "https://accounts.spotify.com"
    spotify_rate: float = Field(default=8.0, gt=0)  # requests a second
    spotify_account: str = ""  # any name of the developer account, where several client ids share its quota
    spotify_mode: Mode = "auto"  # what the client id may do: found out by asking, or said by who knows it

    @field_validator("spotify_mode", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value


class TokenRefusedError(RejectedError):
    """The access token is no longer good: a new one is worth one more try."""


class ForbiddenError(BlockedError):
    """This client id may not use this endpoint (development mode)."""


class SpotifyClient:
    """Asks with a token of the client credentials flow, which it renews when it ends or is refused."""

    def __init__(self, settings: SpotifySettings) -> None:
        self._settings = settings
        self._token = ""
        self._token_ends = 0.0
        self._renewing = asyncio.Lock()
        self._base = urlsplit(settings.spotify_api_url).path.rstrip("/")
        told = settings.spotify_account or settings.spotify_client_id.get_secret_value()
        self._account = hashlib.sha256(told.encode()).hexdigest()[:8]

    async def get(self, path: str, transport: Transport, *, has: str, params: Params | None = None) -> dict[str, Any]:
        """The JSON object at a path of the API; a refused token is renewed.

        A question may wait for its turn for longer than its token lives: that is no reason to give up. A new token that is
        refused while it should still be good is one.

        Args:
            path: below the API's address.
            transport: Spotify's.
            has: a field that the object must have.
            params: of the query.

        Raises:
            ForbiddenError: this client id may not ask there.
            SourceError: by class what else the answer says.
        """
        url = f"{self._settings.spotify_api_url.rstrip('/')}/{path}"
        refused = ""
        for left in reversed(range(_MOST_TOKENS)):
            token = await self._valid_token(transport, refused=refused)
            try:
                reply = await self._ask(url, token, transport, params, has)
            except TokenRefusedError:
                if not left or (refused and not self._is_over(token)):
                    raise
                refused = token
            else:
                found: dict[str, Any] = reply.json()
                return found
        raise AssertionError("the last try returns or raises")

    async def renew(self, transport: Transport) -> None:
        """Take a new token, whether or not there is one.

        Raises:
            UnconfiguredError: the client id or its secret is refused.
            SourceError: by class what else the answer says.
        """
        async with self._renewing:
            await self._renew(transport)

    def group(self, path: str) -> str:
        """What a path's requests are counted with: its kind of endpoint and the developer account.

        (Web API quota updates of July 2026; how large the groups are is not published.)
        """
        return f"{path.partition('/')[0]}@{self._account}"

    def _is_over(self, token: str) -> bool:
        return token != self._token or time.monotonic() > self._token_ends

    async def _ask(self, url: str, token: str, transport: Transport, params: Params | None, has: str) -> Reply:
        headers = {"Authorization": f"Bearer {token}"}
        group = self.group(urlsplit(url).path.removeprefix(self._base).strip("/"))
        return await transport.get(url, params=params, headers=headers, check=partial(_check, has), group=group)

    async def _valid_token(self, transport: Transport, *, refused: str = "") -> str:
        async with self._renewing:
            if self._token in {"", refused} or time.monotonic() > self._token_ends:
                await self._renew(transport)
            return self._token

    async def _renew(self, transport: Transport) -> None:
        s = self._settings
        pair = f"{s.spotify_client_id.get_secret_value()}:{s.spotify_client_secret.get_secret_value()}"
        reply = await transport.post(
            f"{s.spotify_accounts_url.rstrip('/')}/api/token",
            data={"grant_type": "client_credentials"},
            headers={"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"},
            check=_check_token,
        )
        found = reply.json()
        self._token, seconds = str(found["access_token"]), float(found["expires_in"])
        self._token_ends = time.monotonic() + seconds - min(_RENEW_SECONDS, seconds / 10)


def _check_token(reply: Reply) -> None:
    if reply.is_fault:
        return
    found = reply.json()
    error = found.get("error") if isinstance(found, dict) else None
    if error in ("invalid_client", "unauthorized_client"):  # no set: it may be unhashable
        raise UnconfiguredError(f"Spotify refuses SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET ({error})")
    if reply.status != 200:
        raise RejectedError(f"Spotify's accounts service answered {reply.status}: {error}")
    if not (isinstance(found, dict) and found.get("access_token") and isinstance(found.get("expires_in"), int | float)):
        raise MalformedReplyError("Spotify's token answer has no access_token or no expires_in")


def _check(has: str, reply: Reply) -> None:
    """Raise what an answer says; a body that is no JSON object with that field is transient and asked for again."""
    if reply.status == 429 and b"QUOTA_EXCEEDED" in reply.body:
        # Counted per developer account within about a day: no use in waiting for it, whatever Retry-After says.
        until = datetime.now(UTC) + timedelta(seconds=reply.retry_after() or _QUOTA_SECONDS)
        raise ThrottledError(
            f"Spotify's quota is used up (QUOTA_EXCEEDED) until {until:%Y-%m-%d %H:%M} UTC", until=until, quota=True
        )
    if reply.is_fault:
        return
    if reply.status == 403 and not reply.body.lstrip().startswith(b"{"):
        # Plain text: the app's owner has no Premium.
        raise ShutOutError(f"Spotify refuses: {reply.text()[:300].strip() or 'no reason given'}")
    if reply.status == 404:
        raise RecordNotFoundError(f"Spotify knows nothing at {reply.url}")
    found = reply.json()
    if not isinstance(found, dict):
        raise MalformedReplyError(f"{reply.url} answered no JSON object")
    if reply.status == 200:
        if has not in found:
            raise MalformedReplyError(f"{reply.url} answered without {has}")
        return
    error = found.get("error")
    message = error.get("message", "") if isinstance(error, dict) else str(error)
    if reply.status == 401:
        raise TokenRefusedError(f"Spotify refuses the access token: {message}")
    if reply.status == 403:
        raise ForbiddenError(f"Spotify forbids {reply.url} to this client id: {message}")
    raise RejectedError(f"Spotify answered {reply.status}: {message}")
