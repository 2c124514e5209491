"""The published networks against NEST, Brian2 and NumPy: numbers recorded in tests/reference."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import spikesim as ss
from spikesim import networks

ROOT = Path(__file__).parent.parent
# Reference rates of the full-scale microcircuit, published with Potjans & Diesmann's model for
# NEST, Hz.
MICROCIRCUIT = {
    "L23E": 0.903,
    "L23I": 2.965,
    "L4E": 4.414,
    "L4I": 5.876,
    "L5E": 7.569,
    "L5I": 8.633,
    "L6E": 1.105,
    "L6I": 7.829,
}


def reference(name: str) -> dict:
    return json.loads((ROOT / "tests" / "reference" / f"{name}.json").read_text())


def statistics(trains: ss.SpikeTrains) -> tuple[float, float]:
    return trains.rate, float(np.nanmean(trains.cv()))


def run(name: str, seed: int, duration: float = 10500.0, **options) -> dict[str, ss.SpikeTrains]:
    module = import_module(f"spikesim.networks.{name}")
    net = module.network(seed=seed, **options)
    result = ss.simulate(net, duration, dt=getattr(module, "DT", 0.1))
    return {key: trains.restrict(500.0, duration) for key, trains in result.spikes.items()}


def compare(
    name: str, populations: dict[str, str], seeds: tuple, key: str | None = None, **options
):
    """Means over seeds lie within what seeds of the reference spread, and 3 % besides."""
    known = reference(name)[key]
    ours = [run(name, seed, **options) for seed in seeds]
    for mine, theirs in populations.items():
        expected = known["over_seeds"][theirs]
        values = np.array([statistics(spikes[mine]) for spikes in ours])
        for k, quantity in enumerate(("rate_hz", "cv_isi")):
            mean, spread = expected[quantity]["mean"], expected[quantity]["sd"]
            allowed = 3 * spread + 0.03 * mean
            assert values[:, k].mean() == pytest.approx(mean, abs=allowed), (mine, quantity)


def test_the_list_names_every_file():
    files = {path.stem for path in Path(networks.__file__).parent.glob("*.py")}
    assert {*networks.NAMES, "__init__"} == files
    assert len(set(networks.NAMES)) == len(networks.NAMES)


def test_cuba_against_brian2():
    compare("cuba", {"exc": "E", "inh": "I"}, (1, 2, 3), key="cuba")


def test_coba_against_brian2():
    compare("coba", {"exc": "E", "inh": "I"}, (1, 2, 3), key="coba")


def test_undriven_coba_starts_and_fires_as_published():
    rates = []
    for seed in range(1, 6):
        net = import_module("spikesim.networks.coba").network(seed=seed, drive="none")
        result = ss.simulate(net, 1000.0)
        rates.append(result.rates["exc"])
    assert 15 < np.median(rates) < 22  # some runs may fall silent early


def test_izhikevich_against_numpy():
    compare("izhikevich", {"exc": "E", "inh": "I"}, (1, 2, 3), key="izhikevich")


def test_a_tenth_of_the_microcircuit_against_nest():
    names = {name: name for name in MICROCIRCUIT}
    compare("microcircuit", names, (1, 2, 3), key="0.1", duration=5500.0, scale=0.1)


def test_microcircuit_has_the_published_numbers():
    net = import_module("spikesim.networks.microcircuit").network()
    assert sum(p.size for p in net.populations.values()) == 77169
    total = sum(projection.rule.n for projection in net.projections.values())
    assert total == pytest.approx(298.9e6, rel=1e-3)
    # NEST built the same number of synapses but for rounding of each pair of populations.
    assert abs(total - reference("microcircuit")["full"]["runs"][0]["synapses"]) <= 64


def test_direct_current_keeps_the_rates_apart_but_alive():
    spikes = run("microcircuit", 1, duration=2500.0, scale=0.05, drive="dc")
    rates = {name: trains.rate for name, trains in spikes.items()}
    assert rates["L6E"] < rates["L4E"] < rates["L5I"]
    assert all(0.05 < rate < 25 for rate in rates.values())  # L5E: 15 to 21 in four seeds


# Rates (Hz) and CVs that Brunel's figure 8 shows, and the modulation of the population's counts in
# 1 ms that tells synchrony: variance over mean, 1 for independent neurons.
BRUNEL = {
    "SR": (300, 400, 0.0, 0.1, 1000, np.inf),
    "SI_fast": (55, 63, 0.6, 1.0, 200, 900),
    "AI": (36, 40, 0.35, 0.6, 30, 200),
    "SI_slow": (4.5, 7.5, 0.4, 1.0, 50, 900),
}


@pytest.mark.parametrize("regime", BRUNEL)
def test_the_four_regimes_of_brunel(regime):
    low, high, regular, irregular, least, most = BRUNEL[regime]
    net = import_module("spikesim.networks.brunel").network(drive=regime)
    duration = 600.0 if regime == "SR" else 2200.0
    exc = ss.simulate(net, duration).spikes["exc"].restrict(200.0, duration)
    counts = exc.count(bin=1.0).sum(axis=1)
    assert low < exc.rate < high
    assert regular <= np.nanmean(exc.cv()) < irregular
    assert least < counts.var() / counts.mean() < most


@pytest.mark.slow
def test_the_full_microcircuit_has_the_published_rates():
    told = json.loads(
        subprocess.run(
            [sys.executable, "-m", "spikesim", "run", "microcircuit", "--scale", "1"]
            + ["--duration", "10500", "--discard", "500", "--json"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    )
    sizes = import_module("spikesim.networks.microcircuit").SIZES
    for name, rate in MICROCIRCUIT.items():
        assert told["rates"][name] == pytest.approx(rate, rel=0.1)
    ours = np.average(list(told["rates"].values()), weights=sizes)
    assert ours == pytest.approx(np.average(list(MICROCIRCUIT.values()), weights=sizes), rel=0.04)
    assert told["bytes_per_synapse"] < 7
    assert told["peak_rss_gb"] < 2.5
