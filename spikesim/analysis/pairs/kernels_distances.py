"""Kernels that compare all pairs of trains.

All but `saved` go once through the spikes of all trains in order of time. At each spike they do
what it means for the pairs of its train, c, with `LANES` or `WIDE` others, side by side: as no
two trains are merged, there is no branch to be guessed, and what is done for the others is done
in vectors. Such a block of others is a call of its own, so that blocks can run beside each other.
What a block keeps of pairs lies in ``rows[c]``, what it knows of its own trains in ``lanes``: two
arrays of the caller, since only then does the compiler see that they do not overlap. (With both
in one array its tests of that took a third of the time.)

Each train has an interval before its first spike and one behind its last; `link` says how far
they reach.
"""

import numpy as np

from spikesim.kernels.cache import bare, kernel, part

LANES = 16  # where much is kept of a pair; it shall stay in the first cache
WIDE = 32  # where little is: shorter loops would be unrolled before they become vectors
SHORTEST = 1e-100  # ms of an interval without time, so that it can be divided by
LOWEST = 1e-100  # of a trace that decays; below, processors are slow


@kernel
def distinct(times, trains, latest, same, kept):
    """Mark the spikes that are not within ``same`` of the one before them in their train."""
    latest[:] = -np.inf
    for k in range(times.size):
        kept[k] = times[k] - latest[trains[k]] > same
        if kept[k]:
            latest[trains[k]] = times[k]


@kernel
def link(times, trains, start, stop, first, begin, after, is_last, latest):
    """Tell each spike of the next of its train, and each train where its first interval begins.

    An interval that an edge of the window cuts is taken to be as long as the one beside it, or as
    what is seen of it, whichever is longer (the edge correction of Kreuz et al.).
    """
    latest[:] = -1
    is_last[:] = False
    for k in range(times.size):
        c, t, before = trains[k], times[k], latest[trains[k]]
        if before < 0:
            first[c], begin[c] = t, start
        else:
            if times[before] == first[c]:
                begin[c] = min(start, 2 * first[c] - t)
            after[before] = t
        after[k] = t if before < 0 else 2 * t - times[before]  # until it is known
        latest[c] = k
    for c in range(latest.size):
        if latest[c] >= 0:
            is_last[latest[c]] = True
            after[latest[c]] = max(stop, after[latest[c]])


@part
def _set_off(first, begin, start, stop, base, width, own, lanes):
    """Before their first spikes. Of each train: the spike before, the one to come, the length of
    the interval between them, 1 / length in whole intervals, and 1 in a first one; else 0."""
    for c in range(first.size):
        own[c, 0], own[c, 1] = begin[c], first[c]
        own[c, 2] = max(first[c] - begin[c], SHORTEST)
        own[c, 3], own[c, 4] = 0.0, 1.0
    for lane in range(width):
        o = base + lane
        for x in range(5):
            lanes[x * width + lane] = own[o, x] if o < first.size else 0.0
        if o >= first.size:
            lanes[lane], lanes[width + lane] = start, stop
            lanes[2 * width + lane] = 1.0


@part
def _go_on(c, t, after, is_last, base, width, own, lanes):
    """A spike of train c: its next interval begins."""
    length = max(after - t, SHORTEST)
    own[c, 0], own[c, 1], own[c, 2] = t, after, length
    own[c, 3], own[c, 4] = 0.0 if is_last else 1.0 / length, 0.0
    lane = c - base
    if 0 <= lane < width:
        for x in range(5):
            lanes[x * width + lane] = own[c, x]


@bare
def isi_block(times, trains, after, is_last, first, begin, start, stop, base, own, lanes, rows):
    """Integrals of |a - b| / max(a, b) over the time to the last spike of each two trains, in ms:
    the share of those that end with a spike of c is in ``rows[c]``."""
    rows[:] = 0.0
    _set_off(first, begin, start, stop, base, WIDE, own, lanes)
    for k in range(times.size):
        c, t = trains[k], times[k]
        length, opened, row = own[c, 2], max(own[c, 0], start), rows[c]
        for lane in range(WIDE):
            before, other = lanes[lane], lanes[2 * WIDE + lane]
            since = before if before > opened else opened
            longer = other if other > length else length
            row[lane] += (t - since) * (abs(length - other) / longer)
        _go_on(c, t, after[k], is_last[k], base, WIDE, own, lanes)
    for c in range(min(base + WIDE, first.size)):
        for lane in range(max(0, c + 1 - base), min(WIDE, first.size - base)):
            length, other = own[c, 2], lanes[2 * WIDE + lane]
            since = max(own[c, 0], lanes[lane])
            rows[c, lane] += (stop - since) * (abs(length - other) / max(length, other))


