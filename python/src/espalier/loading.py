"""Imports an evaluator's file, and says what is wrong where that cannot be done."""

import os
import sys
import types

from .failure import describe_failure

# The name of the evaluator's module where its file's own is taken.
SPARE_NAME = "espalier_evaluator"


def load(path):
    """Imports a file. Returns its function evaluate, or a failure as a dict."""
    try:
        with open(path, "rb") as file:
            source = file.read()
        # Not by the import system: its cached bytecode counts as fresh where a file changes twice in a second.
        code = compile(source, path, "exec", dont_inherit=True)
        name = os.path.splitext(os.path.basename(path))[0]
        module = types.ModuleType(SPARE_NAME if name in sys.modules or not name.isidentifier() else name)
        module.__file__ = path
        sys.modules[module.__name__] = module
        exec(code, module.__dict__)
    except BaseException as thrown:
        return _load_failure(thrown, path)
    evaluate = getattr(module, "evaluate", None)
    if callable(evaluate):
        return evaluate
    return {"message": "%s has no function evaluate" % path, "stack": "", "final": True}


def _load_failure(thrown, path):
    failure = describe_failure(thrown)
    if isinstance(thrown, SyntaxError):
        where = "line %s of %s" % (thrown.lineno, thrown.filename)
        return {**failure, "message": "%s: %s" % (where, thrown.msg), "final": True}
    if isinstance(thrown, ModuleNotFoundError):
        message = "%s imports %s, which is not installed for %s (Python %s): install it there, or name another interpreter in the spec" % (
            path,
            thrown.name,
            sys.executable,
            sys.version.split()[0],
        )
        # Another machine may have it.
        return {**failure, "message": message, "final": False}
    if isinstance(thrown, OSError) and thrown.filename == path:
        return {**failure, "message": "%s cannot be read: %s" % (path, thrown.strerror)}
    return {**failure, "message": "%s failed while it was imported: %s" % (path, failure["message"])}
