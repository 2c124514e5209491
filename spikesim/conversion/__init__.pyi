"""The public names of spikesim.conversion: this is their only list."""

from .certificate import (
    Certificate as Certificate,
    certify as certify,
)
from .convert import convert as convert
from .converted import Converted as Converted
from .layers.convert import (
    convert_layers as convert_layers,
)
from .layers.report import (
    LayersReport as LayersReport,
)
from .layers.spiking import (
    LayersRun as LayersRun,
    SpikingLayers as SpikingLayers,
)
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
from .weights.files import (
    read_weights as read_weights,
)
from .weights.networks import (
    load_rate_network as load_rate_network,
    network_of_weights as network_of_weights,
)
