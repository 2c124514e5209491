"""The public names of spikesim.analysis: this is their only list."""

from .behaviour import (
    psychometric as psychometric,
    slopes as slopes,
)
from .codes.compared import (
    Codes as Codes,
    which_code as which_code,
)
from .codes.cross_validation import (
    Decoded as Decoded,
    cross_validate as cross_validate,
)
from .codes.decoding import (
    LinearDecoder as LinearDecoder,
    LinearFit as LinearFit,
    NaiveBayes as NaiveBayes,
    NaiveBayesFit as NaiveBayesFit,
)
from .codes.information import (
    Information as Information,
    binned as binned,
    information as information,
)
from .codes.latency import (
    Latencies as Latencies,
    PsthLatency as PsthLatency,
    first_spike_latency as first_spike_latency,
    psth_latency as psth_latency,
)
from .codes.population_vector import (
    PopulationVector as PopulationVector,
    population_vector as population_vector,
)
from .codes.rank_order import (
    RankOrder as RankOrder,
    rank_order as rank_order,
)
from .codes.rates import (
    Psth as Psth,
    RateCurves as RateCurves,
    instantaneous_rate as instantaneous_rate,
    poisson_interval as poisson_interval,
    psth as psth,
)
from .codes.selectivity import (
    information_per_spike as information_per_spike,
    preferred_value as preferred_value,
    tuning_width as tuning_width,
)
from .codes.smoothing import (
    Alpha as Alpha,
    Boxcar as Boxcar,
    Exponential as Exponential,
    Gaussian as Gaussian,
)
from .codes.tuning import (
    TuningCurves as TuningCurves,
    tuning_by_trial as tuning_by_trial,
    tuning_curves as tuning_curves,
)
from .models.bases import (
    Exponentials as Exponentials,
    RaisedCosines as RaisedCosines,
    Steps as Steps,
)
from .models.glm import (
    GLMFilter as GLMFilter,
    PointProcessGLM as PointProcessGLM,
    fit_glm as fit_glm,
)
from .models.rescaling import (
    Rescaling as Rescaling,
    time_rescaling as time_rescaling,
)
from .pairs.bands import (
    CorrelogramTest as CorrelogramTest,
    correlogram_test as correlogram_test,
)
from .pairs.correlation import (
    CountCovariance as CountCovariance,
    count_autocorrelation as count_autocorrelation,
    count_correlation as count_correlation,
    count_covariance as count_covariance,
    noise_correlation as noise_correlation,
    signal_correlation as signal_correlation,
)
from .pairs.correlograms import (
    Correlograms as Correlograms,
    autocorrelograms as autocorrelograms,
    correlogram as correlogram,
    correlograms as correlograms,
)
from .pairs.distances import (
    isi_distance as isi_distance,
    spike_distance as spike_distance,
    spike_synchronisation as spike_synchronisation,
    van_rossum as van_rossum,
    victor_purpura as victor_purpura,
)
from .pairs.profiles import (
    Coincidences as Coincidences,
    Profile as Profile,
    isi_profile as isi_profile,
    spike_profile as spike_profile,
    synchronisation_profile as synchronisation_profile,
)
from .pairs.spectra import (
    Coherence as Coherence,
    Spectrum as Spectrum,
    coherence as coherence,
    power_spectrum as power_spectrum,
)
from .pairs.surrogate_tests import (
    SurrogateTest as SurrogateTest,
    surrogate_test as surrogate_test,
)
from .pairs.surrogates import (
    Dither as Dither,
    Jitter as Jitter,
    Shift as Shift,
    TrialShuffle as TrialShuffle,
    surrogate_seed as surrogate_seed,
)
from .pairs.tiling import (
    spike_time_tiling as spike_time_tiling,
)
from .phases.circular import (
    circular_sd as circular_sd,
    circular_variance as circular_variance,
    mean_vector as mean_vector,
    von_mises_kappa as von_mises_kappa,
)
from .phases.fields import (
    PlaceFields as PlaceFields,
    find_laps as find_laps,
    place_fields as place_fields,
    positions_at as positions_at,
)
from .phases.lines import (
    CircularLinear as CircularLinear,
    circular_linear as circular_linear,
)
from .phases.locking import (
    Locking as Locking,
    PhaseRates as PhaseRates,
    pairwise_phase_consistency as pairwise_phase_consistency,
    phase_locking as phase_locking,
    phase_rates as phase_rates,
    rayleigh_test as rayleigh_test,
)
from .phases.phase import (
    Phase as Phase,
    cycle_phase as cycle_phase,
    hilbert_phase as hilbert_phase,
    periodic_phase as periodic_phase,
    spike_phases as spike_phases,
)
from .phases.precession import (
    PhaseLines as PhaseLines,
    Precession as Precession,
    phase_precession as phase_precession,
)
from .phases.sequences import (
    Compression as Compression,
    ThetaSequences as ThetaSequences,
    sequence_compression as sequence_compression,
    theta_sequences as theta_sequences,
)
from .phases.spike_field import (
    SpikeFieldCoherence as SpikeFieldCoherence,
    TriggeredAverage as TriggeredAverage,
    spike_field_coherence as spike_field_coherence,
    spike_triggered_average as spike_triggered_average,
)
from .runs import (
    Agreement as Agreement,
    agreement as agreement,
    ks_distance as ks_distance,
)
from .similarity import cka as cka
from .trains.bursting import (
    Bursts as Bursts,
    MaxInterval as MaxInterval,
    PoissonSurprise as PoissonSurprise,
    bursts as bursts,
)
from .trains.dimensionality import (
    participation_ratio as participation_ratio,
    subspace_angles as subspace_angles,
)
from .trains.hazards import (
    Hazard as Hazard,
    hazard as hazard,
)
from .trains.intervals import (
    IntervalHistogram as IntervalHistogram,
    cv as cv,
    cv2 as cv2,
    isi_histogram as isi_histogram,
    lv as lv,
    lvr as lvr,
    serial_correlation as serial_correlation,
)
from .trains.processes import (
    bursty_trains as bursty_trains,
    gamma_trains as gamma_trains,
    inhomogeneous_trains as inhomogeneous_trains,
    poisson_trains as poisson_trains,
)
from .trains.variability import (
    allan_factor as allan_factor,
    fano_factor as fano_factor,
    synchrony as synchrony,
)
