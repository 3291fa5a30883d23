"""What runs in an evaluator's process, around the evaluator. A worker starts it as a script.

Each attempt is answered once, unless the process dies; the worker sees that. No thread of the harness runs beside the
evaluator, which may fork: it is told to stop by SIGTERM.
"""

import json
import os
import sys

PYTHON_OLDEST = (3, 9)


def refuse_old_python():
    """Says so, in the worker's words, where this Python is too old for the package. It can read this file."""
    if sys.version_info >= PYTHON_OLDEST:
        return
    version = ".".join(str(part) for part in sys.version_info[:3])
    message = "evaluators need Python 3.9 or newer, and %s is Python %s: name another interpreter in the spec"
    failure = {"message": message % (sys.executable, version), "stack": "", "final": False}
    os.write(1, json.dumps(dict(failure, type="unloadable")).encode() + b"\n")
    os._exit(0)


if __name__ == "__main__":
    refuse_old_python()
    # The folder of the package stands where Python has put the one of this file.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    # The worker's own files may not be its user's to write.
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True

import faulthandler
import signal
import threading

from espalier.channel import Channel
from espalier.context import Context
from espalier.failure import describe_failure
from espalier.keeping import Keeper
from espalier.leftovers import adopt_orphans, find_leftovers
from espalier.loading import load
from espalier.metrics import checked_metrics


class Harness:
    """One evaluator and the attempts that it is given, one after another."""

    def __init__(self, channel):
        self._channel = channel
        self._pid = os.getpid()
        self._is_stopping = False
        self._current = 0

    def serve(self):
        """Never returns."""
        begin = self._channel.next()
        self._mark = begin["mark"]
        self._folder = os.path.dirname(begin["path"])
        # What lies beside the evaluator goes first; nothing is hidden by the package's folder.
        sys.path.append(sys.path.pop(0))
        sys.path.insert(0, self._folder)
        sys.argv = [begin["path"]]
        evaluate = load(begin["path"])
        self._end_copy()
        if not callable(evaluate):
            self._channel.say(dict(evaluate, type="unloadable"))
            os._exit(0)
        self._adopts = adopt_orphans()
        self._threads = frozenset(threading.enumerate())
        self._listen()
        self._channel.say({"type": "loaded"})
        while True:
            request = self._channel.next()
            answer = self._attempt(evaluate, request)
            self._channel.say(answer)
            self._channel.end_prints(self._mark, request["id"])

    def _attempt(self, evaluate, request):
        self._current = request["id"]
        self._prepare(request)
        try:
            ended = self._run(evaluate, request)
        except BaseException as thrown:
            ended = dict(describe_failure(thrown), type="failed")
        self._end_copy()
        self._current = 0
        signal.setitimer(signal.ITIMER_REAL, 0)
        aborted, self._is_stopping = self._is_stopping, False
        return dict(ended, id=request["id"], aborted=aborted, left=self._left())

    def _run(self, evaluate, request):
        restored = request["restored"]
        context = Context(
            seed=request["seed"],
            folder=request["folder"],
            slot=request["slot"],
            architecture=request.get("architecture"),
            trial=request["trial"],
            attempt=request["attempt"],
            restored=restored and restored["path"],
            restored_step=restored and restored["step"],
            on_report=lambda step, metrics: self._tell(
                request["id"], {"type": "report", "step": step, "metrics": metrics}
            ),
            is_stopping=lambda: self._is_stopping,
            keeper=Keeper(request["snapshots"], lambda answer: self._tell(request["id"], answer)),
        )
        returned = evaluate(request["candidate"], context)
        try:
            return {"type": "completed", "metrics": checked_metrics(returned)}
        except (TypeError, ValueError) as problem:
            message = "evaluate must return metrics, but %s" % problem
            return {"type": "failed", "message": message, "stack": "", "final": False}

    def _prepare(self, request):
        os.environ.update(request["environment"])
        # The last attempt may have gone elsewhere, or listened to the signal itself.
        os.chdir(self._folder)
        self._channel.begin_prints()
        self._listen()

    def _tell(self, attempt, answer):
        # What an attempt left behind says nothing of the next one.
        if attempt == self._current:
            self._channel.say(dict(answer, id=attempt))

    def _left(self):
        left = find_leftovers(self._threads)
        if left is None and not self._adopts and sys.platform.startswith("linux"):
            return "maybe a process (this Python has no ctypes, and cannot tell)"
        return left

    def _listen(self):
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, _signal, _frame):
        self._is_stopping = True

    def _end_copy(self):
        """A process that the evaluator forked and that came back from it must not answer for it."""
        if os.getpid() != self._pid:
            os._exit(0)


if __name__ == "__main__":
    sys.dont_write_bytecode = writes
    CHANNEL = Channel()
    faulthandler.enable(CHANNEL.prints)
    Harness(CHANNEL).serve()
