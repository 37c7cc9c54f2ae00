"""Estimates of missing audio features: a small network that a user trains on his own rows, with 90 % intervals."""

from backend.features.estimate.estimator import Estimated, Estimator, fit

__all__ = ["Estimated", "Estimator", "fit"]
