"""Evaluators in Python for searches by Espalier.

An evaluator is a function ``evaluate(candidate, context)`` in a file. It returns a dict of metrics.
"""

from .context import Context
from .failure import FatalError

__all__ = ["Context", "FatalError"]
__version__ = "0.1.0"
