"""Who is let in: keys, sessions, what each may, its own limit, and the log of what was changed. Pure ASGI."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import urlsplit

import structlog
from limits import parse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.models.access import Access, Caller, Deed
from backend.routes.errors import answer_for, problem
from backend.routes.permissions import SAFE, needed
from backend.routes.rate_limit import Pace
from backend.services.access_service import AccessService
from backend.utils.errors import BusyError, DatabaseError, ForbiddenError, TensoeError, UnauthorizedError

COOKIE: Final = "tensoe_session"
_CALLER: Final = "tensoe.caller"
_NOBODY: Final = Caller()
_EVERYBODY: Final = Caller(scopes=frozenset({Access.ADMIN}))
"""Who asks a server for which no key was set or made."""
_HOW: Final = "send one as the header X-API-Key or as a bearer token (`tensoe key make`, or API_KEYS)"
_NEEDS: Final = {
    Access.READ: f"Reading needs an API key that this server knows (ANONYMOUS_READING=false): {_HOW}",
    Access.INGEST: f"Writing needs an API key that this server knows: {_HOW}",
    Access.LISTENER: f"Listening histories are personal; they need an API key that this server knows: {_HOW}",
    Access.ADMIN: f"This needs an API key that this server knows: {_HOW}",
}


class AccessGuard:
    """Lets requests in that may do what they ask for, says who they are of, and notes what they change.

    Args:
        app: what is wrapped.
        access: gives who knows the keys; None while the server starts, then every route answers 503 anyway.
        pace: gives what counts requests; None where nothing is limited.
        note: told of every writing request that was answered.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        access: Callable[[], AccessService | None],
        pace: Callable[[], Pace | None],
        note: Callable[[Deed], None],
    ) -> None:
        self._app = app
        self._access = access
        self._note = note
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        access = self._access() if scope["type"] == "http" else None
        if access is None:
            await self._app(scope, receive, send)
            return
        wanted = needed(scope["method"], scope["path"])
        try:
            reads = wanted is Access.READ and access.anonymous_reading
            scope[_CALLER] = caller = await _caller(scope, access, is_needed=wanted is not None and not reads)
            _let_in(scope, caller, wanted, access)
        except TensoeError as error:
            await answer_for(error, instance=scope["path"])(scope, receive, send)
            return
        if caller.rate is not None and not await self._in_pace(caller, scope, receive, send):
            return
        if scope["method"] in SAFE or wanted in {None, Access.READ}:
            await self._app(scope, receive, send)
        else:
            await self._noted(scope, receive, send, caller)

    async def _in_pace(self, caller: Caller, scope: Scope, receive: Receive, send: Send) -> bool:
        pace = self._pace()
        if pace is None or caller.rate is None:
            return True
        item = parse(caller.rate)
        allowed, left = await pace.take(f"key:{caller.key}", item)
        if not allowed:
            wait = max(1, math.ceil(left.reset_time - time.time()))
            detail = f"More than {item} with this key; ask again in {wait} seconds."
            answer = problem(429, detail=detail, instance=scope["path"], headers={"retry-after": str(wait)})
            await answer(scope, receive, send)
        return allowed

    async def _noted(self, scope: Scope, receive: Receive, send: Send, caller: Caller) -> None:
        status = 0

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            self._note(
                Deed(
                    at=datetime.now(UTC),
                    key=caller.key,
                    name=caller.name,
                    address=(scope.get("client") or ("unknown", 0))[0],
                    method=scope["method"],
                    path=scope["path"].replace("\0", "")[:500],
                    status=status or 500,
                    request=str(structlog.contextvars.get_contextvars().get("request", "")),
                )
            )


async def _caller(scope: Scope, access: AccessService, *, is_needed: bool) -> Caller:
    token = token_of(scope)
    try:
        found = await access.caller(token) if token else None
        if found is not None:
            return found
        return _EVERYBODY if await access.is_open() else _NOBODY
    except (DatabaseError, BusyError):
        if is_needed:
            raise
        return _NOBODY


def _let_in(scope: Scope, caller: Caller, wanted: Access | None, access: AccessService) -> None:
    if wanted is None or (wanted is Access.READ and access.anonymous_reading):
        return
    if not caller.scopes:
        raise UnauthorizedError(_NEEDS[wanted])
    if not caller.may(wanted):
        has = ", ".join(sorted(caller.scopes))
        raise ForbiddenError(f"This needs a key with the scope {wanted}; {caller.name!r} has {has}")
    # A cookie is sent by whatever page makes a browser ask: only our own may have it write.
    if caller.signed_in and scope["method"] not in SAFE and not _is_own_page(scope):
        raise ForbiddenError("A browser's session writes from this server's own pages alone; programs send a key")


def _is_own_page(scope: Scope) -> bool:
    """Whether a browser says that one of our pages asks (Fetch Metadata; older ones send Origin with every POST)."""
    headers = Headers(scope=scope)
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return bool(headers.get("host")) and urlsplit(headers.get("origin", "")).netloc == headers["host"]


def token_of(scope: Scope) -> str:
    """The key of a request, as `X-API-Key` or `Authorization: Bearer`, or else its session's cookie; empty for none."""
    headers = Headers(scope=scope)
    scheme, _, token = headers.get("authorization", "").partition(" ")
    given = headers.get("x-api-key") or (token.strip() if scheme.lower() == "bearer" else "")
    if given:
        return given
    cookies = headers.get("cookie", "")
    return session_of(cookies) if cookies else ""


def session_of(cookies: str) -> str:
    """A session out of a Cookie header."""
    try:
        found = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def caller_of(scope: Scope) -> Caller:
    """Who asks, as the guard found."""
    found: Caller = scope.get(_CALLER, _NOBODY)
    return found
