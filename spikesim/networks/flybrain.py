"""The whole brain of a fly: 127,400 neurons and 14.7 million weighted edges.

Shiu PK, Sterne GR, Spiller N, et al. (2024). A Drosophila computational brain model reveals
sensorimotor processing. Nature 634:210-219. The wiring is that of FlyWire (Dorkenwald et al. 2024,
Nature 634:124-138); where its table is not at hand, a random network of the same size stands in.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

import spikesim as ss

SIZE = 127_400
EDGES = 14_700_000
LARGEST_OUT_DEGREE = 9_600
INHIBITORY = 0.4  # share of the neurons

WEIGHT = 0.275  # mV of g for each synapse of an edge
KICK = 68.75  # mV onto v for each spike of the stimulus: more than enough
REST, THRESHOLD = -52.0, -45.0  # mV
TAU_M, TAU_G = 20.0, 5.0  # ms
T_REF = 2.2  # ms
DELAY = 1.8  # ms

ANSWERS = True  # a run says which neurons spiked
SENSORY = 21  # neurons that are driven unless others are named: the first
RATE = 200.0  # Hz

# Columns of an edge table: our own, and those of the authors' file.
COLUMNS = [
    ("source", "target", "count"),
    ("Presynaptic_Index", "Postsynaptic_Index", "Excitatory x Connectivity"),
]

# Of the random network. Out-degrees and synapses per edge are e to the power of a normal variable;
# the SD of the first makes the largest out-degree that of the fly. A fly's edge has 3.7 synapses on
# average, but its wiring is not random: here it takes more until a few hundred neurons answer to
# the 21 (275, 282, 182 and 448 with seeds 1 to 4).
OUT_DEGREE_SD = 1.15
COUNT_MEAN, COUNT_SD = 6.0, 1.5


def network(
    seed: int = 1,
    scale: float = 1.0,
    edges: str | Path | None = None,
    stimulate: Mapping[int, float] | None = None,
) -> ss.Network:
    """Describe the brain.

    dv/dt = (REST - v + g) / TAU_M and dg/dt = -g / TAU_G, both at rest while refractory, when
    arriving input is lost; a spike at v > THRESHOLD sets v to REST and g to 0.

    Parameters
    ----------
    seed : int
    scale : float
        Multiplies the neurons of the random network; degrees stay as they are.
    edges : path
        Table (CSV, Parquet) of the edges: source, target, signed number of synapses, in columns
        named as in ``COLUMNS``. Neurons are numbered from 0. Default: a random network.
    stimulate : mapping of neuron to rate
        Neurons that are driven by Poisson trains, and their rates (Hz). They have no refractory
        time. Default: the first 21 at 200 Hz.
    """
    net = ss.Network(seed=seed, name="flybrain")
    if edges is None:
        size = max(SENSORY, round(SIZE * scale))
        wiring = random_edges(size, seed)
    else:
        if scale != 1.0:
            raise ValueError(f"scale is {scale}; a network from a table of edges has its own size.")
        wiring = _read(Path(edges))
        size = int(max(wiring.sources.max(), wiring.targets.max())) + 1
    rates = _rates(stimulate, size)
    neuron = ss.NeuronModel(
        name="fly",
        equations="""
            dv/dt = (e_l - v + g) / tau_m : mV
            dg/dt = -g / tau_g : mV""",
        threshold="v > v_th",
        reset="v = e_l; g = 0",
        refractory="t_ref",
        hold=("v", "g"),
        parameters={
            "tau_m": f"{TAU_M} ms",
            "tau_g": f"{TAU_G} ms",
            "e_l": f"{REST} mV",
            "v_th": f"{THRESHOLD} mV",
            "t_ref": f"{T_REF} ms",
        },
        receptors={"synapse": ss.Receptor("mV", arrival="g += w"), "kick": ss.Delta()},
        initial={"v": "e_l"},
        values={"t_ref": np.where(rates > 0, 0.0, T_REF)},
    )
    brain = net.population("brain", size, neuron)
    net.connect(brain, brain, wiring, delay=DELAY, receptor="synapse")
    net.drive(brain, ss.Poisson(rates, KICK), receptor="kick", name="stimulus")
    return net


def random_edges(size: int, seed: int) -> ss.Edges:
    """Edges among ``size`` neurons with the degrees and weights of a fly's brain.

    Out-degrees and numbers of synapses are drawn from log-normal distributions, targets evenly.
    All outputs of a neuron have one sign.
    """
    random = np.random.default_rng([seed, size])
    degrees = np.exp(OUT_DEGREE_SD * random.standard_normal(size))
    degrees *= EDGES / SIZE / degrees.mean()
    degrees = np.minimum(np.rint(degrees), min(LARGEST_OUT_DEGREE, size)).astype(np.int64)
    sources = np.repeat(np.arange(size, dtype=np.int32), degrees)
    targets = random.integers(0, size, sources.size, dtype=np.int32)
    spread = COUNT_SD * random.standard_normal(sources.size, dtype=np.float32)
    counts = np.ceil(np.exp(spread + np.float32(np.log(COUNT_MEAN) - COUNT_SD**2 / 2)))
    signs = np.where(random.random(size) < INHIBITORY, -WEIGHT, WEIGHT)
    return ss.Edges(sources, targets, counts * np.repeat(signs, degrees))


def _read(path: Path) -> ss.Edges:
    names = ss.edge_columns(path)
    columns = [three for three in COLUMNS if set(three) <= set(names)]
    if not columns:
        wanted = " or ".join(", ".join(map(repr, three)) for three in COLUMNS)
        known = ", ".join(map(repr, names))
        raise ValueError(f"{path}: the columns are {known}; needed: {wanted}.")
    table = ss.read_edges(path, *columns[0])
    highest = max(table.sources.max(), table.targets.max())
    if highest >= 2**31:
        raise ValueError(
            f"{path}: a neuron has the number {highest}, which looks like an id of a connectome; "
            "neurons are numbered from 0 here."
        )
    return ss.Edges(table.sources, table.targets, WEIGHT * table.weights)


def _rates(stimulate: Mapping[int, float] | None, size: int) -> np.ndarray:
    """Rate of the stimulus (Hz) of every neuron."""
    if stimulate is None:
        stimulate = dict.fromkeys(range(SENSORY), RATE)
    rates = np.zeros(size)
    for neuron, rate in stimulate.items():
        if not 0 <= neuron < size:
            raise ValueError(
                f"stimulate names neuron {neuron}; the brain has {size:,}, numbered from 0."
            )
        rates[neuron] = rate
    return rates
