"""What an evaluator is given beside its candidate."""

import os

from .metrics import checked_metrics, name_of


class Context:
    """One attempt, as its evaluator sees it.

    To try an evaluator by hand, make one: ``evaluate(candidate, Context(seed=1))``.
    """

    def __init__(
        self,
        seed=0,
        folder=".",
        slot=0,
        architecture=None,
        trial=1,
        attempt=1,
        on_report=lambda step, metrics: None,
        is_stopping=lambda: False,
    ):
        #: A whole number, of the trial.
        self.seed = seed
        #: A folder that is this attempt's alone.
        self.folder = folder
        #: Which of the worker's slots it runs on, from 0.
        self.slot = slot
        #: The layer graph, where the space has one; else None.
        self.architecture = architecture
        self.trial = trial
        self.attempt = attempt
        self._on_report = on_report
        self._is_stopping = is_stopping
        self._pid = os.getpid()

    def report(self, step=None, **metrics):
        """Tells how it goes.

        step is a whole number from 0; without one, it is the one after the last. Raises where it is none, where a
        metric is no finite number, and in a process that the evaluator forked.
        """
        if step is not None and (isinstance(step, bool) or not isinstance(step, int) or not 0 <= step < 2**53):
            raise TypeError("report needs a step, a whole number from 0, and was given %s" % name_of(step))
        if os.getpid() != self._pid:
            raise RuntimeError("report belongs to the process in which evaluate was called, and this is another")
        self._on_report(step, checked_metrics(metrics))

    def should_stop(self):
        """Whether the attempt was told to stop: save what matters, and return."""
        return self._is_stopping()
