"""What an evaluator raised, in words for who wrote it."""

import os
import traceback

# Characters of a message.
MESSAGE_MAX = 2_000
# Characters of a traceback: its beginning and its end.
STACK_HEAD = 2_000
STACK_TAIL = 6_000
# Frames of a traceback, from either end: an infinite recursion has thousands.
FRAMES_MAX = 30
# Who ends with it says that another try would fail too (EX_CONFIG of sysexits.h).
FATAL_EXIT_CODE = 78


class FatalError(Exception):
    """Says that another attempt would fail too: the trial has failed for good."""


def describe_failure(thrown):
    """Describes an exception: message, stack, final. Never raises."""
    try:
        message = _headline(thrown)
    except Exception:
        message = "the evaluator raised a %s that cannot be read" % type(thrown).__name__
    return {
        "message": _encodable(message[:MESSAGE_MAX]),
        "stack": _encodable(_stack(thrown)),
        "final": _is_final(thrown),
    }


def _headline(thrown):
    if isinstance(thrown, SystemExit):
        code = thrown.code
        return "the evaluator called sys.exit(%s) instead of returning metrics" % ("" if code is None else repr(code))
    message = str(thrown)
    name = type(thrown).__name__
    if message == "":
        return name
    return message if _is_fatal_error(thrown) else "%s: %s" % (name, message)


def _is_fatal_error(thrown):
    # By its name too: an evaluator may have another copy of this package.
    return any(each.__name__ == "FatalError" for each in type(thrown).__mro__)


def _is_final(thrown):
    return _is_fatal_error(thrown) or (isinstance(thrown, SystemExit) and thrown.code == FATAL_EXIT_CODE)


def _stack(thrown):
    """The traceback from the evaluator's own first frame on."""
    try:
        frames = thrown.__traceback__
        here = os.path.dirname(os.path.abspath(__file__))
        while frames is not None and os.path.dirname(frames.tb_frame.f_code.co_filename) == here:
            frames = frames.tb_next
        told = traceback.TracebackException(type(thrown), thrown, frames)
        _shorten(told)
        return _cut("".join(told.format()))
    except Exception:
        return ""


def _shorten(told):
    stack = told.stack
    if len(stack) > 2 * FRAMES_MAX:
        del stack[FRAMES_MAX:-FRAMES_MAX]


def _cut(text):
    left = len(text) - STACK_HEAD - STACK_TAIL
    if left <= 0:
        return text
    return "%s\n[%d characters left out]\n%s" % (text[:STACK_HEAD], left, text[-STACK_TAIL:])


def _encodable(text):
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
