"""Evaluators in Python for searches by Espalier.

An evaluator is a function ``evaluate(candidate, context)`` in a file. It returns a dict of metrics.
"""

from .context import Context
from .failure import FatalError
from .torch_model import torch_model

__all__ = ["Context", "FatalError", "torch_model"]
__version__ = "0.1.0"
