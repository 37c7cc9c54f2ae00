"""Nothing of a source is seen at a level of rights that does not permit it: at no endpoint, in no form, in no file.

The catalogue is stored by the real ingestion, and every value in it tells its source (see `marked`).
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.config.settings import Settings
from backend.ingestion.source import SourceProfile
from backend.models.ingestion_models import RightsLevel
from backend.repositories.database import Database
from backend.repositories.histories import Histories
from backend.repositories.provenances import Provenances
from backend.routes.application import build_app
from backend.services.export_service import ExportService
from backend.services.ml_service import get_feature_matrix
from backend.services.provenance_service import ProvenanceService
from backend.startup import open_container
from tests.acceptance.marked import PROFILES, Marks, barred, fill, merging, mislabelled, texts_of
from tests.fixtures.api import environment
from tests.unit.ingestion.histories.given import given

ROOT = Path(__file__).resolve().parents[2]
LEVELS = (RightsLevel.NONCOMMERCIAL, RightsLevel.OPEN)
FORMS = ("json", "ndjson", "csv", "arrow", "parquet")
WITHOUT = {
    "/": "the page for people shows the whole catalogue, as the one who runs it sees it",
    "/system": "settings, states and sizes of this server; how many rows, none of their values",
    "/system/doctor": "how this server and its sources are, no values",
    "/metrics": "how often and how long, no values",
    "/ml/stats": "how ingestion went per source, no values",
    "/ml/jobs": "what was asked for, by the names it was asked by",
    "/ml/jobs/{job_id}": "what was asked for, by the names it was asked by",
    "/ml/jobs/{job_id}/events": "how far a job is, no values",
    "/ml/jobs/{job_id}/report": "what was asked for, by the names it was asked by, and how each source answered",
    "/ml/jobs/dead-letters": "what was asked for, by the names it was asked by",
    "/ml/refresh": "how many albums of each source are due, no values",
    "/listeners": "how much each listener's own history holds",
    "/listeners/{name}": "a listener's own history, by the names that his export has",
    "/listeners/{name}/wanted": "what the catalogue lacks, by the names that the listener's export has",
    "/users/{name}/wanted": "what the catalogue lacks, by the names that the listener's charts have",
    "/albums/unmatched": "what a person must decide is shown as the source says it",
    "/ml/exports": "names and sizes of files, which the one who wrote them chose",
    "/ml/exports/{name}": "a file holds the level it was written at; its report of rights stands beside it",
    "/ml/exports/{name}/rights": "the report of such a file: sources, counts and terms, no values",
    "/ml/datasets": "what was built, at which level; no values",
    "/ml/datasets/{named}": "what was built, at which level; no values but names of tags",
    "/ml/datasets/{named}/files/{path}": "a data set holds the level it was built at; rights.json stands in it",
    "/ml/datasets/{named}/diff/{other}": "of what two data sets hold, at the levels they were built at",
    "/ml/datasets/{named}/drift/{other}": "of what two data sets hold, at the levels they were built at",
    "/ml/datasets/work/{task_id}": "how far a build is, no values",
    "/ml/datasets/exports/{name}": "an export holds the level its data set was built at; the rights stand in it",
    "/ml/genres/tree": "our own vocabulary: no source's values",
    "/live": "whether the process answers",
    "/ready": "whether it can do its work",
    "/session": "who asks, and what that allows",
    "/system/keys": "names and scopes of keys",
    "/system/deeds": "who changed what, by path and key",
}
"""The GET endpoints that take no `rights`, and why."""


@dataclass
class Opened:
    """The app over the marked catalogue."""

    client: httpx.AsyncClient
    marks: Marks
    home: Path
    places: dict[str, str]


@contextlib.asynccontextmanager
async def marked_app(
    database: Database, home: Path, *, profiles: Mapping[str, SourceProfile] = PROFILES
) -> AsyncIterator[Opened]:
    """The app over a catalogue that was stored under these profiles."""
    marks = await fill(database, profiles=profiles)
    with environment(DATABASE_URL=database.dsn, TENSOE_HOME=str(home), RATE_LIMIT="off", TENSOE_DEMO="on"):
        settings = Settings()
        async with open_container(settings) as container:
            for name, songs in (("listener", ("Tide Harbour 0", "Canal Harbour 1")), ("other", ("Lantern Harbour 1",))):
                plays = "".join(
                    f"Hollow Pines,,{song},20 May 2021 17:5{n}\nThe Amber Lanterns,,{song},20 May 2021 18:5{n}\n"
                    for n, song in enumerate(songs)
                )
                await container.services.listening.take_in([given(plays)], listener=name, consent=True)
            services = replace(
                container.services,
                provenance=ProvenanceService(Histories(database), merging=merging(profiles)),
                exports=ExportService(
                    container.services.ml, home / "exports", provenances=Provenances(database), profiles=profiles
                ),
            )
            transport = httpx.ASGITransport(build_app(settings, services=services), client=("192.0.2.7", 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                albums = (await client.get("/albums")).json()["data"]
                track = (await client.get("/ml/training-data")).json()["data"][0]
                places = {
                    "album_id": albums[0]["id"],
                    "artist_id": albums[0]["artist_id"],
                    "track_id": track["id"],
                    "recording_id": track["recording_id"],
                    "name": "listener",
                    "other": "other",
                    "kind": "artists",
                    "genre": "shoegaze",
                }
                artist = next(a for a in albums if a["artist_id"] != albums[0]["artist_id"])["artist_id"]
                other = (await client.get(f"/artists/{artist}/albums")).json()["data"][0]["id"]
                end = (await client.get(f"/albums/{other}")).json()["tracks"][0]["id"]
                own = (await client.get(f"/albums/{albums[0]['id']}")).json()["tracks"][0]["id"]
                places |= {"start": own, "end": end}
                yield Opened(client=client, marks=marks, home=home, places=places)


async def readable(client: httpx.AsyncClient) -> list[str]:
    """The GET endpoints that take `rights`; each of the others must be among those that need not."""
    paths = (await client.get("/openapi.json")).json()["paths"]
    taking = []
    for path, operations in paths.items():
        if "get" not in operations:
            continue
        if any(p["name"] == "rights" for p in operations["get"].get("parameters", [])):
            taking.append(path)
        else:
            assert path in WITHOUT, f"{path} takes no rights; let it, or say in WITHOUT why it need not"
    assert not set(taking) & set(WITHOUT)
    return taking


SILENT = ("/ml/map ", "/ml/map/state", "/ml/map/columns", "/ml/map/labels")
"""Where points stand, and what their numbers mean: no source's words."""


