"""Metrics as Prometheus reads them and as people do."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from backend.metrics import Metrics


def _filled() -> Metrics:
    metrics = Metrics()
    metrics.http_request(method="GET", route="/albums/{album_id}", status=200, seconds=0.2)
    metrics.http_request(method="GET", route="/albums/{album_id}", status=200, seconds=0.4)
    metrics.source_request("lastfm", "ok", 0.3)
    metrics.ingested("complete")
    metrics.cache(True)
    metrics.cache(False)
    metrics.rate_limited()
    return metrics


def test_the_text_form_parses_and_holds_what_was_counted() -> None:
    families = {f.name: f for f in text_string_to_metric_families(_filled().render_text().decode())}
    (sample,) = [s for s in families["tensoe_http_requests"].samples if s.name.endswith("_total")]
    assert sample.labels == {"method": "GET", "route": "/albums/{album_id}", "status": "200"}
    assert sample.value == 2
    assert {"tensoe_source_requests", "tensoe_albums_ingested", "tensoe_cache_lookups"} <= families.keys()


def test_people_get_values_counts_and_means() -> None:
    shown = _filled().as_dict()
    assert shown["tensoe_albums_ingested"]["values"] == [{"labels": {"result": "complete"}, "value": 1.0}]
    (timing,) = shown["tensoe_http_request_seconds"]["values"]
    assert timing["count"] == 2
    assert abs(timing["mean"] - 0.3) < 1e-9
    assert {row["labels"]["result"]: row["value"] for row in shown["tensoe_cache_lookups"]["values"]} == {
        "hit": 1.0,
        "miss": 1.0,
    }


def test_two_applications_do_not_share_counters() -> None:
    _filled()
    assert Metrics().as_dict()["tensoe_albums_ingested"]["values"] == []
