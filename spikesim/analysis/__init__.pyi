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
from .latency import (
    Latencies as Latencies,
    PsthLatency as PsthLatency,
    first_spike_latency as first_spike_latency,
    psth_latency as psth_latency,
)
from .rank_order import (
    RankOrder as RankOrder,
    rank_order as rank_order,
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
