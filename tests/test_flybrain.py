"""The fly's brain: the rules of its neurons on two of them, its random wiring, its edge tables."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import spikesim as ss
from spikesim.cli import main
from spikesim.networks import flybrain

DT = 0.1


@pytest.fixture
def table(tmp_path):
    """Neuron 0 onto 1 with 40 synapses, 1 onto 2 with -3."""
    path = tmp_path / "edges.csv"
    path.write_text("source,target,count\n0,1,40\n1,2,-3\n", encoding="utf-8")
    return path


def run(table, kicks, duration, driven=None):
    """Kick neurons at given times (ms) and watch g and v of all three."""
    net = flybrain.network(edges=table, stimulate=driven or {})
    if driven:
        net.remove("stimulus")  # its neurons keep their lack of a refractory time
    trains = [np.asarray(kicks.get(neuron, []), float) for neuron in range(3)]
    net.drive("brain", ss.Spikes(trains, flybrain.KICK), receptor="kick")
    brain = net.populations["brain"]
    records = [ss.Trace(brain, name, DT) for name in ("v", "g")]
    simulation = ss.Simulation(net, precision="double", record=records)
    simulation.run(duration)
    trains = simulation.spikes["brain"]
    times = [trains.times[trains.neurons == k] for k in range(3)]
    return times, *(simulation.traces["brain", name].values for name in ("v", "g"))


def at(time):
    """Row of a trace."""
    return round(time / DT) - 1


def test_g_and_v_follow_their_closed_form(table):
    times, v, g = run(table, {0: [1.0]}, 40.0)
    np.testing.assert_allclose(times[0], [1.0])
    jump = 40 * 0.275
    t = np.arange(at(40.0) - at(2.8) + 1) * DT  # since the arrival, 1.8 ms later
    expected_g = jump * np.exp(-t / 5)
    expected_v = -52 + jump * 5 / (20 - 5) * (np.exp(-t / 20) - np.exp(-t / 5))
    np.testing.assert_allclose(g[at(2.8) :, 1], expected_g, rtol=1e-9)
    np.testing.assert_allclose(v[at(2.8) :, 1], expected_v, rtol=1e-9)
    assert times[1].size == 0


def test_a_spike_clears_g(table):
    times, v, g = run(table, {0: [1.0], 1: [4.0]}, 10.0)
    np.testing.assert_allclose(times[1], [4.0])
    assert g[at(3.9), 1] > 5
    np.testing.assert_array_equal(g[at(4.0) :, 1], 0.0)
    np.testing.assert_array_equal(v[at(4.0) :, 1], -52.0)


@pytest.mark.parametrize(("delay_after_spike", "lost"), [(0.1, True), (2.2, True), (2.3, False)])
def test_input_while_refractory_is_lost(table, delay_after_spike, lost):
    # Neuron 1 spikes at 5 ms; the spike of neuron 0 arrives so long after.
    times, _, g = run(table, {0: [5.0 + delay_after_spike - 1.8], 1: [5.0]}, 12.0)
    np.testing.assert_allclose(times[1], [5.0])
    assert (g[at(5.0 + delay_after_spike), 1] == 0) == lost
    assert (g[:, 1].max() == 0) == lost


def test_driven_neurons_have_no_refractory_time(table):
    kicks = {0: [1.0, 1.1, 1.2, 2.0], 1: [1.0, 1.1, 1.2, 2.0, 3.3]}
    times, _, _ = run(table, kicks, 5.0, driven={0: 100.0})
    np.testing.assert_allclose(times[0], [1.0, 1.1, 1.2, 2.0])
    np.testing.assert_allclose(times[1], [1.0, 3.3])


def test_the_sign_and_number_of_synapses_are_the_weight(table):
    _, _, g = run(table, {1: [1.0]}, 5.0)
    assert g[at(2.8), 2] == pytest.approx(-3 * 0.275)


def test_the_authors_columns_are_read(tmp_path, table):
    path = tmp_path / "authors.csv"
    header = "Presynaptic_Index,Postsynaptic_Index,Connectivity,Excitatory x Connectivity\n"
    path.write_text(f"{header}0,1,40,40\n1,2,3,-3\n", encoding="utf-8")
    both = [flybrain.network(edges=name, stimulate={}) for name in (table, path)]
    weights = [net.projections["brain->brain"].weight for net in both]
    np.testing.assert_array_equal(*weights)


def test_random_edges_have_a_flys_size_degrees_and_share_of_inhibition():
    edges = flybrain.random_edges(flybrain.SIZE, seed=3)
    degrees = np.bincount(edges.sources, minlength=flybrain.SIZE)
    assert edges.sources.size == pytest.approx(flybrain.EDGES, rel=0.01)
    assert degrees.mean() == pytest.approx(115, rel=0.02)
    assert 5000 < degrees.max() <= flybrain.LARGEST_OUT_DEGREE
    counts = edges.weights / flybrain.WEIGHT
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-9)
    assert np.abs(counts).min() == pytest.approx(1)
    firsts = np.unique(edges.sources, return_index=True)[1]
    assert np.mean(counts[firsts] < 0) == pytest.approx(0.4, abs=0.01)
    first = edges.sources == 17
    assert abs(np.sign(counts[first]).sum()) == first.sum()  # all of one sign


def invoke(*arguments):
    return CliRunner().invoke(main, ["run", "flybrain", *map(str, arguments)])


def test_the_command_line_says_which_neurons_answer(table):
    options = ["--edges", table, "--stimulate", "0:150", "--duration", 1000, "--trials", 3]
    result = invoke(*options, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    answering = told["answering"]["brain"]
    assert answering["neurons"] == [0, 1]
    assert answering["mean"][0] == pytest.approx(150, abs=25)  # 3 s of it: SD 7
    assert answering["sd"][0] > 0
    assert told["trials"] == 3
    text = invoke(*options).stdout
    assert "brain: 2 neurons spiked\nneuron  rate (Hz)  SD over trials\n0 " in text
    cut = json.loads(invoke(*options, "--silence", "0", "--json").stdout)["answering"]["brain"]
    assert cut["neurons"] == [0]
    assert cut["mean"][0] == answering["mean"][0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--stimulate", "x:100"], "--stimulate is 'x:100'; it must be NEURONS:HZ"),
        (["--stimulate", "1-3"], "--stimulate is '1-3'"),
        (["--stimulate", "3:-1"], "--stimulate is '3:-1'"),
        (["--stimulate", "3:100"], "stimulate names neuron 3; the brain has 3"),
        (["--silence", "3"], "neurons run from 3 to 3; 'brain' has 3 here"),
        (["--silence", "a:3"], "--silence is 'a:3'; it must be POP:NEURONS"),
        (["--silence", "x"], "--silence is 'x'; NEURONS must be numbers"),
        (["--trials", "0"], "--trials is 0; it must be 1 or more"),
        (["--trials", "2", "--out", "x.h5"], "--trials is 2; --out and --plot keep"),
        (["--scale", "0.5"], "a network from a table of edges has its own size"),
    ],
)
def test_mistakes_are_told(table, options, message):
    needs_driven = "--stimulate" not in options
    result = invoke("--edges", table, *(["--stimulate", "0:10"] * needs_driven), *options)
    assert result.exit_code == 2
    assert message in result.output


def test_a_table_without_its_columns_is_told(tmp_path):
    path = tmp_path / "e.csv"
    path.write_text("a,b\n0,1\n", encoding="utf-8")
    result = invoke("--edges", path)
    assert result.exit_code == 2
    assert "the columns are 'a', 'b'; needed: 'source', 'target', 'count' or" in result.output


def test_stimulate_and_edges_belong_to_networks_that_take_them():
    result = CliRunner().invoke(main, ["run", "cuba", "--edges", "x.csv"])
    assert result.exit_code == 2
    assert "the network 'cuba' takes no --edges" in result.output


def test_ids_of_a_connectome_are_refused_before_anything_is_allocated(tmp_path):
    path = tmp_path / "edges.csv"
    path.write_text("source,target,count\n720575940628857210,720575940604023456,4\n")
    with pytest.raises(ValueError, match=r"number 720575940628857210, .*numbered from 0 here"):
        flybrain.network(edges=path)
