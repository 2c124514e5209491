"""spikesim: spiking neural networks on the CPU, fast, without a compiler.

Names are loaded when they are first used, so that ``import spikesim`` stays quick.
"""

import importlib

__version__ = "0.1.0"

_HOMES = {
    "spikesim.distributions": ["LogNormal", "Normal", "Uniform"],
    "spikesim.edges": ["edge_columns", "read_edges"],
    "spikesim.engine.build": ["Build", "Synapses", "build", "check_memory"],
    "spikesim.engine.forecast": ["Forecast", "forecast"],
    "spikesim.engine.simulation": ["Result", "Simulation", "simulate"],
    "spikesim.equations": ["EquationError"],
    "spikesim.inputs": [
        "CorrelatedPoisson",
        "Current",
        "Gamma",
        "Poisson",
        "PoissonDeadTime",
        "PoissonRates",
        "Sampled",
        "Spikes",
        "WhiteNoise",
    ],
    "spikesim.model": [
        "Alpha",
        "Conductance",
        "Delta",
        "DoubleExponential",
        "DoubleExponentialConductance",
        "Exponential",
        "NMDA",
        "NeuronModel",
        "OrnsteinUhlenbeck",
        "Pulse",
        "Receptor",
        "WhiteCurrent",
    ],
    "spikesim.models": [
        "EIF",
        "GLIF",
        "LIF",
        "QIF",
        "AdEx",
        "AdaptiveLIF",
        "FitzHughNagumo",
        "HodgkinHuxley",
        "Izhikevich",
        "Izhikevich2007",
    ],
    "spikesim.network": ["Network", "Population", "Projection", "Static", "View"],
    "spikesim.recording": ["LFP", "Averages", "BinnedRate", "Mean", "Rate", "Samples", "Trace"],
    "spikesim.rules": [
        "AllToAll",
        "Box",
        "DistanceDelay",
        "DistanceDependent",
        "Edges",
        "ExponentialProfile",
        "FixedInDegree",
        "FixedOutDegree",
        "FixedProbability",
        "FixedTotal",
        "Gaussian",
        "OneToOne",
        "Pairs",
    ],
    "spikesim.spiketrains": ["SpikeTrains"],
    "spikesim.storage": ["info", "open_spikes", "read_report"],
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

_MODULES = "networks", "plots", "rate", "rate_plots"

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOME:
        from spikesim.names import missing

        raise missing(__name__, name, __all__)
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *_MODULES, *__all__]
