"""The public names of spikesim.analysis: this is their only list."""

from .bands import (
    CorrelogramTest as CorrelogramTest,
    correlogram_test as correlogram_test,
)
from .behaviour import (
    psychometric as psychometric,
    slopes as slopes,
)
from .correlation import (
    CountCovariance as CountCovariance,
    count_autocorrelation as count_autocorrelation,
    count_correlation as count_correlation,
    count_covariance as count_covariance,
    noise_correlation as noise_correlation,
    signal_correlation as signal_correlation,
)
from .lags import (
    Correlograms as Correlograms,
    autocorrelograms as autocorrelograms,
    correlogram as correlogram,
    correlograms as correlograms,
)
from .spectra import (
    Coherence as Coherence,
    Spectrum as Spectrum,
    coherence as coherence,
    power_spectrum as power_spectrum,
)
from .surrogate_tests import (
    SurrogateTest as SurrogateTest,
    surrogate_test as surrogate_test,
)
from .surrogates import (
    Dither as Dither,
    Jitter as Jitter,
    Shift as Shift,
    TrialShuffle as TrialShuffle,
    surrogate_seed as surrogate_seed,
)
from .tiling import (
    spike_time_tiling as spike_time_tiling,
)
