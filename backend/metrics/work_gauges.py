"""Gauges of the work that all workers share; they show what was read last, and nothing while it cannot be read."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge

from backend.models.work import WorkFigures


class WorkGauges:
    """Rates and quotas by source and group, steps by source, albums by state.

    Args:
        registry: the application's.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def of_budget(name: str, said: str) -> Gauge:
            return Gauge(f"tensoe_source_{name}", said, ("source", "group"), registry=registry)

        self._allowed = of_budget("allowed_rate", "Requests a second that the settings allow.")
        self._rate = of_budget("rate", "Requests a second as refusals have taught.")
        self._used = of_budget("used_rate", "Requests a second over the last ten minutes, of all workers.")
        self._day = of_budget("day_requests", "Requests in the last 24 hours, of all workers.")
        self._quota = of_budget("day_quota", "Requests in 24 hours that a refusal taught are allowed.")
        self._parked = of_budget("parked_until_seconds", "Until when nothing is asked, seconds since 1970.")
        self._steps = Gauge("tensoe_source_steps", "Steps to be done.", ("source", "state"), registry=registry)
        self._oldest = Gauge(
            "tensoe_source_oldest_step_seconds",
            "How long the oldest queued step has waited.",
            ("source",),
            registry=registry,
        )
        self._albums = Gauge("tensoe_albums", "Albums of open jobs.", ("state",), registry=registry)
        self._up = Gauge("tensoe_database_up", "1 while the database answers.", registry=registry)
        self._labelled = (
            self._allowed, self._rate, self._used, self._day, self._quota, self._parked, self._steps, self._oldest,
            self._albums,
        )  # fmt: skip

    def show(self, figures: WorkFigures | None) -> None:
        """Show these figures, and no older ones."""
        for gauge in self._labelled:
            gauge.clear()
        self._up.set(figures is not None)
        if figures is None:
            return
        for b in figures.budgets:
            values = (
                (self._allowed, b.allowed), (self._rate, b.rate), (self._used, b.used), (self._day, b.day),
                (self._quota, b.quota), (self._parked, b.parked_until),
            )  # fmt: skip
            for gauge, value in values:
                if value is not None:
                    gauge.labels(b.source, b.group).set(value)
        for s in figures.steps:
            self._steps.labels(s.source, "queued").set(s.queued)
            self._steps.labels(s.source, "parked").set(s.parked)
            self._oldest.labels(s.source).set(s.oldest)
        for state, number in figures.albums.items():
            self._albums.labels(state).set(number)
