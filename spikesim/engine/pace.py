"""How many of its threads a run goes on with: as many as are faster.

Cores that are far apart, or that other programs use, can make an exchange cost more than it saves.
Partitions are not tied to threads, so a run may go on with fewer at any time, with the same spikes.
"""

SPELL_SECONDS = 0.5  # wall time between two emptyings of the buffers
TRIAL_SECONDS = 0.005
FIRST_TRIAL, TRIAL_EVERY = 0.01, 2.0  # seconds; the time between trials grows from one to the other
MUST_GAIN = 1.1  # fewer threads are taken if they are faster by this factor


class Pace:
    """Tries all threads, half of them, ..., one, now and then, and keeps to the fastest.

    Trials go there and back again (4, 2, 1, 1, 2, 4), and the faster of two counts: in the first
    tenth of a second of a process, two cores of a virtual machine may be one.
    """

    def __init__(self, threads: int) -> None:
        self.choices = [threads >> k for k in range(threads.bit_length())]
        self.best = threads
        self._trials: list[int] = []
        self._speed: dict[int, float] = {}  # the best of trials by number of threads
        self._steps, self._spent = 0, 0.0  # in the present trial
        self._pause = FIRST_TRIAL
        self._rest = 0.0  # seconds since the last trials

    def next(self) -> tuple[int, float]:
        """Threads and seconds of the next spell."""
        if len(self.choices) == 1:
            return self.best, SPELL_SECONDS
        if not self._trials and self._rest >= self._pause:
            self._trials = [*self.choices, *reversed(self.choices)]
            self._speed = dict.fromkeys(self.choices, 0.0)
        if self._trials:
            return self._trials[0], TRIAL_SECONDS
        return self.best, min(SPELL_SECONDS, self._pause - self._rest)

    def tell(self, steps: int, seconds: float) -> None:
        """How far the spell came. Short ones add up to a trial."""
        if not self._trials:
            self._rest += seconds
            return
        self._steps += steps
        self._spent += seconds
        if self._spent > TRIAL_SECONDS / 2:
            threads = self._trials.pop(0)
            self._speed[threads] = max(self._speed[threads], self._steps / self._spent)
            self._steps, self._spent = 0, 0.0
            if not self._trials:
                self._decide()

    def _decide(self) -> None:
        self._speed[self.choices[0]] *= MUST_GAIN
        self.best = max(self.choices, key=self._speed.__getitem__)
        self._pause, self._rest = min(3 * self._pause, TRIAL_EVERY), 0.0