def decoded(body: bytes, *, media: str = "") -> str:
    """All that an answer or a file holds, metadata of its columns included, as one text."""
    if body[:4] == b"PAR1":
        table = pq.read_table(io.BytesIO(body))
    elif body[:6] == b"ARROW1":
        table = pa.ipc.open_file(io.BytesIO(body)).read_all()
    elif "arrow" in media:
        table = pa.ipc.open_stream(io.BytesIO(body)).read_all()
    elif media == "application/octet-stream":  # numbers of the map, that hold no text
        return body.decode("latin-1")
    else:
        return body.decode()
    metadata = dict(table.schema.metadata or {})
    return "\n".join(texts_of([metadata, table.column_names, table.to_pylist()]))


def leaks(marks: Marks, text: str, level: RightsLevel) -> dict[str, set[str]]:
    """What a text shows of sources that its level bars."""
    shown = {source: marks.found(source, text) for source in barred(level)}
    return {source: found for source, found in shown.items() if found}


PLAYLIST_FORMS = ("m3u", "xspf", "jspf", "csv")


def _parameters(path: str, places: Mapping[str, str]) -> list[dict[str, str]]:
    """What else an endpoint is asked with; several where answers differ in kind."""
    if path == "/ml/feature-matrix":
        return [{"target": t} for t in ("aoty_score", "tempo", "genre")]
    if path == "/ml/path":
        return [{"start": places["start"], "end": places["end"], "steps": "2"}]
    if path == "/ml/playlist":
        return [{"track": places["start"]}]
    if path == "/ml/map/tracks":
        return [{"id": places["start"]}]
    if path == "/search":
        return [{"q": "tide harbour"}]
    if path == "/ml/overlooked":
        return [{"by": by, "what": what} for by in ("critics", "listeners") for what in ("albums", "tracks")]
    return [{}]


