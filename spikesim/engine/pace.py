"""How many of its threads a run goes on with: as many as are faster.

Cores that are far apart, or that other programs use, can make an exchange cost more than it saves.
Partitions are not tied to threads, so a run may go on with fewer at any time, with the same spikes.
"""

SPELL_SECONDS = 0.5  # wall time between two emptyings of the buffers
TRIAL_SECONDS = 0.01
FIRST_TRIAL, TRIAL_EVERY = 0.05, 2.0  # seconds; the time between trials grows from one to the other
MUST_GAIN = 1.1  # fewer threads are taken if they are faster by this factor


class Pace:
    """Tries all threads, half of them, ..., one, now and then, and keeps to the fastest.

    Trials go there and back again (4, 2, 1, 1, 2, 4), so that activity which rises or falls
    meanwhile favours none.
    """

    def __init__(self, threads: int) -> None:
        self.choices = [threads >> k for k in range(threads.bit_length())]
        self.best = threads
        self._trials: list[int] = []
        self._seconds: dict[int, float] = {}
        self._steps: dict[int, int] = {}
        self._spent = 0.0  # on the present trial
        self._pause = FIRST_TRIAL
        self._rest = 0.0  # seconds since the last trials

    def next(self) -> tuple[int, float]:
        """Threads and seconds of the next spell."""
        if len(self.choices) == 1:
            return self.best, SPELL_SECONDS
        if not self._trials and self._rest >= self._pause:
            self._trials = [*self.choices, *reversed(self.choices)]
            self._steps, self._seconds = ({n: 0 for n in self.choices} for _ in range(2))
        if self._trials:
            return self._trials[0], TRIAL_SECONDS
        return self.best, min(SPELL_SECONDS, self._pause - self._rest)

    def tell(self, steps: int, seconds: float) -> None:
        """How far the spell came. Short ones add up to a trial."""
        if not self._trials:
            self._rest += seconds
            return
        threads = self._trials[0]
        self._steps[threads] += steps
        self._seconds[threads] += seconds
        self._spent += seconds
        if self._spent > TRIAL_SECONDS / 2:
            self._trials.pop(0)
            self._spent = 0.0
            if not self._trials:
                self._decide()

    def _decide(self) -> None:
        speed = {n: self._steps[n] / self._seconds[n] for n in self.choices}
        speed[self.choices[0]] *= MUST_GAIN
        self.best = max(self.choices, key=speed.__getitem__)
        self._pause, self._rest = min(3 * self._pause, TRIAL_EVERY), 0.0
