"""Random numbers that are functions of their key: definition, layout, quality."""

import hashlib
from itertools import combinations, pairwise

import numpy as np
import pytest
from numba import njit
from scipy import stats

from spikesim.kernels import keyed
from spikesim.random import derive_key, generator

draw_lanes, mix, philox, row_key, word = (
    keyed.draw_lanes,
    keyed.mix,
    keyed.philox,
    keyed.row_key,
    keyed.word,
)
MASK32, MASK64 = 2**32 - 1, 2**64 - 1
LEAST_P = 1e-4  # of any one test; all inputs are fixed


# Twins in Python's integers, and the kernels' code behind functions that Python can call


def philox_twin(counter, key, rounds=7):
    """Philox4x32 as Salmon et al. (2011) define it."""
    x, k = list(counter), list(key)
    for _ in range(rounds):
        high0, low0 = divmod(0xD2511F53 * x[0], 2**32)
        high1, low1 = divmod(0xCD9E8D57 * x[2], 2**32)
        x = [high1 ^ x[1] ^ k[0], low1, high0 ^ x[3] ^ k[1], low0]
        k = [(k[0] + 0x9E3779B9) & MASK32, (k[1] + 0xBB67AE85) & MASK32]
    return x


def mix_twin(z):
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK64
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK64
    return z ^ z >> 31


def word_twin(key, k):
    return mix_twin(key + (k + 1) * 0x9E3779B97F4A7C15 & MASK64)


def row_key_twin(projection, source):
    return mix_twin(projection + mix_twin((source + 1) * 0x9E3779B97F4A7C15 & MASK64) & MASK64)


@njit
def call_philox(inputs, outputs):
    for i in range(len(inputs)):
        x = inputs[i]
        outputs[i] = philox(x[0], x[1], x[2], x[3], x[4], x[5])


@njit
def call_draw_lanes(keys, streams, steps, blocks, outputs):
    for a in range(keys.size):
        for b in range(streams.size):
            for c in range(steps.size):
                for block in range(blocks):
                    lanes = outputs[a, b, c, 64 * block : 64 * block + 64]
                    draw_lanes(lanes, block, steps[c], streams[b], keys[a])


@njit
def call_mixers(a, b, mixed, rows, words):
    for i in range(a.size):
        mixed[i] = mix(a[i])
        rows[i] = row_key(a[i], b[i])
        words[i] = word(a[i], b[i])


def run_philox(inputs):
    outputs = np.zeros((len(inputs), 4), np.uint64)
    call_philox(np.array(inputs, np.uint64), outputs)
    return outputs.tolist()


def draws(keys=(1,), streams=(0,), steps=1, blocks=1):
    """Draws [key, stream, step, neuron]; ``steps`` is how many, or which."""
    steps = np.arange(steps, dtype=np.uint64) if isinstance(steps, int) else np.uint64(steps)
    keys, streams = np.array(keys, np.uint64), np.array(streams, np.uint64)
    outputs = np.zeros((keys.size, streams.size, steps.size, 64 * blocks), np.uint32)
    call_draw_lanes(keys, streams, steps, blocks, outputs)
    return outputs


def mixers(a, b):
    """`mix` of a, `row_key` and `word` of (a, b)."""
    a, b = (np.ascontiguousarray(x, np.uint64) for x in np.broadcast_arrays(a, b))
    outputs = {name: np.zeros(a.shape, np.uint64) for name in ("mix", "row_key", "word")}
    call_mixers(a.ravel(), b.ravel(), *(output.reshape(-1) for output in outputs.values()))
    return outputs


def noise_key(seed, replica=0):
    return derive_key(seed, replica, "noise")


@pytest.fixture(scope="module")
def block():
    """2^20 draws [step, neuron]: 1024 steps of 1024 neurons."""
    return draws([noise_key(1)], steps=1024, blocks=16)[0, 0]


# Definition and layout


