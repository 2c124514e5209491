"""Published neuron models in Brian2's equation language; spikesim reads them without the units.

Every text stands here once, as it is written for Brian2. `without_units` makes of it what spikesim
reads: ``10*mV`` becomes ``10`` and ``: volt`` becomes ``: mV``. Nothing else is changed.

The inputs move v, or what moves v, at given times, so that no delay comes in. In a network read so,
synapses that move v itself (``on_pre="v += w"``) need a delay that is one dt longer here: in Brian2
a jump of v reaches the threshold a step later.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

import spikesim as ss


@dataclass(frozen=True)
class Input:
    """Spikes at given times (ms), each of which moves a variable by the weight."""

    variable: str
    weight: float
    unit: str
    times: tuple[float, ...]


@dataclass(frozen=True)
class Case:
    """A model and how it is run; ``size`` neurons are for statistics, one for spike times."""

    name: str
    paper: str
    equations: str
    threshold: str
    reset: str
    parameters: Mapping[str, str]
    initial: Mapping[str, str]
    method: str
    dt: float
    duration: float
    refractory: str = ""
    inputs: tuple[Input, ...] = ()
    size: int = 1
    shown: str = "v"


UNITS = {
    "1": "1",
    "volt": "mV",
    "amp": "pA",
    "siemens": "nS",
    "second": "ms",
    "Hz": "1/ms",
    "volt/second": "mV/ms",
    "siemens/volt": "nS/mV",
    "amp/meter**2": "uA/cm2",
}


def without_units(text: str) -> str:
    """What spikesim reads of a text that is written for Brian2.

    Only units of spikesim's size are taken away; another stays, as a name that nobody knows.
    """
    text = re.sub(r" ?[*/] ?\b(mV|ms|pA|nS|pF|(uA|msiemens)/cm\*\*2)\b(\*\*-?\d+)?", "", text)
    return re.sub(r"(?<=: )[^\s(]+", lambda found: UNITS[found[0]], text)


def model(case: Case) -> ss.NeuronModel:
    """A case as a model of spikesim."""
    return ss.NeuronModel(
        name=case.name,
        equations=without_units(case.equations),
        threshold=without_units(case.threshold),
        reset=without_units(case.reset),
        refractory=without_units(case.refractory),
        parameters=case.parameters,
        receptors={
            f"r{k}": ss.Receptor(given.unit, arrival=f"{given.variable} += w")
            for k, given in enumerate(case.inputs)
        },
        initial={variable: without_units(text) for variable, text in case.initial.items()},
        method=case.method,
    )


def simulate(case: Case) -> ss.Result:
    """Run a case in double precision and record the variable that is shown."""
    network = ss.Network(seed=1)
    cells = network.population("cells", case.size, model(case))
    for k, given in enumerate(case.inputs):
        network.drive(cells, ss.Spikes([given.times], given.weight), receptor=f"r{k}")
    return ss.simulate(
        network,
        case.duration,
        dt=case.dt,
        precision="double",
        record=[ss.Trace(cells[:1], case.shown, every=case.dt)],
    )


def _train(seed: int, rate: float, duration: float) -> tuple[float, ...]:
    """Times on the grid of 0.1 ms, drawn at a rate (Hz)."""
    steps = np.random.default_rng(seed).random(round(duration * 10)) < rate / 1e4
    return tuple(np.round((np.flatnonzero(steps) + 1) * 0.1, 1).tolist())


CUBA = Case(
    "LIF with currents (CUBA)",
    "Vogels TP, Abbott LF (2005). J Neurosci 25:10786",
    """
    dv/dt = (ge + gi - (v - El)) / taum : volt (unless refractory)
    dge/dt = -ge / taue : volt
    dgi/dt = -gi / taui : volt
    """,
    "v > Vt",
    "v = Vr",
    {
        "El": "-49 mV",
        "Vt": "-50 mV",
        "Vr": "-60 mV",
        "taum": "20 ms",
        "taue": "5 ms",
        "taui": "10 ms",
    },
    {"v": "Vr"},
    "exact",
    0.1,
    400.0,
    "5*ms",
    (
        Input("ge", 1.62, "mV", _train(1, 320.0, 400.0)),
        Input("gi", -9.0, "mV", _train(2, 16.0, 400.0)),
    ),
)

COBA = Case(
    "LIF with conductances (COBA)",
    "Brette R et al. (2007). J Comput Neurosci 23:349",
    """
    dv/dt = (gl*(El - v) + ge*(0*mV - v) + gi*(-80*mV - v)) / Cm : volt (unless refractory)
    dge/dt = -ge / (5.*ms) : siemens
    dgi/dt = -gi / (10.*ms) : siemens
    """,
    "v > -50*mV",
    "v = El",
    {"gl": "10 nS", "El": "-60 mV", "Cm": "200 pF"},
    {"v": "El", "ge": "3*nS"},
    "exponential_euler",
    0.1,
    400.0,
    "5*ms",
    (
        Input("ge", 6.0, "nS", _train(3, 250.0, 400.0)),
        Input("gi", 67.0, "nS", _train(4, 16.0, 400.0)),
    ),
)

SFA = Case(
    "LIF, spike-rate adaptation",
    "Dayan P, Abbott LF (2001). Theoretical Neuroscience, ch. 5. MIT Press",
    """
    dv/dt = (El - v - g*(v - Ek) + RI) / taum : volt
    dg/dt = -g / (100*ms) : 1  # rm times the conductance
    RI : volt (constant)
    """,
    "v > Vt",
    "v = Vr\n    g += 0.06",
    {
        "El": "-70 mV",
        "Ek": "-80 mV",
        "Vt": "-50 mV",
        "Vr": "-70 mV",
        "taum": "10 ms",
        "RI": "35 mV",
    },
    {"v": "El"},
    "exponential_euler",
    0.1,
    400.0,
)

THRESHOLD = Case(
    "LIF, adaptive threshold",
    "Chacron MJ, Pakdaman K, Longtin A (2003). Neural Comput 15:253",
    """
    dv/dt = (RI - v) / taum : volt (unless refractory)
    dtheta/dt = (theta0 - theta) / (50.*ms) : volt
    """,
    "v > theta",
    "v = 0*mV; theta += 3*mV",
    {"RI": "25 mV", "theta0": "10 mV", "taum": "10 ms"},
    {"theta": "theta0"},
    "exact",
    0.1,
    300.0,
    "2*ms",
)

MAT = Case(
    "Multi-timescale threshold (MAT)",
    "Kobayashi R, Tsubo Y, Shinomoto S (2009). Front Comput Neurosci 3:9",
    """
    dv/dt = -(v - RI) / (5*ms) : volt
    dH1/dt = -H1 / (10*ms) : volt
    dH2/dt = -H2 / (200*ms) : volt
    theta = omega + H1 + H2 : volt
    RI : volt
    """,
    "v > theta",
    "H1 += 37*mV; H2 += 2*mV",
    {"omega": "19 mV", "RI": "30 mV"},
    {},
    "exact",
    0.1,
    400.0,
    "2*ms",
)

EIF = Case(
    "Exponential IF",
    "Fourcaud-Trocme N, Hansel D, van Vreeswijk C, Brunel N (2003). J Neurosci 23:11628",
    """
    dv/dt = (gl*(El - v) + gl*DT*exp((v - VT)/DT) + I) / C : volt (unless refractory)
    I : amp
    """,
    "v > -30*mV",
    "v = -68*mV",
    {
        "gl": "10 nS",
        "El": "-65 mV",
        "VT": "-59.9 mV",
        "DT": "3.48 mV",
        "C": "100 pF",
        "I": "150 pA",
    },
    {"v": "El"},
    "rk2",
    0.02,
    300.0,
    "1.7*ms",
)

ADEX = Case(
    "AdEx, bursting",
    "Brette R, Gerstner W (2005). J Neurophysiol 94:3637",
    """
    dvm/dt = (gL*(EL - vm) + gL*DeltaT*exp((vm - VT)/DeltaT) + I - w)/C : volt
    dw/dt = (a*(vm - EL) - w)/tauw : amp
    I : amp
    """,
    "vm > Vcut",
    "vm = Vr; w += b",
    {
        "C": "281 pF",
        "gL": "30 nS",
        "EL": "-70.6 mV",
        "VT": "-50.4 mV",
        "DeltaT": "2 mV",
        "Vcut": "-40.4 mV",
        "tauw": "20 ms",
        "a": "4 nS",
        "b": "500 pA",
        "Vr": "-45.4 mV",
        "I": "1000 pA",
    },
    {"vm": "EL"},
    "euler",
    0.05,
    300.0,
    shown="vm",
)

QIF = Case(
    "Quadratic IF",
    "Latham PE, Richmond BJ, Nelson PG, Nirenberg S (2000). J Neurophysiol 83:808",
    """
    dv/dt = (v - Vr)*(v - Vt)/(taum*(Vt - Vr)) + RI/taum : volt
    """,
    "v > 20*mV",
    "v = -80*mV",
    {"Vr": "-65 mV", "Vt": "-50 mV", "taum": "10 ms", "RI": "8 mV"},
    {"v": "Vr"},
    "rk2",
    0.05,
    300.0,
)

THETA = Case(
    "Theta neuron",
    "Ermentrout GB, Kopell N (1986). SIAM J Appl Math 46:233",
    """
    dtheta/dt = (1 - cos(theta) + (1 + cos(theta))*I)/tau : 1
    I = 0.05 + 0.1*sin(2*pi*t/(150*ms)) : 1
    """,
    "theta > pi",
    "theta -= 2*pi",
    {"tau": "5 ms"},
    {"theta": "-pi/2"},
    "rk4",
    0.1,
    400.0,
    shown="theta",
)

QUARTIC = Case(
    "Quartic IF",
    "Touboul J (2008). SIAM J Appl Math 68:1045",
    """
    dv/dt = (v**4 + 2*a*v - w + I)/tau : 1
    dw/dt = a*(b*v - w)/tau : 1
    """,
    "v > 5",
    "v = vr; w += d",
    {"a": "0.3", "b": "1.2", "d": "1", "vr": "-0.5", "I": "1.5", "tau": "5 ms"},
    {"v": "-0.5"},
    "rk2",
    0.02,
    300.0,
)

IZHIKEVICH = Case(
    "Izhikevich, chattering",
    "Izhikevich EM (2003). IEEE Trans Neural Netw 14:1569",
    """
    dv/dt = (0.04/ms/mV)*v**2 + (5/ms)*v + 140*mV/ms - u + I : volt
    du/dt = a*(b*v - u) : volt/second
    I : volt/second
    """,
    "v >= 30*mV",
    "v = c; u += d",
    {
        "a": "0.02 1/ms",
        "b": "0.2 1/ms",
        "c": "-50 mV",
        "d": "2 mV/ms",
        "I": "10 mV/ms",
    },
    {"v": "-65*mV", "u": "-13*mV/ms"},
    "euler",
    0.1,
    200.0,
)

IZHIKEVICH2007 = Case(
    "Izhikevich, regular spiking",
    "Izhikevich EM (2007). Dynamical Systems in Neuroscience, ch. 8. MIT Press",
    """
    dv/dt = (k*(v - vr)*(v - vt) - u + I)/C : volt
    du/dt = a*(b*(v - vr) - u) : amp
    k : siemens/volt
    I = 100*pA*int(t > 50*ms and t <= 350*ms) : amp
    """,
    "v > 35*mV",
    "v = -50*mV\n    u += 100*pA",
    {
        "C": "100 pF",
        "k": "0.7 nS/mV",
        "vr": "-60 mV",
        "vt": "-40 mV",
        "a": "0.03 1/ms",
        "b": "-2 nS",
    },
    {"v": "vr"},
    "rk2",
    0.1,
    400.0,
)

HODGKIN_HUXLEY = Case(
    "Squid axon",
    "Hodgkin AL, Huxley AF (1952). J Physiol 117:500",
    """
    dv/dt = (I - gna*m**3*h*(v - 50*mV) - gk*n**4*(v + 77*mV)
             - gl*(v + 54.387*mV)) / Cm : volt
    dm/dt = alpham*(1 - m) - betam*m : 1
    dh/dt = alphah*(1 - h) - betah*h : 1
    dn/dt = alphan*(1 - n) - betan*n : 1
    alpham = 0.1/mV*10*mV/exprel(-(v + 40*mV)/(10*mV))/ms : Hz
    betam = 4*exp(-(v + 65*mV)/(18*mV))/ms : Hz
    alphah = 0.07*exp(-(v + 65*mV)/(20*mV))/ms : Hz
    betah = 1./(1 + exp(-(v + 35*mV)/(10*mV)))/ms : Hz
    alphan = 0.01/mV*10*mV/exprel(-(v + 55*mV)/(10*mV))/ms : Hz
    betan = 0.125*exp(-(v + 65*mV)/(80*mV))/ms : Hz
    I : amp/meter**2
    """,
    "v > 0*mV",
    "",
    {
        "gna": "120 mS/cm2",
        "gk": "36 mS/cm2",
        "gl": "0.3 mS/cm2",
        "Cm": "1 uF/cm2",
        "I": "10 uA/cm2",
    },
    {"v": "-65*mV", "m": "0.05", "h": "0.6", "n": "0.32"},
    "exponential_euler",
    0.02,
    150.0,
    "v > 0*mV",
)

TRAUB_MILES = Case(
    "Traub-Miles (COBAHH)",
    "Traub RD, Miles R (1991). Neuronal Networks of the Hippocampus; Brette et al. (2007)",
    """
    dv/dt = (gl*(El - v) + ge*(Ee - v) + gi*(Ei - v) -
             g_na*(m*m*m)*h*(v - ENa) -
             g_kd*(n*n*n*n)*(v - EK))/Cm : volt
    dm/dt = alpha_m*(1 - m) - beta_m*m : 1
    dn/dt = alpha_n*(1 - n) - beta_n*n : 1
    dh/dt = alpha_h*(1 - h) - beta_h*h : 1
    dge/dt = -ge*(1./(5*ms)) : siemens
    dgi/dt = -gi*(1./(10*ms)) : siemens
    alpha_m = 0.32/mV*4*mV/exprel((13*mV - v + VT)/(4*mV))/ms : Hz
    beta_m = 0.28/mV*5*mV/exprel((v - VT - 40*mV)/(5*mV))/ms : Hz
    alpha_h = 0.128*exp((17*mV - v + VT)/(18*mV))/ms : Hz
    beta_h = 4./(1 + exp((40*mV - v + VT)/(5*mV)))/ms : Hz
    alpha_n = 0.032/mV*5*mV/exprel((15*mV - v + VT)/(5*mV))/ms : Hz
    beta_n = .5*exp((10*mV - v + VT)/(40*mV))/ms : Hz
    """,
    "v > -20*mV",
    "",
    {
        "gl": "10 nS",
        "El": "-60 mV",
        "Ee": "0 mV",
        "Ei": "-80 mV",
        "g_na": "20000 nS",
        "ENa": "50 mV",
        "g_kd": "6000 nS",
        "EK": "-90 mV",
        "Cm": "200 pF",
        "VT": "-63 mV",
    },
    {"v": "El", "h": "1", "ge": "5*nS"},
    "exponential_euler",
    0.05,
    300.0,
    "3*ms",
    (
        Input("ge", 6.0, "nS", _train(5, 300.0, 300.0)),
        Input("gi", 67.0, "nS", _train(6, 10.0, 300.0)),
    ),
)

WANG_BUZSAKI = Case(
    "Wang-Buzsaki interneuron",
    "Wang XJ, Buzsaki G (1996). J Neurosci 16:6402",
    """
    dv/dt = (-gNa*m**3*h*(v - ENa) - gK*n**4*(v - EK) - gL*(v - EL) + I)/Cm : volt
    m = alpha_m/(alpha_m + beta_m) : 1
    alpha_m = 0.1/mV*10*mV/exprel(-(v + 35*mV)/(10*mV))/ms : Hz
    beta_m = 4*exp(-(v + 60*mV)/(18*mV))/ms : Hz
    dh/dt = 5*(alpha_h*(1 - h) - beta_h*h) : 1
    alpha_h = 0.07*exp(-(v + 58*mV)/(20*mV))/ms : Hz
    beta_h = 1./(exp(-0.1/mV*(v + 28*mV)) + 1)/ms : Hz
    dn/dt = 5*(alpha_n*(1 - n) - beta_n*n) : 1
    alpha_n = 0.01/mV*10*mV/exprel(-(v + 34*mV)/(10*mV))/ms : Hz
    beta_n = 0.125*exp(-(v + 44*mV)/(80*mV))/ms : Hz
    """,
    "v > -20*mV",
    "",
    {
        "gNa": "35 mS/cm2",
        "gK": "9 mS/cm2",
        "gL": "0.1 mS/cm2",
        "ENa": "55 mV",
        "EK": "-90 mV",
        "EL": "-65 mV",
        "Cm": "1 uF/cm2",
        "I": "0.5 uA/cm2",
    },
    {"v": "-64*mV", "h": "0.78", "n": "0.09"},
    "rk4",
    0.02,
    200.0,
    "v > -20*mV",
)

MORRIS_LECAR = Case(
    "Morris-Lecar",
    "Morris C, Lecar H (1981). Biophys J 35:193",
    """
    dv/dt = (-gL*(v - EL) - gCa*minf*(v - ECa) - gK*w*(v - EK) + I)/C : volt
    dw/dt = phi*(winf - w)*cosh((v - V3)/(2*V4)) : 1
    minf = 0.5*(1 + tanh((v - V1)/V2)) : 1
    winf = 0.5*(1 + tanh((v - V3)/V4)) : 1
    """,
    "v > 0*mV",
    "",
    {
        "C": "20 uF/cm2",
        "gL": "2 mS/cm2",
        "gCa": "4.4 mS/cm2",
        "gK": "8 mS/cm2",
        "EL": "-60 mV",
        "ECa": "120 mV",
        "EK": "-84 mV",
        "V1": "-1.2 mV",
        "V2": "18 mV",
        "V3": "2 mV",
        "V4": "30 mV",
        "phi": "0.04 1/ms",
        "I": "100 uA/cm2",
    },
    {"v": "-60*mV", "w": "0.01"},
    "rk4",
    0.1,
    600.0,
    "v > 0*mV",
)

FITZHUGH_NAGUMO = Case(
    "FitzHugh-Nagumo",
    "FitzHugh R (1961). Biophys J 1:445",
    """
    dv/dt = (v - v**3/3. - w + I)/tau : 1
    dw/dt = 0.08*(v + 0.7 - 0.8*w)/tau : 1
    I : 1 (shared)
    """,
    "v > 1",
    "",
    {"tau": "1 ms", "I": "0.5"},
    {"v": "-1.2", "w": "-0.6"},
    "rk4",
    0.1,
    300.0,
    "v > 1",
)

HINDMARSH_ROSE = Case(
    "Hindmarsh-Rose, bursts",
    "Hindmarsh JL, Rose RM (1984). Proc R Soc Lond B 221:87",
    """
    dx/dt = (y - x**3 + 3*x**2 - z + I)/tau : 1
    dy/dt = (1 - 5*x**2 - y)/tau : 1
    dz/dt = 0.006*(4*(x + 1.6) - z)/tau : 1
    """,
    "x > 1",
    "",
    {"I": "2", "tau": "1 ms"},
    {"x": "-1.6", "y": "-11.8", "z": "0.5"},
    "rk4",
    0.05,
    800.0,
    "x > 1",
    shown="x",
)

CONNOR_STEVENS = Case(
    "Connor-Stevens, A-current",
    "Connor JA, Walter D, McKown R (1977). Biophys J 18:81",
    """
    dv/dt = (I - gl*(v + 17*mV) - gNa*m**3*h*(v - 55*mV)
             - gK*n**4*(v + 72*mV) - gA*a**3*b*(v + 75*mV)) / Cm : volt
    dm/dt = am*(1 - m) - bm*m : 1
    dh/dt = ah*(1 - h) - bh*h : 1
    dn/dt = an*(1 - n) - bn*n : 1
    da/dt = (ainf - a)/taua : 1
    db/dt = (binf - b)/taub : 1
    am = 3.8/exprel(-0.1/mV*(v + 29.7*mV))/ms : Hz
    bm = 15.2*exp(-0.0556/mV*(v + 54.7*mV))/ms : Hz
    ah = 0.266*exp(-0.05/mV*(v + 48*mV))/ms : Hz
    bh = 3.8/(1 + exp(-0.1/mV*(v + 18*mV)))/ms : Hz
    an = 0.2/exprel(-0.1/mV*(v + 45.7*mV))/ms : Hz
    bn = 0.25*exp(-0.0125/mV*(v + 55.7*mV))/ms : Hz
    ainf = (0.0761*exp(0.0314/mV*(v + 94.22*mV))/
            (1 + exp(0.0346/mV*(v + 1.17*mV))))**(1./3) : 1
    taua = 0.3632*ms + 1.158*ms/(1 + exp(0.0497/mV*(v + 55.96*mV))) : second
    binf = (1/(1 + exp(0.0688/mV*(v + 53.3*mV))))**4 : 1
    taub = 1.24*ms + 2.678*ms/(1 + exp(0.0624/mV*(v + 50*mV))) : second
    """,
    "v > -10*mV",
    "",
    {
        "Cm": "1 uF/cm2",
        "gl": "0.3 mS/cm2",
        "gNa": "120 mS/cm2",
        "gK": "20 mS/cm2",
        "gA": "47.7 mS/cm2",
        "I": "10 uA/cm2",
    },
    {"v": "-68*mV", "m": "0.01", "h": "0.96", "n": "0.16", "a": "0.54", "b": "0.29"},
    "exponential_euler",
    0.02,
    300.0,
    "v > -10*mV",
)

RINZEL = Case(
    "Reduced squid axon",
    "Rinzel J (1985). Fed Proc 44:2944",
    """
    dv/dt = (I - 120*msiemens/cm**2*minf**3*(0.85 - n)*(v - 50*mV)
             - 36*msiemens/cm**2*n**4*(v + 77*mV) - 0.3*msiemens/cm**2*(v + 54.4*mV))/Cm : volt
    dn/dt = an*(1 - n) - bn*n : 1
    am = 1/exprel(-(v + 40*mV)/(10*mV)) : 1
    bm = 4*exp(-(v + 65*mV)/(18*mV)) : 1
    minf = am/(am + bm) : 1
    an = 0.1/exprel(-(v + 55*mV)/(10*mV))/ms : Hz
    bn = 0.125*exp(-(v + 65*mV)/(80*mV))/ms : Hz
    """,
    "v > 0*mV",
    "",
    {"Cm": "1 uF/cm2", "I": "12 uA/cm2"},
    {"v": "-65*mV", "n": "0.32"},
    "rk4",
    0.02,
    150.0,
    "v > 0*mV",
)

POSPISCHIL = Case(
    "Regular spiking, M-current",
    "Pospischil M et al. (2008). Biol Cybern 99:427",
    """
    dv/dt = (-gl*(v - El) - gna*m**3*h*(v - 50*mV) - gkd*n**4*(v + 90*mV)
             - gm*p*(v + 90*mV) + I)/Cm : volt
    dm/dt = am*(1 - m) - bm*m : 1
    dh/dt = ah*(1 - h) - bh*h : 1
    dn/dt = an*(1 - n) - bn*n : 1
    dp/dt = (pinf - p)/taup : 1
    am = 0.32*4/exprel(-(v - VT - 13*mV)/(4*mV))/ms : Hz
    bm = 0.28*5/exprel((v - VT - 40*mV)/(5*mV))/ms : Hz
    ah = 0.128*exp(-(v - VT - 17*mV)/(18*mV))/ms : Hz
    bh = 4/(1 + exp(-(v - VT - 40*mV)/(5*mV)))/ms : Hz
    an = 0.032*5/exprel(-(v - VT - 15*mV)/(5*mV))/ms : Hz
    bn = 0.5*exp(-(v - VT - 10*mV)/(40*mV))/ms : Hz
    pinf = 1/(1 + exp(-(v + 35*mV)/(10*mV))) : 1
    taup = taumax/(3.3*exp((v + 35*mV)/(20*mV)) + exp(-(v + 35*mV)/(20*mV))) : second
    I = 4*uA/cm**2*int(t > 50*ms) : amp/meter**2
    """,
    "v > -20*mV",
    "",
    {
        "Cm": "1 uF/cm2",
        "gl": "0.0205 mS/cm2",
        "El": "-70.3 mV",
        "gna": "56 mS/cm2",
        "gkd": "6 mS/cm2",
        "gm": "0.075 mS/cm2",
        "taumax": "608 ms",
        "VT": "-56.2 mV",
    },
    {"v": "-70*mV", "h": "1"},
    "exponential_euler",
    0.05,
    500.0,
    "v > -20*mV",
)

ROTHMAN_MANIS = Case(
    "Cochlear nucleus, type II",
    "Rothman JS, Manis PB (2003). J Neurophysiol 89:3097",
    """
    dv/dt = (2*nS*(-65*mV - v) + ina + ikht + iklt + ih + I*int(t > 20*ms and not t > 60*ms)
             + 1200*pA*sin(2*pi*f*t)*int(t >= 80*ms))/(12*pF) : volt
    ina = 1000*nS*m**3*h*(50*mV - v) : amp
    ikht = 150*nS*(0.85*n**2 + 0.15*p)*(-70*mV - v) : amp
    iklt = 200*nS*w**4*z*(-70*mV - v) : amp
    ih = 20*nS*r*(-43*mV - v) : amp
    dm/dt = (minf - m)/mtau : 1
    minf = 1./(1 + exp(-(v + 38*mV)/(7.*mV))) : 1
    mtau = 10*ms/(5*exp((v + 60*mV)/(18*mV)) + 36*exp(-(v + 60*mV)/(25*mV))) + 0.04*ms : second
    dh/dt = (hinf - h)/htau : 1
    hinf = 1./(1 + exp((v + 65*mV)/(6.*mV))) : 1
    htau = 100*ms/(7*exp((v + 60*mV)/(11*mV)) + 10*exp(-(v + 60*mV)/(25*mV))) + 0.6*ms : second
    dn/dt = (ninf - n)/ntau : 1
    ninf = (1 + exp(-(v + 15*mV)/(5*mV)))**-0.5 : 1
    ntau = 100*ms/(11*exp((v + 60*mV)/(24*mV)) + 21*exp(-(v + 60*mV)/(23*mV))) + 0.7*ms : second
    dp/dt = (pinf - p)/ptau : 1
    pinf = 1./(1 + exp(-(v + 23*mV)/(6*mV))) : 1
    ptau = 100*ms/(4*exp((v + 60*mV)/(32*mV)) + 5*exp(-(v + 60*mV)/(22*mV))) + 5*ms : second
    dw/dt = (winf - w)/wtau : 1
    winf = (1./(1 + exp(-(v + 48*mV)/(6.*mV))))**0.25 : 1
    wtau = 100*ms/(6*exp((v + 60*mV)/(6*mV)) + 16*exp(-(v + 60*mV)/(45*mV))) + 1.5*ms : second
    dz/dt = (zinf - z)/ztau : 1
    zinf = 0.5 + 0.5/(1 + exp((v + 71*mV)/(10*mV))) : 1
    ztau = 1000*ms/(exp((v + 60*mV)/(20*mV)) + exp(-(v + 60*mV)/(8*mV))) + 50*ms : second
    dr/dt = (rinf - r)/rtau : 1
    rinf = 1./(1 + exp((v + 76*mV)/(7*mV))) : 1
    rtau = 1e5*ms/(237*exp((v + 60*mV)/(12*mV)) + 17*exp(-(v + 60*mV)/(14*mV))) + 25*ms : second
    I : amp
    """,
    "v > -20*mV",
    "",
    {"f": "0.1 1/ms", "I": "600 pA"},
    {"v": "-64*mV", "h": "0.45", "w": "0.51", "z": "0.66", "r": "0.14"},
    "exponential_euler",
    0.02,
    160.0,
    "v > -20*mV",
)

NMDA = Case(
    "LIF with NMDA receptors",
    "Brunel N, Wang XJ (2001). J Comput Neurosci 11:63",
    """
    dv/dt = (25*nS*(-70*mV - v) + Iampa + Inmda)/(500*pF) : volt (unless refractory)
    Iampa = -g_ampa*v : amp
    Inmda = -g_nmda*s*v/(1 + Mg*exp(-0.062/mV*v)/3.57) : amp
    dg_ampa/dt = -g_ampa/(2*ms) : siemens
    ds/dt = -s/(100*ms) + alpha*x*(1 - s) : 1
    dx/dt = -x/(2*ms) : 1
    """,
    "v > -50*mV",
    "v = -55*mV",
    {"g_nmda": "80 nS", "Mg": "1", "alpha": "0.5 1/ms"},
    {"v": "-70*mV"},
    "rk2",
    0.1,
    400.0,
    "2*ms",
    (
        Input("g_ampa", 25.0, "nS", _train(7, 60.0, 250.0)),
        Input("x", 1.0, "1", _train(7, 60.0, 250.0)),
    ),
)

ALPHA = Case(
    "LIF with alpha synapse",
    "Rall W (1967). J Neurophysiol 30:1138; Rotter S, Diesmann M (1999). Biol Cybern 81:381",
    """
    dv/dt = (Vrest - v)/taum + Isyn/Cm : volt (unless refractory)
    dIsyn/dt = (x*exp(1) - Isyn)/taus : amp
    dx/dt = -x/taus : amp
    """,
    "v > -55*mV",
    "v = Vrest",
    {"Vrest": "-70 mV", "taum": "10 ms", "taus": "2 ms", "Cm": "250 pF"},
    {"v": "Vrest"},
    "exact",
    0.1,
    400.0,
    "2*ms",
    (Input("x", 250.0, "pA", _train(8, 350.0, 400.0)),),
)

SINE = Case(
    "LIF driven by a sine",
    "Knight BW (1972). J Gen Physiol 59:734",
    """
    dv/dt = (-v + RI*(1 + 0.6*sin(2*pi*f*t)))/tau*int(not_refractory) : volt
    """,
    "v > 10*mV",
    "v = 0*mV",
    {"tau": "10 ms", "RI": "11 mV", "f": "0.013 1/ms"},
    {},
    "rk4",
    0.1,
    400.0,
    "1*ms",
)

RESONATE = Case(
    "Resonate-and-fire",
    "Izhikevich EM (2001). Neural Netw 14:883",
    """
    dx/dt = b*x - omega*y : 1
    dy/dt = omega*x + b*y : 1
    """,
    "y > 1",
    "x = 0; y = 1",
    {"b": "-0.02 1/ms", "omega": "0.25 1/ms"},
    {},
    "exact",
    0.1,
    400.0,
    "",
    (Input("x", 0.8, "1", (20.0, 45.0, 70.0, 150.0, 162.5, 175.0, 187.5, 200.0, 320.0, 345.0)),),
    shown="y",
)

PLATKIEWICZ_BRETTE = Case(
    "Threshold that follows v",
    "Platkiewicz J, Brette R (2010). PLoS Comput Biol 6:e1000850",
    """
    dv/dt = (El - v + RI)/(5*ms) : volt
    RI = 12*mV + 10*mV*sin(2*pi*t/(40*ms)) + 6*mV*sign(sin(2*pi*t/(160*ms))) : volt
    dtheta/dt = (theta_inf - theta)/tau_theta : volt
    theta_inf = VT + ka*log(1 + exp((v - Vi)/ki)) : volt
    """,
    "v > theta",
    "v = El; theta += 2*mV",
    {
        "El": "-70 mV",
        "VT": "-60 mV",
        "ka": "5 mV",
        "ki": "5 mV",
        "Vi": "-63 mV",
        "tau_theta": "7 ms",
    },
    {"v": "El", "theta": "VT"},
    "rk2",
    0.1,
    400.0,
)

MIHALAS_NIEBUR = Case(
    "Generalized LIF",
    "Mihalas S, Niebur E (2009). Neural Comput 21:704",
    """
    dv/dt = (Ie + I1 + I2 - G*(v - El)) : volt
    dI1/dt = -I1/(5*ms) : volt/second
    dI2/dt = -I2/(50*ms) : volt/second
    dtheta/dt = a*(v - El) - b*(theta - thinf) : volt
    """,
    "v > theta",
    "I1 = 2*mV/ms; I2 = -0.6*mV/ms; v = -70*mV; theta = clip(theta, -60*mV, 0*mV)",
    {
        "G": "0.05 1/ms",
        "El": "-70 mV",
        "a": "0.005 1/ms",
        "b": "0.01 1/ms",
        "thinf": "-50 mV",
        "Ie": "2.2 mV/ms",
    },
    {"v": "El", "theta": "thinf"},
    "exact",
    0.1,
    400.0,
)

NOISY = Case(
    "Noisy LIF",
    "Brunel N, Hakim V (1999). Neural Comput 11:1621",
    """
    dv/dt = (mu - v)/tau + sigma*xi*(2/tau)**.5 : volt (unless refractory)
    """,
    "v > 20*mV",
    "v = 10*mV",
    {"mu": "17 mV", "sigma": "4 mV", "tau": "20 ms"},
    {"v": "10*mV"},
    "euler",
    0.1,
    1000.0,
    "2*ms",
    size=4000,
)

ORNSTEIN_UHLENBECK = Case(
    "LIF, noisy current",
    "Brunel N, Sergi S (1998). J Theor Biol 195:87",
    """
    dv/dt = (El - v)/taum + (I0 + I)/C + sigma_v*(2/taum)**0.5*xi_v : volt (unless refractory)
    dI/dt = -I/taun + sigma*sqrt(2)*taun**-0.5*xi_I : amp
    """,
    "v >= -50*mV",
    "v = -60*mV",
    {
        "El": "-65 mV",
        "taum": "15 ms",
        "C": "250 pF",
        "I0": "200 pA",
        "sigma": "100 pA",
        "sigma_v": "2 mV",
        "taun": "5 ms",
    },
    {"v": "-60*mV"},
    "euler",
    0.1,
    1000.0,
    "2*ms",
    size=4000,
)

CASES = [
    *(CUBA, COBA, SFA, THRESHOLD, MAT, EIF, ADEX, QIF, THETA, QUARTIC, IZHIKEVICH),
    *(IZHIKEVICH2007, HODGKIN_HUXLEY, TRAUB_MILES, WANG_BUZSAKI, MORRIS_LECAR, FITZHUGH_NAGUMO),
    *(HINDMARSH_ROSE, CONNOR_STEVENS, RINZEL, POSPISCHIL, ROTHMAN_MANIS, NMDA, ALPHA, SINE),
    *(RESONATE, PLATKIEWICZ_BRETTE, MIHALAS_NIEBUR, NOISY, ORNSTEIN_UHLENBECK),
]