async def asked(app: Opened, level: RightsLevel) -> AsyncIterator[tuple[str, str]]:
    """The answers to questions that are posted, at a level, in every form."""
    album = (await app.client.get(f"/albums/{app.places['album_id']}", params={"rights": level.value})).json()
    track = album["tracks"][0]
    questions: dict[str, dict[str, Any]] = {
        "/ml/discover": {
            "wish": "about 100 bpm, dreamy", "like": {"tracks": [track["id"]]}, "unlike": {"artists": [track["artist"]]},
            "point": {"valence": 0, "arousal": 0},
        },
        "/ml/playlists/continue": {
            "tracks": [{"id": track["id"]}, {"artist": track["artist"], "title": "No such song"}, {"artist": "X", "title": "Y"}]
        },
    }  # fmt: skip
    for path, body in questions.items():
        for form in ("json", *PLAYLIST_FORMS):
            answer = await app.client.post(path, json=body, params={"rights": level.value, "format": form})
            assert answer.status_code == 200, answer.text
            # Our own words for energy, which are a mood that one of the sources says.
            said = answer.text.replace("very energetic", "").replace("hardly energetic", "")
            yield f"{path} {form}", said + str(sorted(answer.headers.items()))


async def answers(app: Opened, level: RightsLevel) -> AsyncIterator[tuple[str, str]]:
    """Every reading endpoint's answers at a level, twice: computed, and as it was kept."""
    for path in await readable(app.client):
        address = path.format_map(app.places | ({"name": "genre"} if path.startswith("/ml/map/") else {}))
        if path.startswith("/ml/map"):
            while (await app.client.get("/ml/map", params={"rights": level.value})).status_code == 202:
                await asyncio.sleep(0.1)  # it is being drawn
        forms: tuple[str | None, ...] = FORMS if path in {"/ml/training-data", "/ml/feature-matrix"} else (None,)
        more = _parameters(path, app.places)
        if path in {"/ml/path", "/ml/playlist"}:
            forms = (None, *PLAYLIST_FORMS)
        for form in forms:
            for extra in more:
                parameters = {"rights": level.value, **({"format": form} if form else {}), **extra}
                for _ in range(2):
                    answer = await app.client.get(address, params=parameters)
                    assert answer.status_code < 500 or path.startswith("/users"), (address, answer.text)
                    if not path.startswith("/users"):
                        assert answer.status_code == 200, (address, parameters, answer.text)
                    told = str(sorted(answer.headers.items()))
                    yield f"{path} {extra} {form}", decoded(answer.content, media=answer.headers["content-type"]) + told


async def exported(app: Opened, level: RightsLevel) -> AsyncIterator[tuple[str, str]]:
    """Every form of export at a level: the answer, the file, and what stands beside it."""
    for what in ("training-data", "feature-matrix"):
        for suffix in ("csv", "parquet", "arrow", "jsonl"):
            name = f"{level}-{what}.{suffix}"
            made = await app.client.post(f"/ml/export/{what}", params={"rights": level.value, "filename": name})
            assert made.status_code == 200, made.text
            yield f"export {name}", made.text
            for file in sorted((app.home / "exports").glob(f"{name}*")):
                yield file.name, decoded(file.read_bytes())


@pytest.mark.parametrize("level", LEVELS)
async def test_no_endpoint_shows_what_is_not_permitted(database: Database, tmp_path: Path, level: RightsLevel) -> None:
    async with marked_app(database, tmp_path) as app:
        shown = {}
        # The whole catalogue first: what is kept of it must not be taken for this level's.
        async for _ in answers(app, RightsLevel.ANY):
            pass
        async for what, text in asked(app, level):
            assert not leaks(app.marks, text, level), what
            assert app.marks.found("openfolk" if level is RightsLevel.OPEN else "clubnotes", text), what
        async for what, text in answers(app, level):
            assert not leaks(app.marks, text, level), what
            shown[what] = app.marks.found("openfolk" if level is RightsLevel.OPEN else "clubnotes", text)
    assert [what for what in shown if not shown[what] and not what.startswith(("/users", *SILENT))] == []


