"""A network that is read from a file is the one that was written."""

import h5py
import numpy as np
import pytest

import spikesim as ss


def everything():
    net = ss.Network(seed=5, name="all")
    model = ss.LIF(
        tau_m=ss.Normal(20.0, 1.0, low=10.0),
        v_th=np.linspace(-51, -49, 40),
        receptors={"slow": ss.Exponential(9.0), "fast": ss.Exponential(np.linspace(1, 3, 40))},
    )
    a = net.population("a", 40, model, {"v": ss.Uniform(-65, -50)}, positions=np.arange(40.0))
    b = net.population("b", 12, ss.Izhikevich2007(), {"u": "b * (v_r - c)"})
    c = net.population(
        "c",
        5,
        ss.NeuronModel("dv/dt = (g - v) / tau : 1", "v > 1", "v = 0", {"tau": "10 ms", "g": "1.5"}),
    )
    net.connect(
        a[::2], b, ss.FixedProbability(0.2), weight=ss.LogNormal(2, 0.5), delay=1.5, receptor="exc"
    )
    net.connect(c, a, ss.AllToAll(), weight=-20.0, delay=ss.Uniform(0.5, 2), receptor="fast")
    net.connect(
        a,
        a,
        ss.DistanceDependent(ss.Gaussian(3.0)),
        weight=9.0,
        receptor="slow",
        delay=ss.DistanceDelay(1.0, 2.0),
    )
    net.connect(
        b,
        a,
        ss.Pairs([0, 1, 11], [3, 4, 5]),
        weight=np.array([1.0, 2, 3]),
        delay=1.0,
        receptor="slow",
        name="odd/name. of it",
    )
    net.drive(a, ss.Poisson(900.0, 40.0), receptor="fast")
    net.drive(b[:4], ss.Current(np.arange(4.0) * 100), name="steps")
    net.drive(a[:3], ss.Spikes([[5.0], [], [1.0, 9.0]], 800.0), receptor="slow", name="given")
    net.drive(
        b,
        ss.Sampled(np.random.default_rng(0).random((6, 12)) * 90, every=5.0),
        receptor="exc",
        name="wave",
    )
    return net


def spikes_of(net):
    return ss.simulate(net, 60.0, dt=0.1, threads=1).spikes


def test_the_same_spikes_come_of_the_same_file(tmp_path):
    net = everything()
    ss.save_network(net, tmp_path / "x.h5")
    again = ss.load_network(tmp_path / "x.h5")
    assert again.summary() == net.summary() and again.seed == 5
    assert list(again.populations["a"].model.receptors) == ["slow", "fast"]
    for (name, a), b in zip(spikes_of(net).items(), spikes_of(again).values(), strict=True):
        assert len(a) and np.array_equal(a.times, b.times), name
        assert np.array_equal(a.neurons, b.neurons)


def test_a_file_is_not_replaced_unasked(tmp_path):
    path, net = tmp_path / "x.h5", everything()
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="exists already"):
        ss.save_network(net, path)
    assert path.read_text() == "mine"
    ss.save_network(net, path, overwrite=True)
    ss.load_network(path)


def change(**attributes):
    return lambda hdf5: hdf5.attrs.update(attributes)


def cut(name):
    def without(hdf5):
        del hdf5[name]

    return without


def of_a_class(hdf5):
    hdf5["populations/0/2"].attrs["class"] = "Popen"


def other_size(hdf5):
    hdf5["populations/0"].attrs["0"] = "41"


DAMAGED = {
    "it is not a network file": change(format="spikesim rate network"),
    "written by a newer version": change(version=99),
    "unknown class 'Popen'": of_a_class,
    "it is damaged": cut("projections"),
    "shape": other_size,
}


@pytest.mark.parametrize("told", DAMAGED)
def test_damage_is_told(tmp_path, told):
    path = tmp_path / "x.h5"
    ss.save_network(everything(), path)
    with h5py.File(path, "r+") as hdf5:
        DAMAGED[told](hdf5)
    with pytest.raises(ValueError, match=told):
        ss.load_network(path)


def test_other_files(tmp_path):
    path = tmp_path / "x.h5"
    with pytest.raises(FileNotFoundError, match="there is no file"):
        ss.load_network(path)
    path.write_text("nothing of the kind")
    with pytest.raises(ValueError, match="not an HDF5 file"):
        ss.load_network(path)
