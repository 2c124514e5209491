"""Measurements of speed and of what precision does to results: ``python -m benchmarks``."""
