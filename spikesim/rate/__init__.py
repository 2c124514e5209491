"""Rate models of networks and their training by gradients, in NumPy alone.

Arrays are (time, trials, units); weights are (to, from). Names are loaded when they are first
used.
"""

import importlib

_HOMES = {
    "spikesim.rate.activations": [
        "Linear",
        "Rectified",
        "Sigmoid",
        "Softplus",
        "Table",
        "Tanh",
        "named",
    ],
    "spikesim.rate.eprop": ["EProp"],
    "spikesim.rate.feedforward": ["FeedForward", "McCullochPitts"],
    "spikesim.rate.files": ["History", "load", "load_history", "model_info", "save"],
    "spikesim.rate.force": ["Force"],
    "spikesim.rate.gated": ["GRU", "LSTM", "SubLSTM", "effective_tau"],
    "spikesim.rate.leaky": ["DaleRNN", "LeakyRNN", "LowRankRNN", "areas"],
    "spikesim.rate.losses": [
        "cross_entropy",
        "l1",
        "l2",
        "metabolic",
        "squared",
        "vanishing",
    ],
    "spikesim.rate.network": ["RateNetwork"],
    "spikesim.rate.optimizers": ["SGD", "Adam"],
    "spikesim.rate.spiking": [
        "SNU",
        "ALIFCell",
        "FastSigmoid",
        "Gaussian",
        "LIFCell",
        "Triangle",
        "firing_rate_cost",
    ],
    "spikesim.rate.tape": ["Tape"],
    "spikesim.rate.tasks": [
        "Task",
        "Trials",
        "context_integration",
        "digits",
        "flipflop",
        "go_nogo",
        "perceptual_decision",
        "psychometric",
        "sine",
        "slopes",
        "xor",
    ],
    "spikesim.rate.training": ["respond", "train"],
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        from spikesim.names import missing

        raise missing(__name__, name, __all__)
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
