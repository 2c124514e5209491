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
from .distances import (
    isi_distance as isi_distance,
    spike_distance as spike_distance,
    spike_synchronisation as spike_synchronisation,
    van_rossum as van_rossum,
    victor_purpura as victor_purpura,
)
from .profiles import (
    Coincidences as Coincidences,
    Profile as Profile,
    isi_profile as isi_profile,
    spike_profile as spike_profile,
    synchronisation_profile as synchronisation_profile,
)
