"""Threads and processes that an attempt left behind, as far as its own process can tell."""

import os
import sys
import threading

# prctl(2): orphans of this process's descendants become its children, daemons among them.
PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Sees to it that no descendant is lost. Returns whether that is so: only Linux can, and only with ctypes."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        import ctypes

        return ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    except (ImportError, OSError, AttributeError):
        return False


def find_leftovers(known):
    """What is left of an attempt, in words, or None. Children that have ended are forgotten.

    known are the threads that were there before it.
    """
    for thread in threading.enumerate():
        if thread not in known and thread is not threading.main_thread():
            return "the thread %s" % thread.name
    while True:
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if ended == 0:
            return "a process"
