"""The public names of spikesim.analysis: this is their only list."""

from .agreement import (
    Agreement as Agreement,
    agreement as agreement,
    ks_distance as ks_distance,
)
from .bases import (
    Exponentials as Exponentials,
    RaisedCosines as RaisedCosines,
    Steps as Steps,
)
from .behaviour import (
    psychometric as psychometric,
    slopes as slopes,
)
from .circular import (
    circular_sd as circular_sd,
    circular_variance as circular_variance,
    mean_vector as mean_vector,
    von_mises_kappa as von_mises_kappa,
)
from .codes import (
    Codes as Codes,
    which_code as which_code,
)
from .distances import (
    isi_distance as isi_distance,
    spike_distance as spike_distance,
    spike_synchronisation as spike_synchronisation,
    van_rossum as van_rossum,
    victor_purpura as victor_purpura,
)
from .fields import (
    PlaceFields as PlaceFields,
    find_laps as find_laps,
    place_fields as place_fields,
    positions_at as positions_at,
)
from .glm import (
    Filter as Filter,
    PointProcessGLM as PointProcessGLM,
    fit_glm as fit_glm,
)
from .information import (
    Information as Information,
    binned as binned,
    information as information,
)
from .lines import (
    CircularLinear as CircularLinear,
    circular_linear as circular_linear,
)
from .locking import (
    Locking as Locking,
    PhaseRates as PhaseRates,
    pairwise_phase_consistency as pairwise_phase_consistency,
    phase_locking as phase_locking,
    phase_rates as phase_rates,
    rayleigh_test as rayleigh_test,
)
from .phase import (
    Phase as Phase,
    cycle_phase as cycle_phase,
    hilbert_phase as hilbert_phase,
    periodic_phase as periodic_phase,
    spike_phases as spike_phases,
)
from .precession import (
    Lines as Lines,
    Precession as Precession,
    phase_precession as phase_precession,
)
from .profiles import (
    Coincidences as Coincidences,
    Profile as Profile,
    isi_profile as isi_profile,
    spike_profile as spike_profile,
    synchronisation_profile as synchronisation_profile,
)
from .rates import (
    Psth as Psth,
    RateCurves as RateCurves,
    instantaneous_rate as instantaneous_rate,
    poisson_interval as poisson_interval,
    psth as psth,
)
from .rescaling import (
    Rescaling as Rescaling,
    time_rescaling as time_rescaling,
)
from .smoothing import (
    Alpha as Alpha,
    Boxcar as Boxcar,
    Exponential as Exponential,
    Gaussian as Gaussian,
)
from .spike_field import (
    SpikeFieldCoherence as SpikeFieldCoherence,
    TriggeredAverage as TriggeredAverage,
    spike_field_coherence as spike_field_coherence,
    spike_triggered_average as spike_triggered_average,
)
