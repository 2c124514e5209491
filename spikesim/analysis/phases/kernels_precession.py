"""The slope at which phases follow positions best: a grid that misses no peak, then Newton.

f(a) = |sum_j exp(i (phase_j - 2 pi a x_j))|^2 / n^2 is a sum of waves in a of which none is faster
than the span of x, so on a grid of steps of 1 / (8 span) it cannot rise more than MARGIN above the
nearest grid points (Bernstein's inequality). Every interval between grid points that may hold the
highest peak is looked into. For shuffles, whose f is as small as 1 / n, this would be all of
them: there only those are whose ends have at least SHARE of the highest point of the grid. A wave
that is as fast as any can lose 8 % between grid points.
"""

import numpy as np

from spikesim.kernels.cache import kernel

PER_LOBE = 8  # grid points in 1 / span
MARGIN = (np.pi / PER_LOBE) ** 2 / 4
SHARE = 0.8
TURN = 2 * np.pi
STEPS = 30  # of Newton's method at most


@kernel
def waves(x, low, step, real, imag):
    """exp(-2 pi i a x) at slopes low, low + step, ...: into real and imag, (len(x), slopes)."""
    for j in range(x.size):
        # A recurrence, begun anew every 32 slopes: its rounding stays below 1e-14.
        turn_c, turn_s = np.cos(TURN * step * x[j]), -np.sin(TURN * step * x[j])
        c = s = 0.0
        for k in range(real.shape[1]):
            if k % 32 == 0:
                angle = -TURN * (low + k * step) * x[j]
                c, s = np.cos(angle), np.sin(angle)
            real[j, k], imag[j, k] = c, s
            c, s = c * turn_c - s * turn_s, c * turn_s + s * turn_c


@kernel
def slope_at(phases, x, shift, a):
    """f, f' and f'' at slope a, of positions x + shift."""
    c = s = xc = xs = xxc = xxs = 0.0
    for j in range(x.size):
        here = x[j] + shift[j]
        angle = phases[j] - TURN * a * here
        cos, sin = np.cos(angle), np.sin(angle)
        c += cos
        s += sin
        xc += here * cos
        xs += here * sin
        xxc += here * here * cos
        xxs += here * here * sin
    n2 = x.size * x.size
    # d cos / da = 2 pi x sin, d sin / da = -2 pi x cos
    first = 2 * TURN * (c * xs - s * xc) / n2
    second = 2 * TURN**2 * (xs * xs + xc * xc - c * xxc - s * xxs) / n2
    return (c * c + s * s) / n2, first, second


@kernel
def peak_between(phases, x, shift, left, right, tolerance):
    """Slope and height of the peak between two slopes of which f rises at one, falls at the other.

    Newton's method on f', held inside of the bracket by halving it.
    """
    a = 0.5 * (left + right)
    f = 0.0
    for _ in range(STEPS):
        f, first, second = slope_at(phases, x, shift, a)
        if first > 0:
            left = a
        else:
            right = a
        new = a - first / second if second < 0 else left
        if not left < new < right:
            new = 0.5 * (left + right)
        if abs(new - a) < tolerance:
            # What is left to gain is below f'' times the square of the tolerance.
            return new, f
        a = new
    return a, f


@kernel
def best_slope(phases, x, shift, f, low, step, tolerance, share):
    """Slope and height of the highest peak of f, which is given on the grid; or an end of it."""
    last, top = f.size - 1, f.argmax()
    best_a, best_f = low + top * step, f[top]  # an end, or where f' is 0 but for rounding
    before, at = 0.0, -1  # f' at the right end of the interval looked at last
    for k in range(last):
        near = max(f[k], f[k + 1])
        if near < share * best_f or near < best_f - MARGIN:
            continue
        left, right = low + k * step, low + (k + 1) * step
        rise = before if at == k else slope_at(phases, x, shift, left)[1]
        before, at = slope_at(phases, x, shift, right)[1], k + 1
        if rise >= 0 and before <= 0:
            a, here = peak_between(phases, x, shift, left, right, tolerance)
            if here > best_f:
                best_a, best_f = a, here
    return best_a, best_f


@kernel
def fit_orders(
    phases, offsets, group, places, orders, low, step, slopes, tolerance, share, found_a, found_f
):
    """Best slope of each order in which groups of spikes are put to places.

    Spike j of group g lies at ``places[orders[m, g]] + offsets[j]``. Its share of the sum over
    spikes at all slopes of the grid is a table made once, so that an order costs groups times
    slopes products.
    """
    n, groups = phases.size, orders.shape[1]
    own_c, own_s = np.zeros((groups, slopes)), np.zeros((groups, slopes))
    wave_c, wave_s = np.empty((n, slopes)), np.empty((n, slopes))
    waves(offsets, low, step, wave_c, wave_s)
    for j in range(n):
        c, s, g = np.cos(phases[j]), np.sin(phases[j]), group[j]
        for k in range(slopes):
            own_c[g, k] += c * wave_c[j, k] - s * wave_s[j, k]
            own_s[g, k] += c * wave_s[j, k] + s * wave_c[j, k]
    place_c, place_s = np.empty((places.size, slopes)), np.empty((places.size, slopes))
    waves(places, low, step, place_c, place_s)

    c, s, f, shift = np.empty(slopes), np.empty(slopes), np.empty(slopes), np.empty(n)
    for m in range(orders.shape[0]):
        c[:] = 0.0
        s[:] = 0.0
        for g in range(groups):
            p = orders[m, g]
            for k in range(slopes):
                c[k] += own_c[g, k] * place_c[p, k] - own_s[g, k] * place_s[p, k]
                s[k] += own_c[g, k] * place_s[p, k] + own_s[g, k] * place_c[p, k]
        for k in range(slopes):
            f[k] = (c[k] * c[k] + s[k] * s[k]) / (n * n)
        for j in range(n):
            shift[j] = places[orders[m, group[j]]]
        found_a[m], found_f[m] = best_slope(phases, offsets, shift, f, low, step, tolerance, share)
