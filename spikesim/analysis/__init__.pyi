"""The public names of spikesim.analysis: this is their only list."""

from .behaviour import (
    psychometric as psychometric,
    slopes as slopes,
)
