"""What strangers try, from outside, where no other test has it; and that the table of attacks names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from tests.acceptance.test_api_bad_input import assert_problem
from tests.fixtures.api import Open

ROOT = Path(__file__).parents[2]


async def test_a_link_in_the_export_folder_leads_nowhere(filled: httpx.AsyncClient, tmp_path: Path) -> None:
    made = await filled.post("/ml/export/training-data", params={"filename": "mine.csv"})
    assert made.status_code == 200, made.text
    (folder,) = {path.parent for path in tmp_path.rglob("mine.csv")}
    (tmp_path / "secret.csv").write_text("planted")
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    assert_problem(await filled.get("/ml/exports/link.csv"), 404)
    assert [e["name"] for e in (await filled.get("/ml/exports")).json()["data"]] == ["mine.csv"]
    written = await filled.post("/ml/export/training-data", params={"filename": "link.csv"})
    assert written.status_code == 200
    assert (tmp_path / "secret.csv").read_text() == "planted", "the link is replaced, not followed"


async def test_a_password_in_a_source_s_address_is_in_no_answer(open_api: Open) -> None:
    planted = "http://me:planted-password-1@127.0.0.1:9"
    variables = dict.fromkeys(("LASTFM_API_URL", "DEEZER_API_URL", "AOTY_URL", "SUPABASE_URL"), planted)
    album = {"album_name": "Abbey Road", "artist_name": "The Beatles"}
    async with open_api(**variables, DEEZER_ENABLED="true", LASTFM_API_KEY="planted-key-2") as api:
        answers = [await api.post("/ml/ingest/album", json=album), await api.get("/system/doctor?offline=true")]
        answers += [await api.get(path) for path in ("/system", "/metrics", "/ml/stats", "/", "/ml/jobs")]
    for answer in answers:
        assert "planted" not in answer.text, answer.url


@pytest.mark.timeout(60)
async def test_a_long_path_costs_little(api: httpx.AsyncClient) -> None:
    assert_problem(await api.get("/" + "a." * 30_000), 404)


def test_the_table_names_tests_that_there_are() -> None:
    table = (ROOT / "docs" / "security.md").read_text().partition("## What was tried")[2]
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", table)
    assert len(named) > 30
    for file, test in named:
        assert (ROOT / file).is_file(), file
        assert not test or re.search(rf"def {test}\b", (ROOT / file).read_text()), f"{file}::{test}"
