"""Spikes and losses that must stay as they are, to the last bit, whatever is moved in the code.

``python tests/test_checksums.py`` records them anew: after a change that means to alter results,
which the changelog then says.
"""

import hashlib
import importlib
import json
from pathlib import Path

import numpy as np
import pytest

import spikesim as ss
from spikesim import rate

RECORDED = Path(__file__).parent / "reference" / "checksums.json"
PRECISIONS = "single", "double"
SPOTS = np.random.default_rng(5).uniform(0, 100, (300, 2))  # positions


def network(name, **options):
    return importlib.import_module(f"spikesim.networks.{name}").network(**options)


def pair(seed=7):
    """Two populations; the first is kept busy."""
    net = ss.Network(seed=seed)
    exc = net.population("exc", 300, ss.LIF(), init={"v": ss.Uniform(-70, -51)}, positions=SPOTS)
    inh = net.population("inh", 300, ss.LIF(), init={"v": ss.Uniform(-70, -51)}, positions=SPOTS)
    net.drive(exc, ss.Current(320.0))
    return net, exc, inh


def wired(rule, weight=90.0, delay=1.5):
    net, exc, inh = pair()
    net.connect(exc, [exc, inh], rule, weight=weight, delay=delay, receptor="exc")
    return net


def driven(given, receptor="exc"):
    net, _, inh = pair()
    net.drive(inh, given, receptor=receptor)
    return net


def trains():
    random = np.random.default_rng(3)
    return [np.sort(random.uniform(0, 60, 20)) for _ in range(300)]


def pairs():
    random = np.random.default_rng(4)
    return ss.Pairs(random.integers(0, 300, 4000), random.integers(0, 300, 4000))


def matrix(shape, low=20.0, high=160.0):
    return np.random.default_rng(6).uniform(low, high, shape)


RULES = {
    "FixedProbability": lambda: wired(ss.FixedProbability(0.05, autapses=False)),
    "FixedInDegree": lambda: wired(ss.FixedInDegree(15, multapses=False)),
    "FixedOutDegree": lambda: wired(ss.FixedOutDegree(15)),
    "FixedTotal": lambda: wired(ss.FixedTotal(4500, autapses=False)),
    "OneToOne": lambda: wired(ss.OneToOne(), 600.0),
    "AllToAll": lambda: wired(ss.AllToAll(), matrix((300, 300), 1.0, 9.0), 2.0),
    "Pairs": lambda: wired(pairs(), matrix(4000), matrix(4000, 0.5, 9.0)),
    "DistanceDependent": lambda: wired(
        ss.DistanceDependent(ss.Gaussian(12.0, 0.5), period=100.0),
        delay=ss.DistanceDelay(0.3, 20.0),
    ),
    "drawn weights and delays": lambda: wired(
        ss.FixedProbability(0.05), ss.LogNormal(4.0, 1.0), ss.Normal(3.0, 2.0, low=0.2)
    ),
}
INPUTS = {
    "Poisson": lambda: driven(ss.Poisson(np.linspace(900, 4000, 300), 60.0)),
    "PoissonRates": lambda: driven(ss.PoissonRates([3000.0, 500.0, 5000.0], 7.0, 60.0, True)),
    "Gamma": lambda: driven(ss.Gamma(90.0, 3.0, 800.0)),
    "PoissonDeadTime": lambda: driven(ss.PoissonDeadTime(90.0, 4.0, 800.0)),
    "CorrelatedPoisson": lambda: driven(ss.CorrelatedPoisson(2000.0, 0.1, 60.0)),
    "WhiteNoise": lambda: driven(ss.WhiteNoise(300.0)),
    "Sampled": lambda: driven(ss.Sampled(matrix((8, 300), 0.0, 200.0), 5.0)),
    "Spikes": lambda: driven(ss.Spikes(trains(), 700.0)),
    "Current": lambda: driven(ss.Current(np.linspace(300, 900, 300)), None),
}
PUBLISHED = {
    "cuba": (lambda: network("cuba"), 150.0),
    "coba": (lambda: network("coba"), 150.0),
    "microcircuit": (lambda: network("microcircuit", scale=0.1), 60.0),
    "hodgkin_huxley": (lambda: network("hodgkin_huxley", scale=0.5), 60.0),
    "flybrain": (lambda: network("flybrain", scale=0.05), 60.0),
    "izhikevich": (lambda: network("izhikevich"), 150.0),
    "adex": (lambda: adaptive(ss.AdEx()), 100.0),
    "glif": (lambda: adaptive(ss.AdaptiveLIF()), 100.0),
}
SMALL = {name: (make, 60.0) for name, make in {**RULES, **INPUTS}.items()}


def adaptive(model):
    """Neurons of a model with noise in their equations' place: a Poisson input."""
    net = ss.Network(seed=2)
    name = next(iter(model.inputs))
    exc = net.population("exc", 200, model)
    net.drive(exc, ss.Current(700.0))
    weight = 5.0 if model.receptors[name].unit == "nS" else 100.0
    net.drive(exc, ss.Poisson(1000.0, weight), receptor=name)
    net.connect(exc, exc, ss.FixedInDegree(10), weight=weight, delay=1.0, receptor=name)
    return net