@pytest.mark.parametrize(
    "counter_and_key, seven, ten",
    [
        (
            [0] * 6,
            "5f6fb709 0d893f64 4f121f81 4f730a48",
            "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
        ),
        (
            [MASK32] * 6,
            "5207ddc2 45165e59 4d8ee751 8c52f662",
            "408f276d 41c83b0e a20bc7c6 6d5451fd",
        ),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0],
            "4dfccaba 190a87f0 c47362ba b6b5242a",
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_philox_gives_the_known_answers_of_random123(counter_and_key, seven, ten):
    seven, ten = ([int(part, 16) for part in text.split()] for text in (seven, ten))
    assert philox_twin(counter_and_key[:4], counter_and_key[4:], 10) == ten
    assert philox_twin(counter_and_key[:4], counter_and_key[4:], 7) == seven
    assert run_philox([counter_and_key]) == [seven]


def test_philox_is_its_definition():
    rng = np.random.default_rng(1)
    inputs = rng.integers(2**32, size=(2000, 6), dtype=np.uint64).tolist()
    inputs += [[(i == j) << bit for j in range(6)] for i in range(6) for bit in range(32)]
    assert run_philox(inputs) == [philox_twin(x[:4], x[4:]) for x in inputs]


@pytest.mark.parametrize("key", [0, 1, MASK64, 0x0123456789ABCDEF])
@pytest.mark.parametrize("stream, step", [(0, 0), (5, 1), (1, 5), (2, 2**32 - 1), (3, 2**32 + 7)])
def test_draw_lanes_is_philox_in_the_documented_layout(key, stream, step):
    got = draws([key], [stream], [step], blocks=3)[0, 0, 0].reshape(3, 4, 16)
    for block, i in [(0, 0), (0, 15), (1, 0), (2, 9)]:
        counter = [16 * block + i, step & MASK32, step >> 32, stream]
        assert got[block, :, i].tolist() == philox_twin(counter, [key & MASK32, key >> 32])


def test_mix_word_and_row_key_are_their_definitions():
    rng = np.random.default_rng(2)
    edges = [0, 1, 2, 63, 64, 2**31, 2**32 - 1, 2**32, 2**63, MASK64 - 1, MASK64]
    a = [*edges, *rng.integers(2**64, size=500, dtype=np.uint64).tolist()]
    b = [*edges[::-1], *rng.integers(2**40, size=500, dtype=np.uint64).tolist()]
    got = mixers(np.array(a, np.uint64), np.array(b, np.uint64))
    assert got["mix"].tolist() == [mix_twin(x) for x in a]
    assert got["word"].tolist() == [word_twin(x, y) for x, y in zip(a, b, strict=True)]
    assert got["row_key"].tolist() == [row_key_twin(x, y) for x, y in zip(a, b, strict=True)]


def test_splitmix64_has_its_published_first_outputs():
    assert mixers(1234567, np.arange(3))["word"].tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


# Keys from seeds and names


def test_derive_key_is_a_hash_that_does_not_change():
    for parts in [(1,), (1, "projection", "a->b"), (1, 2, "noise"), ("x", -1, 0.5)]:
        digest = hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
        assert derive_key(*parts) == int.from_bytes(digest, "little") < 2**64
    assert derive_key(1, "projection", "a->b") == 0x49A730C097567E68


def test_derive_key_depends_on_every_part_their_order_and_their_separation():
    parts = [
        *[("a", "bc"), ("ab", "c"), ("abc",), ("bc", "a"), ("a", "b", "c"), ("", "abc")],
        *[(1, 23), (12, 3), (123,), (3, 12), (1, 2, 3), ("abc", "")],
        *[(seed, replica, "noise") for seed in range(30) for replica in range(30)],
        *[(seed, "projection", f"a->b#{k}") for seed in range(30) for k in range(30)],
    ]
    assert len({derive_key(*p) for p in parts}) == len(parts)


def test_generator_is_keyed():
    def first(*parts):
        return generator(*parts).random(1000)

    np.testing.assert_array_equal(first(1, "counts", "a"), first(1, "counts", "a"))
    for other in [(2, "counts", "a"), (1, "parameter", "a"), (1, "counts", "b")]:
        assert stats.pearsonr(first(1, "counts", "a"), first(*other)).pvalue > LEAST_P


# Quality of the noise


def chi_square_p(values, cells):
    return stats.chisquare(np.bincount(np.ravel(values), minlength=cells)).pvalue


@pytest.mark.parametrize("shift", [0, 8, 16, 24])
def test_every_byte_is_uniform(block, shift):
    assert chi_square_p(block >> np.uint32(shift) & np.uint32(255), 256) > LEAST_P


def test_draws_are_uniform_for_each_lane_and_over_time(block):
    assert stats.kstest((block.ravel() + 0.5) / 2**32, "uniform").pvalue > LEAST_P
    mean = block / 2**32
    for axis in (0, 1):
        z = (mean.mean(axis) - 0.5) * np.sqrt(12 * mean.shape[axis])
        assert np.abs(z).max() < 4.6  # of 1024
        assert stats.kstest(z, "norm").pvalue > LEAST_P


def test_bits_are_balanced_and_independent_of_each_other(block):
    bits = block[:256].reshape(-1, 1) >> np.arange(32, dtype=np.uint32) & np.uint32(1)
    signs = 2 * bits.astype(np.float32) - 1
    assert np.abs(signs.mean(0)).max() * np.sqrt(len(signs)) < 4.5
    products = signs.T @ signs / np.sqrt(len(signs))
    assert np.abs(products[np.triu_indices(32, 1)]).max() < 4.9  # of 496


def assert_unrelated(a, b):
    """No linear correlation, no dependence of the upper four bits or of the lowest four."""
    a, b = np.ravel(a), np.ravel(b)
    r = np.corrcoef(a, b)[0, 1]
    assert abs(r) * np.sqrt(a.size) < 4.5
    for x, y in ((a >> 28, b >> 28), (a & 15, b & 15), (a >> 28, b & 15)):
        assert chi_square_p(x * 16 + y, 256) > LEAST_P
    agreeing = 32 - np.bitwise_count(a ^ b)
    assert abs(agreeing.mean() - 16) < 4.5 * np.sqrt(8 / a.size)


@pytest.mark.parametrize("lag", [1, 2, 3, 4, 15, 16, 17, 32, 48, 64, 128])
def test_neurons_are_independent(block, lag):
    assert_unrelated(block[:, :-lag], block[:, lag:])


@pytest.mark.parametrize("lag", [1, 2, 3, 4, 7, 8, 16, 64, 100])
def test_steps_are_independent(block, lag):
    assert_unrelated(block[:-lag], block[lag:])


@pytest.mark.parametrize(
    "keys",
    [
        [noise_key(seed) for seed in range(4)],
        [noise_key(7, replica) for replica in range(4)],
        [0, 1, 2, 3],
        [0, 2**31, 2**32, 2**63],
    ],
    ids=["seeds", "replicas", "small keys", "one bit"],
)
def test_keys_are_independent(keys):
    parts = draws(keys, steps=256, blocks=8)[:, 0]
    for a, b in combinations(parts, 2):
        assert_unrelated(a, b)


def test_streams_are_independent():
    parts = draws([noise_key(3)], range(6), steps=256, blocks=8)[0]
    for a, b in combinations(parts, 2):
        assert_unrelated(a, b)
    # Streams and steps are different words of the counter.
    assert not np.array_equal(parts[1, 2], parts[2, 1])


@pytest.mark.parametrize("order", ["neuron by neuron", "step by step"])
def test_birthday_spacings(block, order):
    """4096 birthdays in a year of 2^32 days: repeated spacings are Poisson of mean 4."""
    birthdays = np.sort((block if order == "step by step" else block.T).reshape(256, 4096), axis=1)
    spacings = np.sort(np.diff(birthdays, axis=1), axis=1)
    repeated = np.sum(np.diff(spacings, axis=1) == 0)
    assert 1024 - 4.5 * 32 < repeated < 1024 + 4.5 * 32


def test_gaps_between_small_values_are_geometric(block):
    small = np.flatnonzero(block.ravel() < 2**27)  # p = 1 / 32
    counts = np.bincount(np.minimum(np.diff(small) - 1, 200), minlength=201)
    p = 1 / 32 * (31 / 32) ** np.arange(201)
    p[-1] = (31 / 32) ** 200
    assert stats.chisquare(counts, p * counts.sum()).pvalue > LEAST_P


def test_words_of_32_bits_repeat_as_chance_has_it(block):
    expected = block.size**2 / 2 / 2**32  # 128
    repeats = block.size - np.unique(block).size
    assert abs(repeats - expected) < 4.5 * np.sqrt(expected)


# Quality of the wiring's words


def test_words_of_64_bits_do_not_repeat():
    rows = mixers(np.uint64(noise_key(1)), np.arange(1000))["row_key"]
    words = mixers(rows[:, None], np.arange(1000))["word"]
    assert np.unique(words).size == words.size == 10**6


def parts_of(z):
    """What a synapse uses a word for: 32 bits whose uppermost count."""
    low = (z & np.uint64(MASK32)).astype(np.uint32)
    return {
        "target": (z >> np.uint64(32)).astype(np.uint32),
        "delay": low,
        "weight": low << np.uint32(16) | low >> np.uint32(16),
    }


@pytest.mark.parametrize("half", ["target", "weight", "delay"])
@pytest.mark.parametrize("projection", [0, 1, derive_key(1, "projection", "a->b")])
def test_words_are_independent_between_draws_and_rows(half, projection):
    rows = mixers(np.uint64(projection), np.arange(256))["row_key"]
    z = mixers(rows[:, None], np.arange(512))["word"]
    part = parts_of(z)[half]
    assert stats.kstest((part.ravel() + 0.5) / 2**32, "uniform").pvalue > LEAST_P
    for lag in (1, 2, 7):
        assert_unrelated(part[:, :-lag], part[:, lag:])
        assert_unrelated(part[:-lag], part[lag:])


def test_parts_of_a_word_are_independent():
    rows = mixers(np.uint64(5), np.arange(256))["row_key"]
    z = mixers(rows[:, None], np.arange(512))["word"]
    for a, b in combinations(parts_of(z).values(), 2):
        assert chi_square_p((a >> 27) * 32 + (b >> 27), 1024) > LEAST_P


def flipped(name, a, b, which):
    """Which bits of the output change with each bit of one input: [input, bit in, bit out]."""
    a, b = np.broadcast_arrays(np.asarray(a, np.uint64), np.asarray(b, np.uint64))
    bits = np.uint64(1) << np.arange(64, dtype=np.uint64)
    before = mixers(a, b)[name][:, None]
    changed = (a[:, None] ^ bits, b[:, None]) if which == "a" else (a[:, None], b[:, None] ^ bits)
    difference = before ^ mixers(*changed)[name]
    return difference[..., None] >> np.arange(64, dtype=np.uint64) & np.uint64(1)


AVALANCHES = [("mix", "a"), ("row_key", "a"), ("row_key", "b"), ("word", "a"), ("word", "b")]


@pytest.mark.parametrize("name, which", AVALANCHES)
def test_each_input_bit_flips_each_output_bit_half_of_the_time(name, which):
    rng = np.random.default_rng(3)
    a = rng.integers(2**64, size=2000, dtype=np.uint64)
    b = rng.integers(2**20, size=2000, dtype=np.uint64)
    share = flipped(name, a, b, which).mean(0)  # [bit in, bit out]
    assert np.abs(share - 0.5).max() < 5.5 * 0.5 / np.sqrt(2000)  # of 4096


@pytest.mark.parametrize("name, which", AVALANCHES)
@pytest.mark.parametrize("kind", ["key 0", "equal", "all ones"])
def test_avalanche_of_simple_keys(name, which, kind):
    """Averaged over the bits that are flipped: about half of the output."""
    numbers = np.arange(64)
    key = {"key 0": np.zeros(64, np.uint64), "equal": numbers, "all ones": ~np.uint64(numbers * 0)}
    weight = flipped(name, np.uint64(key[kind]), numbers, which).sum(2).mean(1)
    assert np.all(np.abs(weight - 32) < 5.5 * 4 / 8)


def test_simple_keys_have_no_fixed_point_and_no_common_row():
    numbers = np.arange(300)
    rows = mixers(numbers[:, None], numbers)["row_key"]
    assert np.unique(rows).size == rows.size
    assert np.unique(mixers(rows, 0)["word"]).size == rows.size
    assert 0 not in mixers(0, numbers)["word"] and 0 not in rows
    for a, b in pairwise(rows[:20]):
        assert abs(np.bitwise_count(a ^ b).mean() - 32) < 4.5 * 4 / np.sqrt(300)
