"""What an evaluator is given beside its candidate."""

import os

from .keeping import FolderKeeper, saved_path
from .metrics import checked_metrics, name_of

# Characters in the name of a file, as the protocol has it.
FILE_NAME_MAX = 1024


class Context:
    """One attempt, as its evaluator sees it.

    To try an evaluator by hand, make one: ``evaluate(candidate, Context(seed=1))``. What it saves then lies below
    ``kept`` in its folder; ``Context(restored="kept/checkpoint-7", restored_step=7)`` goes on from there.
    """

    def __init__(
        self,
        seed=0,
        folder=".",
        slot=0,
        architecture=None,
        trial=1,
        attempt=1,
        restored=None,
        restored_step=None,
        on_report=lambda step, metrics: None,
        is_stopping=lambda: False,
        keeper=None,
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
        #: The step of the checkpoint that the attempt goes on from; None where it begins.
        self.restored_step = restored_step
        self._restored = restored
        self._last_step = restored_step
        self._on_report = on_report
        self._is_stopping = is_stopping
        self._keeper = FolderKeeper(folder) if keeper is None else keeper
        self._pid = os.getpid()

    def report(self, step=None, **metrics):
        """Tells how it goes.

        step is a whole number from 0; without one, it is the one after the last. Raises where it is none, where a
        metric is no finite number, and in a process that the evaluator forked.
        """
        checked_step("report", step)
        self._check_process("report")
        self._on_report(step, checked_metrics(metrics))
        self._last_step = (self._last_step or 0) + 1 if step is None else step

    def should_stop(self):
        """Whether the attempt was told to stop: save what matters, and return."""
        return self._is_stopping()

    def checkpoint(self, path, step=None):
        """Saves a file or a folder, for an attempt that goes on where this one ended.

        It is copied before this returns, and can be overwritten at once. step is the one that was reported last, unless
        given. Raises OSError where it cannot be copied.
        """
        checked_step("checkpoint", step)
        self._check_process("checkpoint")
        self._keeper.checkpoint(os.fspath(path), self._last_step if step is None else step)

    def restore(self):
        """The path of what an earlier attempt of the trial saved last, a file or a folder by its name; None at first.

        It is this attempt's own, and goes with it.
        """
        return None if self._restored is None else saved_path(self._restored)

    def artifact(self, path, name=None):
        """Keeps a file, to be fetched by who searches.

        It is copied before this returns. name may have folders, such as ``plots/loss.png``; without one, it is the path
        from the attempt's folder on, and outside of it the last part of the path. Raises OSError where it cannot be
        copied, ValueError where the name is none.
        """
        self._check_process("artifact")
        path = os.fspath(path)
        if name is None:
            name = os.path.relpath(path, self.folder).replace(os.sep, "/")
            if name.startswith("../"):
                name = os.path.basename(path)
        if not is_file_name(name):
            raise ValueError('artifact was given the name "%s": one such as plots/loss.png is needed' % (name,))
        self._keeper.file(path, name)

    def _check_process(self, what):
        if os.getpid() != self._pid:
            raise RuntimeError("%s belongs to the process in which evaluate was called, and this is another" % what)


def checked_step(what, step):
    if step is not None and (isinstance(step, bool) or not isinstance(step, int) or not 0 <= step < 2**53):
        raise TypeError("%s needs a step, a whole number from 0, and was given %s" % (what, name_of(step)))


def is_file_name(name):
    """Whether a name stays below the folder that it is relative to, on every system."""
    if not isinstance(name, str) or not 0 < len(name) <= FILE_NAME_MAX or any(sign in name for sign in "\0\\\n\r"):
        return False
    return all(part not in ("", ".", "..") for part in name.split("/"))
