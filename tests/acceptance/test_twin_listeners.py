"""A Last.fm listener of the twin: what is missing is named, ingested, and then known."""

from __future__ import annotations

from tests.fixtures.api import Open
from tests.fixtures.twin import Twin


async def test_from_what_is_wanted_to_recommendations(open_api: Open, twin: Twin) -> None:
    async with open_api(TENSOE_DEMO="off", **twin.environment()) as api:
        assert (await api.get("/users/listener-1/recommendations")).status_code == 404, "nothing is stored yet"
        wanted = (await api.get("/users/listener-1/wanted", params={"limit": 4})).json()
        plays = [album["plays"] for album in wanted["albums"]]
        assert plays == sorted(plays, reverse=True)
        for title, artist in wanted["batch"]["albums"]:
            answer = await api.post("/ml/ingest/album", json={"album_name": title, "artist_name": artist})
            assert answer.status_code == 200, answer.text
        left = (await api.get("/users/listener-1/wanted", params={"limit": 100})).json()
        assert not {tuple(a) for a in wanted["batch"]["albums"]} & {tuple(a) for a in left["batch"]["albums"]}

        found = (await api.get("/users/listener-1/profile")).json()
        assert 0 < found["coverage"]["track_share"] <= found["coverage"]["artist_share"] <= 1
        assert found["plays_known_share"] == found["coverage"]["artist_share"]
        assert found["mainstream"]["known_share"] > 0
        assert {"energy", "tempo"} <= found["spread"].keys()
        assert (await api.get("/users/listener-1/recommendations")).json()["familiar"]
        both = (await api.get("/users/listener-1/compare/listener-2")).json()
        assert 0 <= both["similarity"] <= 1
        assert (await api.get("/users/listener-501/profile")).status_code == 404
