"""Layer graphs as PyTorch modules. PyTorch is imported only when one is asked for."""

import sys


def torch_model(architecture, logits=False):
    """Builds a layer graph, such as ``context.architecture``, as a torch.nn.Module.

    It takes batches as PyTorch has them, [N, channels, height, width] or [N, features], and returns what the graph's
    output layer does; with logits=True a softmax at the end is left out, as torch.nn.CrossEntropyLoss needs it. Each
    layer is a module of its own in ``layers``, by the number of its node and its id.

    Raises ImportError where PyTorch is not installed, TypeError where the space has no layer graph, ValueError where
    the graph has a layer that is not known.
    """
    if not isinstance(architecture, dict) or not isinstance(architecture.get("nodes"), list):
        raise TypeError(
            "torch_model needs a layer graph, such as context.architecture in a search over the space cnn, and was "
            "given %s" % ("None: the space has none" if architecture is None else type(architecture).__name__)
        )
    try:
        from .torch_layers import GraphModule
    except ImportError as problem:
        if problem.name is None or problem.name.split(".")[0] != "torch":
            raise
        raise ImportError(
            "torch_model needs PyTorch, which is not installed for %s: install torch there, or name another "
            "interpreter in the spec" % sys.executable,
            name="torch",
        ) from None
    return GraphModule(architecture["nodes"], logits)
