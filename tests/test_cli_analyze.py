"""``spikesim analyze``: what it prints, draws and writes, and what it refuses."""

import json
import re
from html.parser import HTMLParser

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from spikesim.analysis import correlograms, cv2, ks_distance, synchrony
from spikesim.cli import main
from spikesim.data.spike_files import open_spikes, write_spikes
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows
from spikesim.reports.page import Section, page, shown
from spikesim.reports.sections import PARTS, Material, _folded, sections


def trains(seed, size=12, rate=20.0, duration=3000.0, **frame):
    rng = np.random.default_rng(seed)
    n = rng.poisson(rate * duration / 1000, size)
    times = np.ceil(rng.uniform(0, duration / 0.1, n.sum())) * 0.1
    return SpikeTrains(times, np.repeat(np.arange(size), n), size, 0, duration, **frame)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for seed in (1, 2):
        run = {"exc": trains(seed), "inh": trains(seed + 10, size=5, rate=40.0)}
        write_spikes(folder / f"{seed}.h5", run, {"seed": seed, "note": "two\nlines"})
    return folder


def analyze(*arguments, code=0):
    done = CliRunner().invoke(main, ["analyze", *map(str, arguments)])
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output
    return done.output


def test_numbers_are_those_of_the_functions(files):
    spikes = open_spikes(files / "1.h5")["exc"]
    found = json.loads(analyze(files / "1.h5", "--json"))
    assert found["seed"] == 1 and found["populations"] == {"exc": 12, "inh": 5}
    assert (found["t_start (ms)"], found["t_stop (ms)"], found["recorded (ms)"]) == (0, 3000, 3000)
    row = found["rates"]["exc"]
    assert (row["neurons"], row["spikes"]) == (12, len(spikes))
    assert row["mean (Hz)"] == pytest.approx(spikes.rate)
    assert row["highest (Hz)"] == pytest.approx(spikes.rates().max())
    row = found["intervals"]["exc"]
    assert row["CV, mean of neurons"] == pytest.approx(spikes.cv().mean())
    assert row["mean (ms)"] == pytest.approx(spikes.intervals()[0].mean())
    assert row["CV2"] == pytest.approx(cv2(spikes).mean())
    assert found["synchrony"]["exc"]["chi"] == pytest.approx(synchrony(spikes, 5.0))
    assert found["correlograms"]["exc"]["pairs"] == 66
    assert abs(found["correlograms"]["exc"]["pairs of spikes at lag 0 / expected"] - 1) < 0.5
    assert "agreement" not in found and "phases" not in found


def test_the_window_and_the_populations_are_chosen(files):
    given = ["--population", "inh", "--window", 500, 1500, "--what", "rates", "--json"]
    found = json.loads(analyze(files / "1.h5", *given))
    assert list(found["rates"]) == ["inh"] and "intervals" not in found
    part = open_spikes(files / "1.h5")["inh"].restrict(500, 1500)
    assert found["rates"]["inh"]["spikes"] == len(part)
    assert (found["t_start (ms)"], found["t_stop (ms)"]) == (500, 1500)


def test_runs_stand_beside_each_other(files):
    given = ["--against", files / "2.h5", "--what", "agreement", "--json"]
    found = json.loads(analyze(files / "1.h5", *given))
    assert found["runs"] == {"A": str(files / "1.h5"), "B": str(files / "2.h5")}
    rows = found["agreement"]
    a, b = (open_spikes(files / f"{seed}.h5")["exc"] for seed in (1, 2))
    assert rows["exc: A"]["rate (Hz)"] == pytest.approx(a.rate) != rows["exc: B"]["rate (Hz)"]
    assert rows["exc: A to B"]["KS of rates"] == ks_distance(a.rates(), b.rates())


def test_phases_of_a_rhythm_are_told(tmp_path):
    rng = np.random.default_rng(4)
    cycles = rng.integers(0, 300, (10, 40))
    times = 100.0 * (cycles + 0.25 + 0.05 * rng.standard_normal(cycles.shape))
    locked = SpikeTrains(times.ravel(), np.repeat(np.arange(10), 40), 10, 0, 30_000)
    write_spikes(tmp_path / "locked.h5", {"locked": locked, "free": trains(6, duration=30_000.0)})
    found = json.loads(
        analyze(tmp_path / "locked.h5", "--rhythm", 10, "--what", "phases", "--json")
    )["phases"]
    assert found["locked"]["preferred phase (degrees)"] == pytest.approx(90, abs=5)
    assert found["locked"]["mean vector"] > 0.9
    assert found["locked"]["neurons with p < .05 (%)"] == 100
    assert found["free"]["neurons with p < .05 (%)"] < 40 and found["free"]["mean vector"] < 0.05


def test_what_was_guessed_and_what_was_not_recorded_is_told(tmp_path):
    gaps = Windows([0, 2000], [1500, 3000])
    write_spikes(tmp_path / "gaps.h5", trains(1).restrict(gaps))
    told = analyze(tmp_path / "gaps.h5", "--what", "rates")
    assert "recorded (ms): 2500\nwindows: 2\n" in told and "\nguessed" not in told
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["spikes/pop/timestamps"], file["spikes/pop/node_ids"] = [1.0, 2.0], [0, 1]
        file["spikes/pop/timestamps"].attrs["units"] = "s"
    told = analyze(tmp_path / "foreign.h5", "--what", "rates")
    assert "guessed: size, t_start, t_stop" in told and told.count("are given in ms") == 1


