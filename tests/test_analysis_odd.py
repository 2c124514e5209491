"""Every readout of odd trains: none, silent ones, single spikes, gaps. Answers, and no warnings."""

import numpy as np
import pytest

from spikesim import analysis
from spikesim.data.aligned import AlignedTrains
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows

TRAINS = {
    "no neurons": SpikeTrains([], [], 0, 0, 200),
    "silent": SpikeTrains([], [], 3, 0, 200),
    "one spike": SpikeTrains([50.0], [1], 3, 0, 200),
    "two at one time": SpikeTrains([50.0, 50.0, 50.0], [0, 0, 1], 2, 0, 200),
    "at the ends": SpikeTrains([1e-3, 200.0, 200.0], [0, 0, 1], 2, 0, 200),
    "gaps": SpikeTrains([10, 90, 110, 190], [0, 0, 0, 1], 2, support=Windows([0, 100], [100, 200])),
    "in parts": SpikeTrains([10, 130, 170], [0, 0, 1], 2, support=Windows([0, 120], [40, 200])),
}
PHASE = analysis.periodic_phase(25.0)
SIGNAL = np.sin(np.arange(0.0, 201.0) / 4)
CALLS = {
    "agreement": lambda t: analysis.agreement(t, t),
    "allan_factor": lambda t: analysis.allan_factor(t, [10.0]),
    "autocorrelograms": lambda t: analysis.autocorrelograms(t, 1.0, 10.0),
    "bursts": analysis.bursts,
    "bursts, max interval": lambda t: analysis.bursts(t, analysis.MaxInterval()),
    "coherence": lambda t: analysis.coherence(t, 40.0),
    "correlograms": lambda t: analysis.correlograms(t, 1.0, 10.0),
    "count_autocorrelation": lambda t: analysis.count_autocorrelation(t, 2.0, 10.0),
    "count_correlation": lambda t: analysis.count_correlation(t, 2.0),
    "count_covariance": lambda t: analysis.count_covariance(t, 2.0, 10.0),
    "cv": analysis.cv,
    "cv2": analysis.cv2,
    "fano_factor": lambda t: analysis.fano_factor(t, [10.0]),
    "hazard": lambda t: analysis.hazard(t, 10),
    "instantaneous_rate": lambda t: analysis.instantaneous_rate(t, analysis.Gaussian(5.0)),
    "isi_distance": analysis.isi_distance,
    "isi_histogram": lambda t: analysis.isi_histogram(t, 10),
    "lv": analysis.lv,
    "lvr": analysis.lvr,
    "participation_ratio": lambda t: analysis.participation_ratio(t, 2.0),
    "phase_locking": lambda t: analysis.phase_locking(t, PHASE, shifts=9, seed=1),
    "phase_rates": lambda t: analysis.phase_rates(t, PHASE),
    "power_spectrum": lambda t: analysis.power_spectrum(t, 40.0),
    "power_spectrum, pooled": lambda t: analysis.power_spectrum(t, 40.0, pooled=True),
    "serial_correlation": analysis.serial_correlation,
    "spike_distance": analysis.spike_distance,
    "spike_field_coherence": lambda t: analysis.spike_field_coherence(
        t, SIGNAL, 40.0, sampling=1000.0
    ),
    "spike_phases": lambda t: analysis.spike_phases(t, PHASE),
    "spike_synchronisation": analysis.spike_synchronisation,
    "spike_time_tiling": analysis.spike_time_tiling,
    "spike_triggered_average": lambda t: analysis.spike_triggered_average(
        t, SIGNAL, 0.0, 5.0, sampling=1000.0, t_start=-0.5
    ),
    "synchrony": lambda t: analysis.synchrony(t, 2.0),
    "tuning_curves": lambda t: analysis.tuning_curves(t, SIGNAL, np.arange(0.0, 201.0), bins=5),
    "van_rossum": lambda t: analysis.van_rossum(t, 10.0),
    "victor_purpura": lambda t: analysis.victor_purpura(t, 0.1),
    **{
        f"surrogate {type(s).__name__}": (lambda t, s=s: s(t, 1))
        for s in (analysis.Shift(), analysis.Jitter(5.0), analysis.Dither(5.0))
    },
}
ALIGNED = {
    "no trials": AlignedTrains([], [], [], 2, 0, -2000, 100, {"side": []}),
    "no neurons": AlignedTrains([], [], [], 0, 4, -2000, 100, {"side": [0, 0, 1, 1]}),
    "silent": AlignedTrains([], [], [], 2, 4, -2000, 100, {"side": [0, 0, 1, 1]}),
    "one spike": AlignedTrains([10.0], [0], [1], 2, 4, -2000, 100, {"side": [0, 0, 1, 1]}),
    "one trial": AlignedTrains([10.0, 20.0], [0, 1], [0, 0], 2, 1, -2000, 100, {"side": [0]}),
}
OF_TRIALS = {
    "correlograms": lambda a: analysis.correlograms(a, 1.0, 10.0),
    "count_correlation": lambda a: analysis.count_correlation(a, 2.0),
    "fano_factor": lambda a: analysis.fano_factor(a),
    "first_spike_latency": analysis.first_spike_latency,
    "first_spike_latency, first": lambda a: analysis.first_spike_latency(a, rule="first"),
    "instantaneous_rate": lambda a: analysis.instantaneous_rate(a, analysis.Alpha(5.0)),
    "noise_correlation": lambda a: analysis.noise_correlation(a, "side"),
    "power_spectrum": analysis.power_spectrum,
    "psth": lambda a: analysis.psth(a, 10.0),
    "psth, pooled": lambda a: analysis.psth(a, 10.0, pool=True),
    "rank_order": lambda a: analysis.rank_order(
        analysis.first_spike_latency(a, rule="first"), shuffles=9, seed=1
    ),
    "signal_correlation": lambda a: analysis.signal_correlation(a, "side"),
    "spike_time_tiling": analysis.spike_time_tiling,
    "trial shuffle": lambda a: analysis.TrialShuffle()(a, 1),
}


def fields(found):
    return vars(found).items() if hasattr(found, "__dict__") else [("", found)]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("odd", TRAINS)
@pytest.mark.parametrize("call", CALLS)
def test_odd_trains_have_answers(call, odd):
    found = CALLS[call](TRAINS[odd])
    assert repr(found)
    for name, value in fields(found):
        # One phase is as concentrated as can be.
        if name != "kappa" and isinstance(value, np.ndarray) and value.dtype.kind == "f":
            assert not np.isinf(value).any()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("odd", ALIGNED)
@pytest.mark.parametrize("call", OF_TRIALS)
def test_odd_trials_have_answers_or_a_sentence(call, odd):
    try:
        found = OF_TRIALS[call](ALIGNED[odd])
    except ValueError as error:  # an error where an answer would mislead
        assert odd in ("no trials", "one trial")
        assert " trial" in str(error) or "windows of until" in str(error)
    else:
        assert repr(found)
