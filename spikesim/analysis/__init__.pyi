"""The public names of spikesim.analysis: this is their only list."""

from .behaviour import (
    psychometric as psychometric,
    slopes as slopes,
)
from .codes import (
    Codes as Codes,
    which_code as which_code,
)
from .information import (
    Information as Information,
    binned as binned,
    information as information,
)
from .rates import (
    Psth as Psth,
    RateCurves as RateCurves,
    instantaneous_rate as instantaneous_rate,
    poisson_interval as poisson_interval,
    psth as psth,
)
from .smoothing import (
    Alpha as Alpha,
    Boxcar as Boxcar,
    Exponential as Exponential,
    Gaussian as Gaussian,
)