def test_the_numbering_of_neurons_gives_correlograms_no_direction(tmp_path):
    first = np.arange(10.0, 2900.0, 37.0)
    chain = np.concatenate([first + 2.0 * i for i in range(5)])
    follow = SpikeTrains(chain, np.repeat(np.arange(5), len(first)), 5, 0, 3000)
    up, down = (
        _folded(correlograms(order, 1.0, 50.0))
        for order in (follow, follow.select(range(4, -1, -1)))
    )
    for a, b in zip(up, down, strict=True):
        np.testing.assert_allclose(a, b)
    lags, ratio, _ = up
    assert lags[0] == 0 and lags[np.argmax(ratio)] == 2 and ratio[0] == 0


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.sources = [], [], [], []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes["href"]] if "href" in attributes else []
        self.sources += [attributes["src"]] if "src" in attributes else []
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_report_is_one_whole_page(files, tmp_path):
    path = tmp_path / "report.html"
    analyze(files / "1.h5", "--against", files / "2.h5", "--report", path)
    html = path.read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(html)
    assert not tags.open
    assert [link[1:] for link in tags.links] == tags.ids and len(tags.ids) == 8
    assert all(source.startswith("data:image/png;base64,iVBOR") for source in tags.sources)
    assert len(tags.sources) == 7
    assert "<pre>two\nlines</pre>" in html and "http" not in html.replace("http-equiv", "")


def test_pictures_go_to_a_folder(files, tmp_path):
    analyze(files / "1.h5", "--what", "rates, intervals", "--plots", tmp_path / "pictures")
    drawn = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert drawn == ["intervals_1.png", "intervals_2.png", "rates.png"]
    again = [files / "1.h5", "--what", "rates", "--plots", tmp_path / "pictures"]
    assert "exists" in analyze(*again, code=2)
    analyze(*again, "--force")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--population", "axc"], "has no population 'axc'; it has 'exc', 'inh'"),
        (["--window", "5", "2"], "must be ascending"),
        (["--window", "0", "9000"], r"inside of \[0, 3000\] ms"),
        (["--what", "rate"], "--what is 'rate'; it must name parts of raster, rates"),
        (["--what", ","], "--what is ','"),
        (["--what", "agreement"], "--what names agreement, which needs --against"),
        (["--what", "phases"], "--what names phases, which needs --rhythm"),
        (["--rhythm", "0"], "--rhythm is 0.0; it must be a finite number of Hz above 0"),
        (["--against", "nowhere.h5"], "there is no file nowhere.h5"),
        (["--report", "nowhere/report.html"], "the folder .*nowhere does not exist"),
        (["--plots", "nowhere/pictures"], "the folder .*nowhere does not exist"),
    ],
)
def test_mistakes_are_told_in_a_sentence(files, given, message):
    output = analyze(files / "1.h5", *given, code=2)
    assert re.search(message, output)


def test_a_run_is_not_compared_with_itself_nor_overwritten(files, tmp_path):
    path = files / "1.h5"
    assert "is among the runs already" in analyze(path, "--against", path, code=2)
    twice = ["--against", files / "2.h5"] * 2
    assert "is among the runs already" in analyze(path, *twice, code=2)
    many = [part for i in range(26) for part in ("--against", tmp_path / f"{i}.h5")]
    assert "26 times; 25 at most" in analyze(path, *many, code=2)
    before = path.read_bytes()
    assert "would overwrite a run" in analyze(path, "--report", path, "--force", code=2)
    assert path.read_bytes() == before


def test_guessed_windows_make_no_difference_between_runs(tmp_path):
    for name, last in (("a", 999.9), ("b", 999.3)):
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            ids = np.repeat(np.arange(30), np.arange(1, 31))
            times = np.linspace(10, 900, len(ids))
            times[-1] = last
            file["spikes/pop/timestamps"], file["spikes/pop/node_ids"] = times, ids
            file["spikes/pop/timestamps"].attrs["units"] = "ms"
    pair = tmp_path / "a.h5", "--against", tmp_path / "b.h5", "--what", "agreement", "--json"
    found = json.loads(analyze(*pair, "--window", 0, 1000))
    assert found["agreement"]["pop: A to B"]["KS of rates"] == 0 and found["t_stop (ms)"] == 1000
    found = json.loads(analyze(*pair))
    assert found["agreement"]["pop: A to B"]["KS of rates"] < 0.05


def test_files_that_hold_no_spikes_are_told(tmp_path):
    assert "there is no file" in analyze(tmp_path / "nothing.h5", code=2)
    (tmp_path / "text.h5").write_text("1 2 3")
    assert "is not an HDF5 file" in analyze(tmp_path / "text.h5", code=2)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "odd",
    [
        SpikeTrains([], [], 3, 0, 100),
        SpikeTrains([], [], 0, 0, 100),
        SpikeTrains([50.0], [0], 1, 0, 100),
        SpikeTrains([1.0, 2.0], [0, 0], 2, 0, 3),
        trains(5, size=3).restrict(Windows([0, 1000], [300, 2500])),
    ],
)
def test_every_part_of_odd_trains_is_told_without_a_warning(odd):
    material = Material({"odd": odd}, rhythm=8.0, others={"other": {"odd": odd}})
    made = list(sections(material, list(PARTS), True))
    assert [part.name for part in made] == list(PARTS)
    page("odd", {}, made)


def test_values_are_shown_to_four_digits():
    assert [shown(value) for value in (1234567, 0.123456, np.nan, True, [1, 2], {"a": 1})] == [
        *["1,234,567", "0.1235", "\N{EN DASH}", "True", "1, 2", "a (1)"]
    ]
    made = page("a < b", {"a": "<script>"}, [Section("x", "x & y", {"r<": {"c>": 1.0}})])
    assert "a &lt; b" in made and "<script>" not in made and "x &amp; y" in made and "r&lt;" in made
    assert [shown(value) for value in (120000.0, 12345.6, 2e15, -1e4, np.inf)] == [
        "120,000",
        "1.235e+04",
        "2e+15",
        "-10,000",
        "inf",
    ]
