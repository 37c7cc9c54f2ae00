"""Spotify's Web API: names, numbers, durations, identifiers; popularity and audio features where the client id still may.

Wire forms: developer.spotify.com/documentation/web-api, in the shapes of 2026. Fields that development mode
dropped (popularity, label, genres, …) are all optional here.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Sequence
from typing import Any, Final

from cachetools import TTLCache
from pydantic import Field, SecretStr

from backend.config.settings import SettingsGroup
from backend.ingestion.matcher import Candidate, Match, choose
from backend.ingestion.source import Payload, SourceProfile
from backend.ingestion.spotify_wire import read_album, read_candidates
from backend.ingestion.transport import Limits, Params, Reply, Transport
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Rights
from backend.utils.errors import (
    BlockedError,
    MalformedReplyError,
    RecordNotFoundError,
    RejectedError,
    SourceError,
    UnconfiguredError,
)

_SEARCHED: Final = 10  # the most that development mode allows
_TRACKS_A_PAGE: Final = 50
_TRACKS_A_BATCH: Final = 50
_FEATURES_A_BATCH: Final = 100
_RENEW_SECONDS: Final = 60.0  # before a token's end
_ARTISTS_KEPT: Final = 10_000
_ARTIST_SECONDS: Final = 6 * 3600.0


class SpotifySettings(SettingsGroup):
    """Where Spotify is and who asks."""

    spotify_client_id: SecretStr = SecretStr("")
    spotify_client_secret: SecretStr = SecretStr("")
    spotify_api_url: str = "https://api.spotify.com/v1"
    spotify_accounts_url: str = "https://accounts.spotify.com"
    spotify_rate: float = Field(default=8.0, gt=0)  # requests a second


class TokenRefusedError(SourceError):
    """The access token is no longer good: a new one is worth one more try."""


class ForbiddenError(RejectedError):
    """This client id may not use this endpoint (development mode)."""


class SpotifySource:
    """Spotify as a source. Remembers for the process what its client id may not do."""

    def __init__(self, settings: SpotifySettings | None = None) -> None:
        self._settings = settings or SpotifySettings.read()
        self._token = ""
        self._token_ends = 0.0
        self._renewing = asyncio.Lock()
        self._refused: set[str] = set()
        self._artists: TTLCache[str, dict[str, Any]] = TTLCache(_ARTISTS_KEPT, _ARTIST_SECONDS)

    @property
    def profile(self) -> SourceProfile:
        """See `Source`."""
        fields = ("title", "artist", "tracks", "release_date", "duration_ms", "explicit", "isrc", "upc", "popularity")
        return SourceProfile(
            name="spotify",
            rights=Rights.RESTRICTED,
            gives={**dict.fromkeys(fields, 1.0), "label": 0.8, "audio_features": 1.0, "tags": 0.7},
            stage="identity",
            keyed=True,
            limits=Limits(rate=self._settings.spotify_rate, concurrent=10),
            terms="Its developer terms bar training machine-learning models on its content.",
        )

    @property
    def settings(self) -> SettingsGroup:
        """See `Source`."""
        return self._settings

    def unconfigured(self) -> str | None:
        """See `Source`."""
        s = self._settings
        pairs = (("SPOTIFY_CLIENT_ID", s.spotify_client_id), ("SPOTIFY_CLIENT_SECRET", s.spotify_client_secret))
        missing = [name for name, value in pairs if not value.get_secret_value()]
        return f"{' and '.join(missing)} not set" if missing else None

    async def fetch(self, query: AlbumQuery, transport: Transport) -> Payload:
        """Find the album and read it, its tracks, its artist, and what else the client id may."""
        match = await self._find(query, transport)
        album = await self._get(f"albums/{match.candidate.id}", transport)
        await self._complete(album, transport)
        tracks = [t for t in album["tracks"]["items"] if t and t.get("id")]
        ids = [str(t["id"]) for t in tracks]
        full = await self._many("tracks", ids, size=_TRACKS_A_BATCH, transport=transport)
        features = await self._many("audio-features", ids, size=_FEATURES_A_BATCH, transport=transport)
        return {
            "album": album,
            "artist": await self._artist(album, transport),
            "tracks": full,
            "audio_features": features,
            "match": {"score": match.score, "penalties": match.penalties},
        }

    def normalise(self, payload: Payload) -> AlbumRecord:
        """See `Source`."""
        return read_album(payload)

    # -- finding and reading -----------------------------------------------------------------------

    async def _find(self, query: AlbumQuery, transport: Transport) -> Match:
        known = query.hints.get("spotify_id")
        if known:
            return Match(Candidate(known, query.artist, query.album), 1.0)
        album, artist = query.album.replace('"', " "), query.artist.replace('"', " ")
        try:
            return choose(query, await self._search(f'album:"{album}" artist:"{artist}"', transport))
        except RecordNotFoundError:
            # The filters want every word as Spotify spells it; plain words forgive.
            return choose(query, await self._search(f"{album} {artist}", transport))

    async def _search(self, words: str, transport: Transport) -> list[Candidate]:
        params: dict[str, str | int] = {"q": words, "type": "album", "limit": _SEARCHED}
        return read_candidates(await self._get("search", transport, params=params))

    async def _complete(self, album: dict[str, Any], transport: Transport) -> None:
        """Add the tracks past the first page."""
        page = album.get("tracks")
        if not isinstance(page, dict) or not isinstance(page.get("items"), list):
            raise MalformedReplyError("Spotify's album has no track list (tracks.items)")
        items: list[Any] = page["items"]
        while len(items) < int(page.get("total") or 0):
            params = {"limit": _TRACKS_A_PAGE, "offset": len(items)}
            more = await self._get(f"albums/{album['id']}/tracks", transport, params=params)
            if not more.get("items"):
                break
            items += more["items"]

    async def _artist(self, album: dict[str, Any], transport: Transport) -> dict[str, Any] | None:
        """The first artist, for genres; asked once in a while, and not in development mode, where genres are empty."""
        artists = [a for a in album.get("artists") or [] if a and a.get("id")]
        if not artists or "tracks" in self._refused:
            return None
        key = str(artists[0]["id"])
        if key not in self._artists:
            self._artists[key] = await self._get(f"artists/{key}", transport)
        return self._artists[key]

    async def _many(self, kind: str, ids: Sequence[str], *, size: int, transport: Transport) -> list[dict[str, Any]]:
        """Objects by batches; none where the client id may not."""
        found: list[dict[str, Any]] = []
        for start in range(0, len(ids), size):
            if kind in self._refused:
                return []
            batch = ",".join(ids[start : start + size])
            try:
                reply = await self._get(kind, transport, params={"ids": batch})
            except (ForbiddenError, RecordNotFoundError):
                self._refused.add(kind)
                return []
            found += [thing for thing in reply.get(kind.replace("-", "_")) or [] if thing]
        return found

    # -- asking ------------------------------------------------------------------------------------

    async def _get(self, path: str, transport: Transport, *, params: Params | None = None) -> dict[str, Any]:
        """The JSON object at a path of the API; an expired token is renewed once."""
        url = f"{self._settings.spotify_api_url.rstrip('/')}/{path}"
        token = await self._valid_token(transport)
        try:
            reply = await self._ask(url, token, transport, params)
        except TokenRefusedError:
            reply = await self._ask(url, await self._valid_token(transport, refused=token), transport, params)
        found = reply.json()
        if not isinstance(found, dict):
            raise MalformedReplyError(f"{reply.url} answered no JSON object")
        return found

    async def _ask(self, url: str, token: str, transport: Transport, params: Params | None) -> Reply:
        headers = {"Authorization": f"Bearer {token}"}
        return await transport.get(url, params=params, headers=headers, check=_check)

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
        try:
            self._token, seconds = str(found["access_token"]), float(found["expires_in"])
        except (KeyError, TypeError, ValueError) as problem:
            raise MalformedReplyError("Spotify's token answer has no access_token or expires_in") from problem
        self._token_ends = time.monotonic() + max(1.0, seconds - _RENEW_SECONDS)


def _check_token(reply: Reply) -> None:
    if reply.status in {400, 401}:
        raise UnconfiguredError("Spotify refuses SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET (invalid_client)")
    if reply.status != 200:
        raise RejectedError(f"Spotify's accounts service answered {reply.status}")
    reply.json()


def _check(reply: Reply) -> None:
    """Raise what an answer says; a body that is no JSON is transient and tried again."""
    if reply.status == 403 and not reply.body.lstrip().startswith(b"{"):
        # Plain text: the app's owner has no Premium.
        raise BlockedError(f"Spotify refuses: {reply.text()[:300].strip() or 'no reason given'}")
    if reply.status == 404:
        raise RecordNotFoundError(f"Spotify knows nothing at {reply.url}")
    found = reply.json()
    if reply.status == 200:
        return
    error = found.get("error") if isinstance(found, dict) else None
    message = error.get("message", "") if isinstance(error, dict) else str(error)
    if reply.status == 401:
        raise TokenRefusedError(f"Spotify refuses the access token: {message}")
    if reply.status == 403:
        raise ForbiddenError(f"Spotify forbids {reply.url} to this client id: {message}")
    raise RejectedError(f"Spotify answered {reply.status}: {message}")
