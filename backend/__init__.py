"""Tensoe: music data for machine learning, every value with its origin and rights."""

__version__ = "0.1.0"
