"""What is counted while the server runs: every name in one place, `metrics.py`."""

from backend.metrics.metrics import Metrics

__all__ = ["Metrics"]
