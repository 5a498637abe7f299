"""Measure which ADMET endpoints help one another, group them, train the grouped model."""

__version__ = "0.1.0"
