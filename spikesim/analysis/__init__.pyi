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
from .information import (
    Information as Information,
    binned as binned,
    information as information,
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
