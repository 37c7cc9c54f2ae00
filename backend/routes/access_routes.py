"""Keys, sessions, and who changed what."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from backend.models.access import Access
from backend.routes import schemas_access as schemas
from backend.routes.access import COOKIE, caller_of, session_of, token_of
from backend.routes.answers import json_answer
from backend.routes.dependencies import WRITES, Cursor, With
from backend.services.access_service import SESSION
from backend.utils.errors import UnauthorizedError

router = APIRouter(tags=["system"])

_NOT_KEPT = {"cache-control": "no-store"}
KeyId = Annotated[str, Path(pattern=r"[0-9a-z]{12}", examples=["k3v9x0a1b2c3"])]


@router.get("/system/keys", response_model=schemas.Keys, dependencies=WRITES, summary="All API keys")
async def keys(with_: With) -> Response:
    """The newest first, revoked ones too; when each was last used is a minute behind. No key's text is in it."""
    found = await with_.access.listed()
    return json_answer({"count": len(found), "data": [asdict(key) for key in found]}, headers=_NOT_KEPT)


@router.post(
    "/system/keys", status_code=201, response_model=schemas.MadeKey, dependencies=WRITES, summary="Make an API key"
)
async def make(asked: schemas.KeyRequest, with_: With) -> Response:
    """Its text is in this answer and nowhere else: only a digest of it is kept."""
    key, text = await with_.access.make(
        asked.name, scopes=asked.scopes, listener=asked.listener, rate=asked.rate, days=asked.days
    )
    return json_answer({**asdict(key), "key": text}, status=201, headers=_NOT_KEPT)


@router.delete("/system/keys/{key_id}", status_code=204, dependencies=WRITES, summary="Revoke an API key")
async def revoke(key_id: KeyId, with_: With) -> Response:
    """It and the sessions signed in with it end; other servers of the same database notice within ten seconds."""
    await with_.access.revoke(key_id)
    return Response(status_code=204)


@router.get("/system/deeds", response_model=schemas.Deeds, dependencies=WRITES, summary="Who changed what")
async def deeds(with_: With, limit: Annotated[int, Query(ge=1, le=500)] = 100, cursor: Cursor = None) -> Response:
    """Every writing request: when, with which key, from where, and how it was answered; the latest first."""
    page = await with_.deeds.page(limit=limit, cursor=cursor)
    return json_answer({"next_cursor": page.next_cursor, "data": page.items}, headers=_NOT_KEPT)


@router.get("/session", response_model=schemas.Session, summary="Who asks, and what that allows")
async def session(request: Request, with_: With) -> Response:
    """By a key or a session's cookie; or by none."""
    return json_answer(_session(request, with_), headers=_NOT_KEPT)


@router.post(
    "/session",
    response_model=schemas.Session,
    responses={401: {"description": "No API key that this server knows"}, 409: {"description": "A key of API_KEYS"}},
    summary="Sign a browser in",
)
async def sign_in(request: Request, with_: With) -> Response:
    """With a key in the header X-API-Key: twelve hours in a cookie that scripts cannot read and other sites cannot use."""
    caller = caller_of(request.scope)
    if caller.key is None:
        raise UnauthorizedError("Sign in with a key that this server knows, in the header X-API-Key")
    text, until = await with_.access.sign_in(caller)
    answer = json_answer(_session(request, with_, until=until), headers=_NOT_KEPT)
    answer.set_cookie(
        COOKIE,
        text,
        max_age=int(SESSION.total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return answer


@router.delete("/session", status_code=204, summary="Sign a browser out")
async def sign_out(request: Request, with_: With) -> Response:
    """The session ends here, not only in the browser."""
    text = session_of(request.headers.get("cookie", ""))
    if text and token_of(request.scope) == text:
        await with_.access.sign_out(text)
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, path="/")
    return answer


def _session(request: Request, with_: With, *, until: datetime | None = None) -> dict[str, Any]:
    caller = caller_of(request.scope)
    return {
        "name": caller.name or None,
        "scopes": sorted(caller.scopes),
        "listener": caller.listener,
        "signed_in": caller.signed_in,
        "may_read": caller.may(Access.READ) or with_.access.anonymous_reading,
        "may_write": caller.may(Access.INGEST),
        "may_administer": caller.may(Access.ADMIN),
        "until": until,
    }
