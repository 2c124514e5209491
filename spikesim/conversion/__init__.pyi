"""The public names of spikesim.conversion: this is their only list."""

from .certificate import (
    Certificate as Certificate,
    certify as certify,
)
from .convert import convert as convert
from .converted import Converted as Converted
from .methods import (
    Calibrated as Calibrated,
    FineTuned as FineTuned,
    OneFactor as OneFactor,
)
from .readout import Readout as Readout
from .targets import (
    ConductanceLIF as ConductanceLIF,
    CurrentLIF as CurrentLIF,
    QuadraticIzhikevich as QuadraticIzhikevich,
)
