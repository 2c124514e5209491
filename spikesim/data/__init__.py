"""Data: spike trains, signals, and the files they live in."""
