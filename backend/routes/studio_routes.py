"""The studio's pages: one shell for every address, and its hashed, ready-packed parts."""

from __future__ import annotations

import mimetypes
import re
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

from backend.utils.errors import NotFoundError
from backend.web import TEMPLATES

router = APIRouter(include_in_schema=False)

_HTML: Final = "text/html; charset=utf-8"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Names hold a hash of the content, so what a name stands for never changes.
_FOREVER: Final = "public, max-age=31536000, immutable"
_NAME: Final = re.compile(r"[\w.-]+\.\w+", re.ASCII)


def shell(request: Request) -> Response:
    """The page that every address of the studio begins with; where it is not built, one that says how to build it."""
    path = _folder(request) / "index.html"
    headers = {"content-security-policy": _POLICY, "cache-control": "no-cache", "vary": "accept, accept-encoding"}
    if not path.is_file():
        return Response((TEMPLATES / "unbuilt.html").read_bytes(), media_type=_HTML, headers=headers)
    return _answer(request, path, media_type=_HTML, headers=headers)


@router.get("/studio/assets/{name}")
def asset(name: str, request: Request) -> Response:
    """A script, style or picture.

    Raises:
        NotFoundError: the studio has none of that name, or has no longer.
    """
    path = _folder(request) / "assets" / name
    if not _NAME.fullmatch(name) or not path.is_file():
        raise NotFoundError(f"The studio has no part {name[:200]!r}; load the page anew, it may have been renewed")
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return _answer(request, path, media_type=media_type, headers={"cache-control": _FOREVER, "vary": "accept-encoding"})


@router.get("/studio")
@router.get("/studio/{path:path}")
def page(request: Request, path: str = "") -> Response:
    """Any other address of the studio; which page it is, the browser finds out."""
    return shell(request)


def _folder(request: Request) -> Path:
    """Where the built pages are, as the app was told."""
    found = request.app.state.studio
    assert isinstance(found, Path)
    return found


def _answer(request: Request, path: Path, *, media_type: str, headers: dict[str, str]) -> Response:
    packed = path.with_name(f"{path.name}.gz")
    if "gzip" in request.headers.get("accept-encoding", "") and packed.is_file():
        return FileResponse(packed, media_type=media_type, headers={**headers, "content-encoding": "gzip"})
    return FileResponse(path, media_type=media_type, headers=headers)
