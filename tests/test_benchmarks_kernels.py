"""The benchmarks of kernels and of scaling count what they say they count."""

import numpy as np
import pytest

from benchmarks import kernels, machine, report, scaling, threads

told_by_system = machine.caches.__wrapped__
CACHES = {"L1": 48 << 10, "L2": 1 << 20, "L3": 32 << 20}


@pytest.fixture(autouse=True)
def known_caches(monkeypatch):
    monkeypatch.setattr(machine, "caches", lambda: CACHES)


def test_a_footprint_lies_in_the_smallest_cache_that_holds_it():
    held = [machine.held_in(x) for x in (1, 48 << 10, (48 << 10) + 1, 1 << 20, 32 << 20, 1 << 26)]
    assert held == ["L1", "L1", "L2", "L2", "L3", "memory"]
    assert [machine.held_in(x) for x in machine.footprints().values()] == [*CACHES, "memory"]


def test_caches_are_those_that_the_system_tells(tmp_path, monkeypatch):
    told = [("1", "Data", "48K"), ("1", "Instruction", "32K"), ("2", "Unified", "1024K")]
    for n, (level, kind, size) in enumerate(told):
        (tmp_path / f"index{n}").mkdir()
        for name, text in (("level", level), ("type", kind), ("size", size)):
            (tmp_path / f"index{n}" / name).write_text(f"{text}\n")
    monkeypatch.setattr(machine, "SYSFS", tmp_path)
    assert told_by_system() == {"L1": 48 << 10, "L2": 1 << 20}
    monkeypatch.setattr(machine, "SYSFS", tmp_path / "elsewhere")
    assert told_by_system() == machine.USUAL


def test_an_items_time_is_that_of_a_sweep_over_its_items(monkeypatch):
    clock = [0.0]

    def sweep(step, times):
        clock[0] += step * times

    monkeypatch.setattr(machine.time, "perf_counter", lambda: clock[0])
    assert machine.nanoseconds(sweep, (0.003,), 100, 3) == pytest.approx(0.003 / 100 * 1e9)


@pytest.mark.parametrize("delay", kernels.DELAYS)
@pytest.mark.parametrize("row_length", [7, 300])
def test_a_sweep_of_deliveries_passes_every_synapse_once(row_length, delay):
    simulation = kernels.all_spike(row_length, 1000, kernels.DELAYS[delay], 30_000)
    synapses = simulation.synapses("source", "target")
    unit = simulation.build.units["target", "exc"]
    ring = simulation.state.arrays.ring
    kernels.passed(simulation, 2)
    assert ring.sum(dtype=np.int64) * unit == pytest.approx(2 * synapses.weights.sum(), rel=1e-6)
    assert simulation.build.synapse_count == 30_000 // row_length * row_length


@pytest.mark.parametrize("rate", [3.0, 30.0])
def test_rates_of_the_scaling_networks_are_those_asked_for(rate):
    told = scaling.measure(300, 10, rate, 1)
    found = told["spikes"] / 300 / told["ms"] * 1000
    assert found == pytest.approx(rate, rel=0.1)


def test_a_dearer_event_is_told_with_the_caches_that_were_left():
    small = {"neurons": 1000, "ns_event": 1.0, **dict.fromkeys(scaling.ARRAYS, 30_000)}
    same = {**small, "neurons": 2000, "ns_event": 1.1}
    large = {**small, "neurons": 4000, "ns_event": 2.0, "words": 2_000_000}
    sentences = list(scaling.told("neurons", [small, same, large]))
    assert sentences == [
        "neurons from 2,000 to 4,000: a synaptic event takes 2.00 ns instead of 1.10; words "
        "(2.0 MB) no longer fit into L1."
    ]


def test_threads_meet_as_often_as_they_are_told():
    sync, masks = np.zeros(64, np.int64), threads.core_masks(2)
    threads.together(threads._meet, 2, 50, sync, masks.ctypes.data, masks.shape[1])
    assert sync[threads.loop.ARRIVED] == 100


def test_a_busy_machine_is_quiet_again_afterwards(monkeypatch):
    started = []
    popen = threads.subprocess.Popen
    monkeypatch.setattr(
        threads.subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1]
    )
    with pytest.raises(KeyError), threads.beside("busy"):
        assert started[0].poll() is None
        raise KeyError
    assert started[0].poll() is not None
    with threads.beside("quiet"):
        assert len(started) == 1


def test_the_table_of_kernels_has_a_cell_for_each_cache():
    rows = [
        {"part": "update", "case": "LIF", "precision": p, "held_in": h, "ns": ns, "share": 0.5}
        for p, h, ns in (("single", "L1", 0.25), ("double", "L1", 9.0), ("single", "L3", 1.0))
    ]
    table = report.kernels({"rows": rows}).splitlines()
    assert "| update: LIF | 0.25 ns (50%) |  | 1 ns (50%) |  |" in table


def test_the_table_of_threads_holds_networks_and_exchanges():
    network = {"case": "cuba", "ms": 2000, "one_s": 1.0, "two_s": 0.5, "speedup": 2.0}
    meeting = {"case": "a meeting"}
    rows = [{**network, "machine": "quiet"}]
    rows += [{**meeting, "machine": m, "ns": ns} for m, ns in (("quiet", 50.0), ("busy", 1234.0))]
    table = report.threads({"rows": rows}).splitlines()
    assert "| cuba | quiet | 0.500 | 0.250 | 2.00 |" in table
    assert "| a meeting | 50 ns | 1,234 ns |" in table
