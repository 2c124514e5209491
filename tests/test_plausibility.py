"""Values that look like s, V, F, S or A are told, with what was meant; others never are."""

import re
import warnings

import numpy as np
import pytest
from built_in import MODELS

import spikesim as ss
from spikesim.networks import brunel, coba, cuba, hodgkin_huxley, izhikevich, microcircuit, patterns


def connected(**options) -> ss.Network:
    net = ss.Network()
    a = net.population("a", 3, ss.LIF())
    net.connect(a, a, ss.AllToAll(), weight=1.0, receptor="exc", **options)
    return net


def neuron() -> ss.Population:
    return ss.Network().population("a", 3, ss.LIF())


DOUBTFUL = {  # what is called, and what it tells
    "tau_m": (lambda: ss.LIF(tau_m=0.02), "LIF: tau_m is 0.02 ms (if 0.02 s was meant, write 20)."),
    "v_th": (
        lambda: ss.LIF(v_th=-0.05),
        "LIF: v_th is -0.05 mV (if -0.05 V was meant, write -50).",
    ),
    "potentials": (
        lambda: ss.LIF(e_l=-0.07, v_reset=-0.07, v_th=-0.05),
        "LIF: e_l is -0.07 mV (if -0.07 V was meant, write -70), v_th is -0.05 mV (if -0.05 V was "
        "meant, write -50), v_reset is -0.07 mV (if -0.07 V was meant, write -70).",
    ),
    "from rest": (lambda: ss.LIF(e_l=0.0, v_reset=0.0, v_th=0.015), "v_th is 0.015 mV"),
    "c_m": (lambda: ss.LIF(c_m=2e-10), "c_m is 2e-10 pF (if 2e-10 F was meant, write 200)"),
    "g_l": (lambda: ss.AdEx(g_l=30e-9), "g_l is 3e-08 nS (if 3e-08 S was meant, write 30)"),
    "b": (lambda: ss.AdEx(b=8e-11), "b is 8e-11 pA (if 8e-11 A was meant, write 80)"),
    "i_offset": (lambda: ss.EIF(i_offset=2e-10), "i_offset is 2e-10 pA"),
    "delta_t": (lambda: ss.AdEx(delta_t=0.002), "delta_t is 0.002 mV"),
    "tau_w": (lambda: ss.AdaptiveLIF(tau_w=0.144), "tau_w is 0.144 ms"),
    "t_ref": (lambda: ss.GLIF(1, t_ref=0.002), "GLIF1: t_ref is 0.002 ms"),
    "QIF": (lambda: ss.QIF(v_peak=0.02), "QIF: v_peak is 0.02 mV"),
    "c": (lambda: ss.Izhikevich(c=-0.065), "c is -0.065 mV"),
    "e_na": (lambda: ss.HodgkinHuxley(e_na=0.05), "e_na is 0.05 mV"),
    "array": (lambda: ss.LIF(tau_m=np.full(3, 0.02)), "tau_m is about 0.02 ms"),
    "distribution": (lambda: ss.LIF(e_l=ss.Normal(-0.07, 1e-3)), "e_l is about -0.07 mV"),
    "with_values": (lambda: ss.LIF().with_values(tau_m=0.02), "LIF: tau_m is 0.02 ms"),
    "Exponential": (lambda: ss.Exponential(0.005), "Exponential: tau is 0.005 ms"),
    "Alpha": (lambda: ss.Alpha(0.002), "Alpha: tau is 0.002 ms"),
    "DoubleExponential": (lambda: ss.DoubleExponential(0.001, 0.1), "tau_rise is 0.001 ms"),
    "Conductance": (lambda: ss.Conductance(0.005), "Conductance: tau is 0.005 ms"),
    "reversal": (lambda: ss.Conductance(5.0, -0.07), "Conductance: reversal is -0.07 mV"),
    "NMDA": (lambda: ss.NMDA(0.002, 0.1), "NMDA: tau_rise is 0.002 ms"),
    "OrnsteinUhlenbeck": (lambda: ss.OrnsteinUhlenbeck(20.0, 0.005), "tau is 0.005 ms"),
    "every": (lambda: ss.Sampled(np.ones(3), every=1e-4), "Sampled: every is 0.0001 ms"),
    "rates": (lambda: ss.PoissonRates(np.ones(3), 1e-4, 1.0), "PoissonRates: every is 0.0001 ms"),
    "trace": (lambda: ss.Trace(neuron(), "v", every=1e-4), "Trace: every is 0.0001 ms"),
    "bin": (lambda: ss.Rate(neuron(), bin=5e-4), "Rate: bin is 0.0005 ms"),
    "delay": (
        lambda: connected(delay=0.0015),
        "projection 'a->a': delay is 0.0015 ms (if 0.0015 s was meant, write 1.5).",
    ),
    "delays": (lambda: connected(delay=ss.Uniform(0.001, 0.003)), "delay is about 0.002 ms"),
    "dt": (lambda: ss.build(connected(delay=1e-4 * 100), dt=1e-4), "build: dt is 0.0001 ms"),
}


