"""The right-hand side that a model answers for: closed forms, and a step of the kernel."""

import numpy as np
import pytest

import spikesim as ss

BOTH = {"exc": ss.Conductance(5.0, 0.0), "inh": ss.Exponential(10.0), "nmda": ss.NMDA()}
OWN = ss.NeuronModel(
    name="own",
    equations="""
        strong = k * x if v > 2 * k else -x : 1
        dv/dt = (strong - v) / tau + sin(2 * pi * t / 40) / tau + sd * sqrt(2 / tau) * xi : 1
        dx/dt = -x / tau * int(not_refractory) + i_syn : 1""",
    threshold="v > 100",
    reset="v = 0",
    parameters={"tau": "0.007 s", "k": "1.5 1", "sd": "2 1"},
    receptors={"p": ss.Receptor("1/ms", current="w_{r}")},
    refractory="3",
    method="euler",
)
MODELS = {
    **{
        make.__name__: make(method="euler", receptors=BOTH)
        for make in (ss.LIF, ss.AdaptiveLIF, ss.AdEx, ss.EIF, ss.QIF, ss.Izhikevich2007)
    },
    "GLIF": ss.GLIF(5, method="euler", v_th=500.0),
    "Izhikevich": ss.Izhikevich(method="euler"),
    "HodgkinHuxley": ss.HodgkinHuxley(method="euler", v_th=500.0, receptors=BOTH),
    "FitzHughNagumo": ss.FitzHughNagumo(method="euler", v_th=50.0),
    "own": OWN.with_values(sd=0.0),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_step_of_the_kernel_follows_it(name):
    """Of Euler's method, in double precision, after a while."""
    model, n, dt = MODELS[name], 50, 0.05
    rng = np.random.default_rng(1)
    network = ss.Network()
    network.population("a", n, model)
    s = ss.Simulation(network, dt=dt, precision="double")
    s.run(3.0)
    before = {}
    for variable, unit in ((v, model.dynamics.units[v]) for v in model.dynamics.derivatives):
        low, high = {"mV": (-90.0, -66.0), "nS": (0.0, 20.0), "": (0.0, 1.0)}.get(unit, (-9.0, 9.0))
        before[variable] = rng.uniform(low, high, n)
    s.set("a", **before)
    s.run(dt)
    assert len(s.spikes["a"]) == 0
    for variable, slope in model.derivatives(t=3.0, **before).items():
        moved = (s.get("a", variable) - before[variable]) / dt
        np.testing.assert_allclose(moved, slope, rtol=1e-9, atol=1e-9, err_msg=variable)
        assert np.ptp(slope) > 1e-6


def test_closed_forms():
    v, w = np.meshgrid(np.linspace(-80, -45, 7), np.linspace(-50, 300, 5))
    found = ss.AdEx().derivatives(v=v, w=w, i_offset=500.0, a=2.0)
    assert {name: x.shape for name, x in found.items()} == dict.fromkeys(
        ("v", "w", "i_exc", "i_inh"), (5, 7)
    )
    drift = 30 * (-70.6 - v) + 60 * np.exp((v + 50.4) / 2) - w + 500
    np.testing.assert_allclose(found["v"], drift / 281, rtol=1e-12)
    np.testing.assert_allclose(found["w"], (2 * (v + 70.6) - w) / 144, rtol=1e-12)
    assert not found["i_exc"].any()
    # On the nullclines nothing moves.
    line = np.linspace(-80, -45, 50)
    nullcline = 30 * (-70.6 - line) + 60 * np.exp((line + 50.4) / 2) + 500
    still = ss.AdEx(i_offset=500.0).derivatives(v=line, w=nullcline)["v"]
    np.testing.assert_allclose(still, 0, atol=1e-12)


def test_what_is_not_given_is_0_or_the_models():
    model = ss.LIF(tau_m=np.array([10.0, 20.0]), receptors={"g": ss.Conductance(4.0, 10.0)})
    found = model.derivatives(v=-50.0)
    np.testing.assert_allclose(found["v"], [-1.5, -0.75], rtol=1e-12)
    np.testing.assert_array_equal(found["g_g"], [0, 0])
    found = model.derivatives(v=-50.0, g_g=8.0, tau_m=15.0)
    assert found["v"].shape == () and found["v"] == pytest.approx(-1 + 8 * 60 / 200, rel=1e-12)
    assert found["g_g"] == pytest.approx(-2, rel=1e-12)
    # A distribution of what the equations do not need does not matter.
    assert ss.LIF(v_th=ss.Normal(-50, 1)).derivatives(v=-65.0)["v"] == 0
    pulses = ss.Izhikevich().derivatives(v=-60.0, u=0.0, w_pulse=[0.0, 10.0])["v"]
    assert np.diff(pulses) == pytest.approx(10, rel=1e-12)


def test_a_neuron_is_neither_refractory_nor_noisy():
    found = OWN.derivatives(v=[0.0, 4.0], x=1.0, t=10.0, w_p=[[0.0], [3.0]])
    assert found["v"].shape == (2, 2)
    np.testing.assert_allclose(found["v"][0], [(-1 + 1) / 7, (1.5 - 4 + 1) / 7], atol=1e-12)
    np.testing.assert_allclose(found["x"][:, 0], [-1 / 7, 3 - 1 / 7], rtol=1e-12)
    assert OWN.derivatives(v=0.0, x=1.0, t=np.zeros((3, 1)))["x"].shape == (3, 1)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (dict(v=1.0), "AdEx: w must be given, a number or an array"),
        (dict(), "AdEx: v, w must be given"),
        (dict(v=1.0, w=1.0, u=1.0), "AdEx: unknown name 'u'; known are 'v', 'w', 'i_exc'"),
        (dict(v=1.0, w=1.0, i_syn=1.0), "i_syn is the sum of .*; give their .* or i_offset"),
        (dict(v="x", w=1.0), "AdEx: v is 'x'; it must be a number or an array"),
        (dict(v=1.0, w=1.0, e_l=ss.Normal(0, 1)), "e_l is Normal.*; it must be a number or an"),
        (dict(v=[1.0, 2.0], w=[1.0, 2.0, 3.0]), r"v \(2,\), w \(3,\); they must broadcast"),
    ],
)
def test_what_cannot_be_answered_is_refused(values, told):
    with pytest.raises(ss.EquationError, match=told) as caught:
        ss.AdEx().derivatives(**values)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_a_distribution_or_dt_must_be_given_if_it_is_needed():
    model = ss.LIF(e_l=ss.Normal(-65, 1))
    with pytest.raises(ss.EquationError, match="LIF: e_l is Normal"):
        model.derivatives(v=-60.0)
    assert model.derivatives(v=-60.0, e_l=-65.0)["v"] == pytest.approx(-0.25)
    model = ss.NeuronModel("dv/dt = -v / dt", threshold="v > 1", reset="v = 0", method="euler")
    with pytest.raises(ss.EquationError, match=r"the equations depend on dt; give dt \(ms\)"):
        model.derivatives(v=1.0)
    assert model.derivatives(v=1.0, dt=0.5)["v"] == -2
