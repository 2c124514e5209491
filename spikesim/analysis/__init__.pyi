"""The public names of spikesim.analysis: this is their only list."""

from .agreement import (
    Agreement as Agreement,
    agreement as agreement,
    ks_distance as ks_distance,
)
from .behaviour import (
    psychometric as psychometric,
    slopes as slopes,
)
