"""The studio's pages over HTTP: one shell for all addresses, parts by their hashed names, and a word where nothing is built."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from backend.config.settings import Settings
from backend.routes.application import build_app

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SHELL = '<!doctype html><script type="module" src="/studio/assets/index-1a2b.js"></script>'
SCRIPT = b"export default 1;\n" * 100


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pages as a build leaves them."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(SHELL)
    (tmp_path / "assets" / "index-1a2b.js").write_bytes(SCRIPT)
    (tmp_path / "assets" / "index-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT))
    (tmp_path / ".stamp").write_text("not for anybody")
    return tmp_path


@pytest.fixture
async def client(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The app with these pages, without a database: they need none."""
    transport = httpx.ASGITransport(build_app(Settings(), studio=folder))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as found:
        yield found


@pytest.mark.parametrize("path", ["/studio", "/studio/ingest", "/studio/track/a%2Fb?x=1"])
async def test_every_address_gets_the_shell(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers=BROWSER)
    assert answer.text == SHELL
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


async def test_parts_are_packed_for_those_who_unpack_and_kept_for_good(client: httpx.AsyncClient) -> None:
    part = "/studio/assets/index-1a2b.js"
    packed = await client.get(part, headers={"accept-encoding": "gzip"})
    plain = await client.get(part, headers={"accept-encoding": "identity"})
    assert packed.content == plain.content == SCRIPT
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(SCRIPT) / 10
    assert "content-encoding" not in plain.headers
    for answer in (packed, plain):
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["vary"] == "accept-encoding"


@pytest.mark.parametrize(
    "name", ["index-0000.js", "..%2F.stamp", "..%2Findex.html", "%2Fetc%2Fpasswd", ".stamp", "a%00.js"]
)
async def test_what_is_no_part_is_not_found(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"/studio/assets/{name}")
    assert "not for anybody" not in answer.text
    # A name with a slash in it is no part's but a page's, and gets the shell.
    assert answer.status_code == 404 or answer.text == SHELL


async def test_a_server_without_pages_says_how_to_build_them(tmp_path: Path) -> None:
    transport = httpx.ASGITransport(build_app(Settings(), studio=tmp_path / "absent"))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/studio/ingest", headers=BROWSER)
        assert answer.status_code == 200
        assert "make run" in answer.text
        assert "python -m backend.web.build" in answer.text
        assert (await client.get("/studio/assets/index-1a2b.js")).status_code == 404


async def test_a_browser_at_the_root_gets_the_page_and_a_program_the_figures(filled: httpx.AsyncClient) -> None:
    page = await filled.get("/", headers=BROWSER)
    assert page.headers["content-type"].startswith("text/html")
    assert "accept" in page.headers["vary"]
    assert 'src="http' not in page.text
    figures = await filled.get("/", headers={"accept": "application/json"})
    assert figures.json()["data"]["albums"] == 3
    assert "accept" in figures.headers["vary"]
