"""Matrices and similarity, computed from Arrow tables of tracks; knows neither the database nor HTTP."""
