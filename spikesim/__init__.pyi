"""The public names of spikesim: this is their only list."""

from . import (
    analysis as analysis,
    conversion as conversion,
    interop as interop,
    networks as networks,
    plots as plots,
    rate as rate,
)
from .codegen.source import (
    source as source,
)
from .data.aligned import (
    AlignedTrains as AlignedTrains,
)
from .data.report_files import (
    read_report as read_report,
)
from .data.session import (
    Session as Session,
)
from .data.signals import (
    Averages as Averages,
    BinnedRate as BinnedRate,
    Samples as Samples,
)
from .data.spike_files import (
    info as info,
    open_spikes as open_spikes,
    write_spikes as write_spikes,
)
from .data.spiketrains import (
    SpikeTrains as SpikeTrains,
)
from .data.windows import (
    Windows as Windows,
)
from .description.distributions import (
    LogNormal as LogNormal,
    Normal as Normal,
    Uniform as Uniform,
)
from .description.edges import (
    Edges as Edges,
)
from .description.equations import (
    EquationError as EquationError,
)
from .description.files import (
    load_network as load_network,
    save_network as save_network,
)
from .description.inputs import (
    CorrelatedPoisson as CorrelatedPoisson,
    Current as Current,
    Gamma as Gamma,
    Poisson as Poisson,
    PoissonDeadTime as PoissonDeadTime,
    PoissonRates as PoissonRates,
    Sampled as Sampled,
    Spikes as Spikes,
    WhiteNoise as WhiteNoise,
)
from .description.network import (
    Network as Network,
)
from .description.neuron import (
    NeuronModel as NeuronModel,
)
from .description.neurons.adex import (
    EIF as EIF,
    AdEx as AdEx,
)
from .description.neurons.fitzhugh_nagumo import (
    FitzHughNagumo as FitzHughNagumo,
)
from .description.neurons.glif import (
    GLIF as GLIF,
)
from .description.neurons.hodgkin_huxley import (
    HodgkinHuxley as HodgkinHuxley,
)
from .description.neurons.izhikevich import (
    Izhikevich as Izhikevich,
    Izhikevich2007 as Izhikevich2007,
)
from .description.neurons.lif import (
    LIF as LIF,
    AdaptiveLIF as AdaptiveLIF,
)
from .description.neurons.qif import (
    QIF as QIF,
)
from .description.population import (
    Population as Population,
    View as View,
)
from .description.projection import (
    Projection as Projection,
    Static as Static,
)
from .description.receptors import (
    NMDA as NMDA,
    Alpha as Alpha,
    Conductance as Conductance,
    Delta as Delta,
    DoubleExponential as DoubleExponential,
    DoubleExponentialConductance as DoubleExponentialConductance,
    Exponential as Exponential,
    OrnsteinUhlenbeck as OrnsteinUhlenbeck,
    Pulse as Pulse,
    Receptor as Receptor,
    WhiteCurrent as WhiteCurrent,
)
from .description.recording import (
    LFP as LFP,
    Mean as Mean,
    Rate as Rate,
    Trace as Trace,
)
from .description.rules import (
    AllToAll as AllToAll,
    Box as Box,
    DistanceDelay as DistanceDelay,
    DistanceDependent as DistanceDependent,
    ExponentialProfile as ExponentialProfile,
    FixedInDegree as FixedInDegree,
    FixedOutDegree as FixedOutDegree,
    FixedProbability as FixedProbability,
    FixedTotal as FixedTotal,
    Gaussian as Gaussian,
    OneToOne as OneToOne,
    Pairs as Pairs,
)
from .engine.build import (
    Build as Build,
    build as build,
    synapses as synapses,
)
from .engine.decode import Synapses as Synapses
from .engine.forecast import (
    Forecast as Forecast,
    forecast as forecast,
)
from .engine.memory import check_memory as check_memory
from .engine.result import Result as Result
from .engine.simulation import (
    Simulation as Simulation,
    simulate as simulate,
)
from .engine.trials import (
    TrialResult as TrialResult,
    simulate_trials as simulate_trials,
)
from .interop.edges import (
    edge_columns as edge_columns,
    read_edges as read_edges,
)

__version__: str
