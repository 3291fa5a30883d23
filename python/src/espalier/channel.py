"""How a harness and its worker talk: JSON lines over pipes that the evaluator's prints never touch.

Answers go out by a copy of standard output, requests come in by a copy of standard input. To the evaluator, standard
input is empty, and standard output and standard error are one stream of prints; where the prints of an attempt end, a
mark stands in it.
"""

import json
import os
import sys
import threading

# The worker cannot be spoken to any more (EX_IOERR of sysexits.h).
BROKEN_EXIT_CODE = 74


class Channel:
    """To be made before anything is printed."""

    def __init__(self):
        self._requests = os.fdopen(os.dup(0), "rb")
        self._answers = os.dup(1)
        #: The prints' pipe, whatever the evaluator does with descriptors 1 and 2.
        self.prints = os.dup(2)
        self._lock = threading.Lock()
        empty = os.open(os.devnull, os.O_RDONLY)
        os.dup2(empty, 0)
        os.close(empty)
        os.dup2(2, 1)
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")

    def next(self):
        """The next request. Ends the process where there will be none."""
        line = self._requests.readline()
        if not line.endswith(b"\n"):
            os._exit(0)
        return json.loads(line)

    def say(self, answer):
        """Writes at once, and waits where the worker is slow to read."""
        line = json.dumps(answer, allow_nan=False).encode() + b"\n"
        with self._lock:
            self._write(self._answers, line)

    def begin_prints(self):
        """Whatever the last attempt closed is open again."""
        for number, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(self.prints, number)
            stream = getattr(sys, name)
            if stream is None or getattr(stream, "closed", False):
                opened = open(number, "w", buffering=1, errors="backslashreplace", closefd=False)
                setattr(sys, name, opened)

    def end_prints(self, mark, attempt):
        """What an attempt printed has ended."""
        for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
            try:
                stream.flush()
            except Exception:
                # The evaluator has closed it, or put something else in its place.
                pass
        self._write(self.prints, b"\0%s %d\n" % (mark.encode(), attempt))

    def _write(self, file, data):
        try:
            while data:
                data = data[os.write(file, data) :]
        except OSError:
            os._exit(BROKEN_EXIT_CODE)
