"""The public names of spikesim.conversion: this is their only list."""

from .certificate import (
    Certificate as Certificate,
    certify as certify,
)
from .files import (
    load as load,
    save as save,
)
from .force import (
    ForceResult as ForceResult,
    SpikingForce as SpikingForce,
    train_force as train_force,
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
from .nef.ensemble import (
    NEF as NEF,
    Ensemble as Ensemble,
    ensemble as ensemble,
    rectified_lif as rectified_lif,
)
from .nef.of_rates import (
    nef_of_rates as nef_of_rates,
)
from .nef.system import (
    NEFNetwork as NEFNetwork,
    dynamical_system as dynamical_system,
    linear_system as linear_system,
)
from .nir.data import (
    read_nir_data as read_nir_data,
    to_nir_data as to_nir_data,
    write_nir_data as write_nir_data,
)
from .nir.read import (
    read_nir as read_nir,
)
from .nir.rules import (
    NIRRules as NIRRules,
    nir_rules as nir_rules,
)
from .nir.write import (
    to_nir as to_nir,
    write_nir as write_nir,
)
from .parts import (
    Part as Part,
    parts_of as parts_of,
)
from .steps.cells import (
    step_network as step_network,
)
from .steps.compare import (
    SpikeComparison as SpikeComparison,
    compare_spikes as compare_spikes,
    compare_with_rate as compare_with_rate,
)
from .steps.maps import (
    StepMap as StepMap,
)
from .steps.network import (
    StepNetwork as StepNetwork,
)
from .steps.neuron import (
    StepFilter as StepFilter,
    StepNeuron as StepNeuron,
)
from .steps.run import (
    StepRun as StepRun,
    run_steps as run_steps,
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
