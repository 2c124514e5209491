"""The public names of spikesim.conversion: this is their only list."""

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
