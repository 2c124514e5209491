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
from .bursting import (
    Bursts as Bursts,
    MaxInterval as MaxInterval,
    PoissonSurprise as PoissonSurprise,
    bursts as bursts,
)
from .codes import (
    Codes as Codes,
    which_code as which_code,
)
from .dimensionality import (
    participation_ratio as participation_ratio,
    subspace_angles as subspace_angles,
)
from .distances import (
    isi_distance as isi_distance,
    spike_distance as spike_distance,
    spike_synchronisation as spike_synchronisation,
    van_rossum as van_rossum,
    victor_purpura as victor_purpura,
)
from .hazards import (
    Hazard as Hazard,
    hazard as hazard,
)
from .information import (
    Information as Information,
    binned as binned,
    information as information,
)
from .intervals import (
    IntervalHistogram as IntervalHistogram,
    cv as cv,
    cv2 as cv2,
    isi_histogram as isi_histogram,
    lv as lv,
    lvr as lvr,
    serial_correlation as serial_correlation,
)
from .processes import (
    bursty_trains as bursty_trains,
    gamma_trains as gamma_trains,
    inhomogeneous_trains as inhomogeneous_trains,
    poisson_trains as poisson_trains,
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
from .smoothing import (
    Alpha as Alpha,
    Boxcar as Boxcar,
    Exponential as Exponential,
    Gaussian as Gaussian,
)
from .variability import (
    allan_factor as allan_factor,
    fano_factor as fano_factor,
    synchrony as synchrony,
)
