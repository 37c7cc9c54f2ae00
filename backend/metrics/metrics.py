"""Every metric of Tensoe, in one registry per application, as Prometheus text and as values for people."""

from __future__ import annotations

import time
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric

from backend.metrics.work_gauges import WorkGauges
from backend.models.work import WorkFigures

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Counters and histograms; safe to call from any thread.

    Route labels are templates (`/albums/{album_id}`), never paths, so that their number stays small.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        here = self.registry
        self._http = Counter("tensoe_http_requests", "Requests answered.", ("method", "route", "status"), registry=here)
        self._http_seconds = Histogram(
            "tensoe_http_request_seconds",
            "Seconds until the answer was sent.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=here,
        )
        self._source = Counter(
            "tensoe_source_requests", "Requests sent to sources.", ("source", "outcome"), registry=here
        )
        self._source_seconds = Histogram(
            "tensoe_source_request_seconds",
            "Seconds a source took.",
            ("source",),
            buckets=_SECONDS,
            registry=here,
        )
        self._of_route: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._of_source: dict[tuple[str, str], tuple[Counter, Histogram]] = {}
        self._albums = Counter("tensoe_albums_ingested", "Albums ingested.", ("result",), registry=here)
        self._cache = Counter("tensoe_cache_lookups", "Looks into the cache.", ("result",), registry=here)
        self._limited = Counter("tensoe_http_rate_limited", "Requests refused by the rate limit.", registry=here)
        self._work = WorkGauges(here)
        started = Gauge("tensoe_start_time_seconds", "When the server started, seconds since 1970.", registry=here)
        started.set(time.time())

    def http_request(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        counted = self._of_route.get((method, route, status))
        if counted is None:
            counted = self._http.labels(method, route, str(status)), self._http_seconds.labels(method, route)
            self._of_route[method, route, status] = counted
        requests, took = counted
        requests.inc()
        took.observe(seconds)

    def source_request(self, source: str, outcome: str, seconds: float) -> None:
        """Count a request sent to a source; `outcome` is ok or what kept it from being so."""
        counted = self._of_source.get((source, outcome))
        if counted is None:
            # Looked up once: by labels it takes as long as counting.
            counted = self._source.labels(source, outcome), self._source_seconds.labels(source)
            self._of_source[source, outcome] = counted
        requests, took = counted
        requests.inc()
        took.observe(seconds)

    def ingested(self, result: str) -> None:
        """Count an album whose ingestion ended."""
        self._albums.labels(str(result)).inc()

    def cache(self, hit: bool) -> None:
        """Count a look into the cache."""
        self._cache.labels("hit" if hit else "miss").inc()

    def rate_limited(self) -> None:
        """Count a request that the rate limit refused."""
        self._limited.inc()

    def work(self, figures: WorkFigures | None) -> None:
        """Show how the work of all workers stands; None while nobody knows."""
        self._work.show(figures)

    def render_text(self) -> bytes:
        """Everything in Prometheus' text form (version 0.0.4)."""
        return generate_latest(self.registry)

    def as_dict(self) -> dict[str, Any]:
        """Everything for people: name -> help, and per set of labels the value, or count, sum and mean."""
        return {
            metric.name: {"help": metric.documentation, "values": _values(metric)} for metric in self.registry.collect()
        }


def _values(metric: Metric) -> list[dict[str, Any]]:
    rows: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
    for sample in metric.samples:
        kind = sample.name.removeprefix(metric.name).lstrip("_") or "value"
        if kind in {"bucket", "created"}:
            continue
        labels = tuple(sorted(sample.labels.items()))
        row = rows.setdefault(labels, {"labels": dict(labels)})
        row["value" if kind == "total" else kind] = sample.value
    for row in rows.values():
        if row.get("count"):
            row["mean"] = row["sum"] / row["count"]
    return list(rows.values())