@pytest.mark.parametrize("name", DOUBTFUL)
def test_a_value_that_looks_like_seconds_or_volts_is_told_in_one_sentence(name):
    make, told = DOUBTFUL[name]
    with pytest.warns(UserWarning, match=re.escape(told)) as caught:
        make()
    (one,) = caught
    assert str(one.message).endswith(").") and "\n" not in str(one.message)


def test_the_warning_points_at_the_users_line():
    with pytest.warns(UserWarning) as caught:
        ss.LIF(tau_m=0.02)
        ss.Exponential(0.005)
        ss.NMDA(0.002)
        ss.Conductance(5.0, -0.07)
        ss.LIF().with_values(tau_m=0.02)
        ss.Sampled(np.ones(3), every=1e-4)
    assert len(caught) == 6 and {one.filename for one in caught} == {__file__}


FINE = {
    "defaults": lambda: [
        *(make() for make in MODELS.values()),
        *map(ss.GLIF, range(1, 6)),
        *(make() for make in (ss.Exponential, ss.Alpha, ss.DoubleExponential, ss.Conductance)),
        *(make() for make in (ss.DoubleExponentialConductance, ss.NMDA)),
    ],
    "pure numbers": lambda: [
        ss.LIF(tau_m=1.0, c_m=1.0, e_l=0.0, v_reset=0.0, v_th=1.0, t_ref=0.0),
        ss.LIF(tau_m=1.0, c_m=1.0, e_l=0.0, v_reset=0.05, v_th=1.0, t_ref=0.1),
        ss.QIF(e_l=-1.0, v_t=1.0, v_reset=-2.0, v_peak=2.0),
        ss.FitzHughNagumo(tau=0.08, v_th=0.05, a=0.01),
        ss.Izhikevich(a=0.02, b=0.2, c=-50.0, d=2.0),
        ss.Conductance(5.0, -0.2),
    ],
    "zeros": lambda: [
        ss.LIF(e_l=0.0, v_th=15.0, v_reset=0.0, t_ref=0.0, i_offset=0.0),
        ss.LIF(v_th=0.0),
        ss.AdEx(a=0.0, b=0.0),
        ss.Conductance(5.0, 0.0),
    ],
    "fast ones": lambda: [
        ss.LIF(tau_m=0.1, t_ref=0.01),
        ss.Exponential(0.05),
        ss.DoubleExponential(0.02, 0.2),
        ss.AdEx(delta_t=0.05, c_m=1.0, g_l=0.05, i_offset=0.01),
    ],
    "small steps": lambda: [
        ss.Sampled(np.ones(3), every=0.001),
        ss.Trace(neuron(), "v", every=0.001),
        ss.build(connected(delay=0.01), dt=0.001),
        ss.build(connected(delay=0.1), dt=0.1),
    ],
    "a model with units of its own": lambda: [
        ss.NeuronModel(
            "dv/dt = -v / tau_m : mV",
            threshold="v > v_th",
            reset="v = 0",
            parameters={"tau_m": "0.02 ms", "v_th": "0.05 mV"},
        )
    ],
    "networks": lambda: [
        module.network()
        for module in (brunel, coba, cuba, hodgkin_huxley, izhikevich, microcircuit, patterns)
    ],
}


@pytest.mark.parametrize("name", FINE)
def test_what_is_usual_is_not_doubted(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert FINE[name]()


@pytest.mark.parametrize("value", [None, "20 ms", [[1.0]], np.nan, np.array([])])
def test_what_is_no_value_is_left_to_those_who_refuse_it(value):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = ss.LIF(tau_m=value)
    with pytest.raises(ValueError, match="parameter 'tau_m'"):
        ss.Network().population("a", 3, model)