@bare
def spike_block(times, trains, after, is_last, first, begin, start, stop, base, own, lanes, rows):
    """Integrals of half the SPIKE-dissimilarity, as `isi_block` has those of intervals.

    Between two spikes of a pair (c, o) the dissimilarity is linear: its integral is the length
    times the value in the middle. That of c at its spikes is ``near`` (how far the nearest spike
    of o is), and ``ahead`` is the share of the spike to come. The spike of o that is to come may
    have any number of spikes of c before it, so how far the nearest of them is is only known
    from the last of these on; what is to be multiplied by it is kept ``pending``.
    """
    rows[:] = 0.0
    _set_off(first, begin, start, stop, base, LANES, own, lanes)
    for k in range(times.size):
        c, t, coming = trains[k], times[k], after[k]
        begun, length, opened, row = own[c, 0], own[c, 2], max(own[c, 0], start), rows[c]
        rise, full = 0.5 * own[c, 3], (t - begun) * own[c, 3] + own[c, 4]
        for lane in range(LANES):
            before, to_come = lanes[lane], lanes[LANES + lane]
            other, slope, whole = (
                lanes[2 * LANES + lane],
                lanes[3 * LANES + lane],
                lanes[4 * LANES + lane],
            )
            near, near_other = row[lane], row[LANES + lane]
            since = before if before > opened else opened
            passed = t - since
            weight = passed / ((length + other) * (length + other))

            back, on = t - before, to_come - t
            nearest = back if back < on else on
            mine = near + (nearest - near) * (full - passed * rise)

            out = before - begun  # negative: the other's spike was not since the last of c
            between = out if out < back else back
            between = between if out >= 0.0 else near_other
            ahead = (back - 0.5 * passed) * slope + whole
            share = weight * length
            pending = row[2 * LANES + lane] + share * ahead
            left = coming - to_come
            last = left >= 0.0  # of c before the other's next
            its = on if on < left else left

            row[lane], row[LANES + lane] = nearest, between
            row[2 * LANES + lane] = 0.0 if last else pending
            row[3 * LANES + lane] += (
                mine * (other * weight)
                + between * (share - share * ahead)
                + (its * pending if last else 0.0)
            )
        _go_on(c, t, coming, is_last[k], base, LANES, own, lanes)
    for c in range(min(base + LANES, first.size)):
        for lane in range(max(0, c + 1 - base), min(LANES, first.size - base)):
            length, other, before = own[c, 2], lanes[2 * LANES + lane], lanes[lane]
            weight = (stop - max(own[c, 0], before)) / (length + other) ** 2
            near_other = rows[c, LANES + lane]
            if before >= own[c, 0]:
                near_other = min(before - own[c, 0], own[c, 1] - before)
            rows[c, 3 * LANES + lane] += weight * (rows[c, lane] * other + near_other * length)


@bare
def coincidence_block(times, trains, after, is_last, span, widest, same, base, own, lanes, rows):
    """Coincidences of spikes of c with one of another train before it, or at one time with it.

    ``own`` and ``lanes`` hold the last spike of each train and half the shorter of the intervals
    around it, of which one that is cut by an edge is ``span``.
    """
    rows[:] = 0.0
    own[:, 0] = -np.inf
    lanes[:] = -np.inf
    for k in range(times.size):
        c, t = trains[k], times[k]
        following = span if is_last[k] else after[k] - t
        limit = 0.5 * min(span, t - own[c, 0], following)
        row = rows[c]
        for lane in range(WIDE):
            other = lanes[WIDE + lane]
            within = (limit if limit < other else other) - same
            within = within if within < widest else widest
            row[lane] += 1.0 if t - lanes[lane] < within else 0.0
        own[c, 0] = t
        lane = c - base
        if 0 <= lane < WIDE:
            lanes[lane], lanes[WIDE + lane] = t, limit


@bare
def trace_block(trains, decay, base, lanes, rows):
    """Sums, over the spikes of c, of the exponential traces that the spikes of others have left.

    ``decay[k]`` is what is left of a trace from the spike before, 1 if it is at the same time.
    Spikes at one time are counted apart: the numbers of two equal trains are equal to the bit.
    """
    rows[:] = 0.0
    lanes[:] = 0.0
    for k in range(trains.size):
        row = rows[trains[k]]
        if decay[k] == 1.0:
            for lane in range(WIDE):
                row[lane] += lanes[lane]
                row[WIDE + lane] += lanes[WIDE + lane]
        else:
            for lane in range(WIDE):
                trace = (lanes[lane] + lanes[WIDE + lane]) * decay[k]
                trace = trace if trace > LOWEST else 0.0
                row[lane] += trace
                lanes[lane] = trace
                lanes[WIDE + lane] = 0.0
        lane = trains[k] - base
        if 0 <= lane < WIDE:
            lanes[WIDE + lane] += 1.0


@kernel
def saved(times, bounds, train, windows, cost, same, best, out):
    """What shifts save of the cost of all deletions, for one train and all that follow it.

    A shift by d saves 2 - cost d, so only spikes closer than 2 / cost can save any: only they
    are looked at. Of spikes 0..i of one train and 0..j of the other, ``best[j + 1]`` is the most
    that is saved; behind the last j in reach it is the same for all.
    """
    reach = 2.0 / cost if cost < np.inf else same
    for other in range(train + 1, out.size):
        for window in range(windows):
            i0, i1 = bounds[train * windows + window], bounds[train * windows + window + 1]
            j0, j1 = bounds[other * windows + window], bounds[other * windows + window + 1]
            low = high = j0
            best[0] = 0.0
            for i in range(i0, i1):
                t = times[i]
                while high < j1 and times[high] <= t + reach:
                    best[high + 1 - j0] = best[high - j0]
                    high += 1
                while low < j1 and times[low] < t - reach:
                    low += 1
                without = reached = best[low - j0]  # at j - 1: for spikes 0..i-1, and 0..i
                for j in range(low, high):
                    shift = 0.0 if cost == np.inf else cost * abs(times[j] - t)
                    with_both, without = without + 2.0 - shift, best[j + 1 - j0]
                    most = with_both if with_both > without else without
                    reached = most if most > reached else reached
                    best[j + 1 - j0] = reached
            out[other] += best[high - j0]