def fingerprint(spikes):
    """Number of spikes, and a hash of who fired in which step."""
    digest, count = hashlib.sha256(), 0
    for name, found in spikes.items():
        steps = np.rint(found.times / 0.1).astype("<i8")
        order = np.lexsort((found.neurons, steps))
        digest.update(name.encode())
        digest.update(steps[order].tobytes())
        digest.update(found.neurons[order].astype("<i8").tobytes())
        count += len(found)
    return [count, digest.hexdigest()[:16]]


def binomial():
    """What NumPy's generator makes of a key; releases differ (2.4 and 2.5, where n is large)."""
    draws = np.random.Generator(np.random.Philox(key=5)).binomial(1_000_000, 0.001, 1000)
    return hashlib.sha256(draws.astype("<i8").tobytes()).hexdigest()[:16]


def skip_where_numpy_differs(name):
    if name == "microcircuit" and binomial() != recorded()["binomial"]:
        pytest.skip(f"NumPy {np.__version__} draws other binomial numbers than when recorded")


def spikes_of(name, precision, threads=None, **options):
    make, duration = (PUBLISHED | SMALL)[name]
    net = make()
    dt = {"izhikevich": 1.0}.get(name, 0.1)
    result = ss.simulate(net, duration, dt=dt, precision=precision, threads=threads, **options)
    return fingerprint(result.spikes)


def cells():
    """Rate networks of every cell on two tasks, by what is trained."""
    return {
        "LeakyRNN": rate.LeakyRNN(16, noise=0.05, train_tau=True),
        "LeakyRNN, x-form": rate.LeakyRNN(16, form="x", noise=0.05, noise_tau=30.0),
        "DaleRNN": rate.DaleRNN(16, noise=0.05),
        "LowRankRNN": rate.LowRankRNN(16, rank=2, activation="tanh"),
        "GRU": rate.GRU(12),
        "LSTM": rate.LSTM(12),
        "SubLSTM": rate.SubLSTM(12),
        "SNU": rate.SNU(16),
        "LIFCell": rate.LIFCell(16, t_ref=0.0),
        "ALIFCell": rate.ALIFCell(16, t_ref=0.0),
    }


def losses_of(name):
    """A dozen updates in double precision."""
    task = rate.perceptual_decision() if "RNN" in name else rate.go_nogo()
    net = rate.RateNetwork(
        [cells()[name]], task.inputs, task.outputs, task.dt, seed=3, dtype="float64"
    )
    options = {"progress": False, "validation_trials": 8, "validate_every": 6}
    optimizer = rate.SGD(0.01) if name == "GRU" else rate.Adam(3e-3)
    history = rate.train(net, task, optimizer=optimizer, batch=8, updates=12, seed=4, **options)
    return history.loss


def online():
    """What FORCE gives, random feedback learns, and areas are joined by."""
    force = rate.Force(40, seed=3)
    force.learn(np.sin(np.arange(200) / 20.0)[:, None])
    net = rate.RateNetwork([rate.LIFCell(8, t_ref=0.0)], 2, 2, 1.0, seed=3, dtype="float64")
    rule = rate.EProp(net, "random", seed=3)
    rule.reset(2)
    for _ in range(40):
        rule.learn(rule.step(np.full((2, 2), 3.0)) - 1.0)
    joined = rate.areas({"a": 12, "b": 12}, 0.5, {("a", "b"): 0.2}, seed=3)
    return {
        "Force": force.run(5)[:, 0].tolist(),
        "EProp": rule.gradients()["0.w_in"].ravel().tolist(),
        "areas": np.flatnonzero(joined).tolist(),
    }


def recorded():
    return json.loads(RECORDED.read_text(encoding="utf-8"))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", PUBLISHED | SMALL)
def test_spikes_are_those_recorded(name, precision):
    skip_where_numpy_differs(name)
    assert spikes_of(name, precision) == recorded()["spikes"][name][precision]


@pytest.mark.parametrize("threads", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["cuba", "microcircuit", "Pairs", "Gamma"])
def test_they_are_for_any_number_of_threads(name, threads):
    skip_where_numpy_differs(name)
    assert spikes_of(name, "single", threads) == recorded()["spikes"][name]["single"]


@pytest.mark.parametrize("name", ["microcircuit", "drawn weights and delays"])
def test_they_are_with_weights_drawn_again(name):
    skip_where_numpy_differs(name)
    found = spikes_of(name, "single", connectivity="procedural")
    assert found == recorded()["spikes"][name]["single"]


@pytest.mark.parametrize("name", cells())
def test_losses_are_those_recorded(name):
    # Processors differ in the order in which a matrix product adds: hence not to the last bit.
    np.testing.assert_allclose(losses_of(name), recorded()["losses"][name], rtol=1e-9)


def test_learning_online_gives_what_it_gave():
    for name, values in online().items():
        np.testing.assert_allclose(values, recorded()["online"][name], rtol=1e-6)


if __name__ == "__main__":
    found = {
        "spikes": {
            name: {precision: spikes_of(name, precision) for precision in PRECISIONS}
            for name in PUBLISHED | SMALL
        },
        "losses": {name: losses_of(name) for name in cells()},
        "online": online(),
        "binomial": binomial(),
    }
    RECORDED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
