"""The public names of spikesim.analysis: this is their only list."""

from .behaviour import (
    psychometric as psychometric,
    slopes as slopes,
)
from .codes import (
    Codes as Codes,
    which_code as which_code,
)
from .cross_validation import (
    Decoded as Decoded,
    cross_validate as cross_validate,
)
from .decoding import (
    LinearDecoder as LinearDecoder,
    LinearFit as LinearFit,
    NaiveBayes as NaiveBayes,
    NaiveBayesFit as NaiveBayesFit,
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
from .population_vector import (
    PopulationVector as PopulationVector,
    population_vector as population_vector,
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
from .selectivity import (
    information_per_spike as information_per_spike,
    preferred_value as preferred_value,
    tuning_width as tuning_width,
)
from .smoothing import (
    Alpha as Alpha,
    Boxcar as Boxcar,
    Exponential as Exponential,
    Gaussian as Gaussian,
)
from .tuning import (
    TuningCurves as TuningCurves,
    tuning_by_trial as tuning_by_trial,
    tuning_curves as tuning_curves,
)