@pytest.mark.parametrize("level", LEVELS)
async def test_no_export_holds_what_is_not_permitted(database: Database, tmp_path: Path, level: RightsLevel) -> None:
    async with marked_app(database, tmp_path) as app:
        seen = 0
        async for what, text in exported(app, level):
            assert not leaks(app.marks, text, level), what
            seen += bool(app.marks.found("openfolk" if level is RightsLevel.OPEN else "clubnotes", text))
        assert seen == 24  # two data sets in four forms: the answer, the file, the report beside it


async def test_at_any_level_every_source_is_seen(database: Database, tmp_path: Path) -> None:
    # Else the checks above would hold of a catalogue in which there is nothing to be found.
    async with marked_app(database, tmp_path) as app:
        text = "".join([text async for _, text in answers(app, RightsLevel.ANY)])
    for source in PROFILES:
        assert len(app.marks.found(source, text)) > 5, source


async def test_a_mislabelled_source_is_noticed(database: Database, tmp_path: Path) -> None:
    async with marked_app(database, tmp_path, profiles=mislabelled("shopkeep")) as app:
        noticed = [
            what async for what, text in answers(app, RightsLevel.OPEN) if leaks(app.marks, text, RightsLevel.OPEN)
        ]
        files = [
            what async for what, text in exported(app, RightsLevel.OPEN) if leaks(app.marks, text, RightsLevel.OPEN)
        ]
        unseen = {path for path in await readable(app.client) if not f"{path} ".startswith(("/users", *SILENT))}
    assert not unseen - {what.split(" ")[0] for what in noticed}
    assert len(files) == 24


async def test_what_listeners_play_is_not_open(database: Database, tmp_path: Path) -> None:
    async with marked_app(database, tmp_path) as app:
        for address in (
            "/users/listener",
            "/users/listener/top/artists",
            "/users/listener/profile",
            "/users/listener/recommendations",
        ):
            answer = await app.client.get(address, params={"rights": "open"})
            assert answer.status_code == 422, answer.text
            assert "leave rights out" in answer.json()["detail"]


async def test_a_report_of_rights_names_sources_shares_and_terms(database: Database, tmp_path: Path) -> None:
    async with marked_app(database, tmp_path) as app:
        report: dict[str, Any] = (await app.client.get("/ml/rights", params={"rights": "open"})).json()
        everything = (await app.client.get("/ml/rights")).json()
    (only,) = report["sources"]
    assert (only["source"], only["rights"], only["share"]) == ("openfolk", "open", 1.0)
    assert only["terms"] == "The terms of openfolk."
    assert only["cells"] == report["cells"] > 0
    assert {s["source"] for s in everything["sources"]} >= {"shopkeep"}


@pytest.mark.parametrize("level", LEVELS)
async def test_python_and_the_command_line_show_no_more(
    database: Database, postgres_dsn: str, tmp_path: Path, level: RightsLevel
) -> None:
    marks = await fill(database)
    variables = {"DATABASE_URL": postgres_dsn, "TENSOE_HOME": str(tmp_path), "TENSOE_DEMO": "on"}
    with environment(**variables):
        x, y = get_feature_matrix(rights=level.value, target="tempo")
    assert len(x) == 9
    texts = {"matrix": "\n".join(texts_of([x.to_dict("records"), y.tolist()]))}
    assert marks.found("openfolk" if level is RightsLevel.OPEN else "clubnotes", texts["matrix"])
    async with database.connection() as connection:
        track = await connection.fetchval("SELECT min(id) FROM enhanced_tracks")
    commands = (
        ("export", "training-data", "rows.csv"), ("export", "feature-matrix", "matrix.csv"), ("recommend", track),
        ("discover", "about 100 bpm"), ("overlooked", "--tracks"), ("status",),
    )  # fmt: skip
    for words in commands:
        done = subprocess.run(
            [sys.executable, "-m", "backend.cli", *words, "--rights", level.value, "--json"],
            cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        json.loads(done.stdout)
        texts[words[0]] = texts.get(words[0], "") + done.stdout
    for file in (tmp_path / "exports").iterdir():
        texts[file.name] = file.read_text()
    assert len(texts) == 10
    for what, text in texts.items():
        assert not leaks(marks, text, level), what
