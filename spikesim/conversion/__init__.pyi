"""The public names of spikesim.conversion: this is their only list."""

from .certificate import (
    Certificate as Certificate,
    certify as certify,
)
from .files import (
    load as load,
    save as save,
)
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
from .leaky.convert import convert as convert
from .leaky.converted import Converted as Converted
from .leaky.methods import (
    Calibrated as Calibrated,
    FineTuned as FineTuned,
    OneFactor as OneFactor,
)
from .leaky.readout import Readout as Readout
from .leaky.targets import (
    ConductanceLIF as ConductanceLIF,
    CurrentLIF as CurrentLIF,
    QuadraticIzhikevich as QuadraticIzhikevich,
)
from .parts import (
    Part as Part,
    parts_of as parts_of,
)
from .trajectories import (
    Trajectories as Trajectories,
    trajectories as trajectories,
)
from .weights.files import (
    read_weights as read_weights,
)
from .weights.networks import (
    load_rate_network as load_rate_network,
    network_of_weights as network_of_weights,
)
