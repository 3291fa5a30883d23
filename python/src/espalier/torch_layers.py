"""The layers of layer graphs in PyTorch. To be imported by torch_model alone: it needs torch."""

import torch
from torch import nn

ACTIVATIONS = {"relu": nn.ReLU, "elu": nn.ELU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


class GraphModule(nn.Module):
    """A layer graph: its nodes in their order, each over the outputs of those before it."""

    def __init__(self, nodes, logits):
        super().__init__()
        if logits and nodes[-1]["layer"]["op"] == "softmax":
            nodes = nodes[:-1]
        shapes = {node["id"]: node["shape"] for node in nodes}
        #: Each node's id, the ids of its inputs, and its name in layers; the input has none.
        self.wiring = []
        self.layers = nn.ModuleDict()
        for number, node in enumerate(nodes):
            name = None
            if node["layer"]["op"] != "input":
                # A name in a dict of modules has no dots.
                name = "%d_%s" % (number, node["id"].replace(".", "_"))
                self.layers[name] = layer_module(node["layer"], shapes[node["inputs"][0]])
            self.wiring.append((node["id"], tuple(node["inputs"]), name))
        # What nobody needs any more is let go of: the last node that takes each output.
        self._last_use = {taken: place for place, (_, inputs, _) in enumerate(self.wiring) for taken in inputs}

    def forward(self, batch):
        outputs = {}
        result = batch
        for place, (node, inputs, name) in enumerate(self.wiring):
            result = batch if name is None else self.layers[name](*(outputs[taken] for taken in inputs))
            outputs[node] = result
            for taken in inputs:
                if self._last_use[taken] == place:
                    outputs.pop(taken, None)
        return result


def layer_module(layer, shape):
    """The module of a layer over an input of a shape, [height, width, channels] or [features]."""
    op = layer["op"]
    if op == "conv2d":
        return convolution(layer, *shape)
    if op == "pool2d":
        pool = nn.MaxPool2d if layer["kind"] == "max" else nn.AvgPool2d
        return pool(layer["size"], stride=layer["stride"])
    if op == "global_pool":
        return GlobalPool(layer["kind"])
    if op == "dense":
        return nn.Linear(shape[0], layer["units"])
    if op == "activation":
        return ACTIVATIONS[layer["kind"]]()
    if op == "dropout":
        return nn.Dropout(layer["rate"])
    if op == "flatten":
        return nn.Flatten()
    if op == "add":
        return Add()
    if op == "concat":
        return Concat()
    if op == "softmax":
        return nn.Softmax(dim=1)
    raise ValueError("torch_model knows no layer %s" % op)


def convolution(layer, height, width, channels):
    kernel, stride = layer["kernel"], layer["stride"]
    padding = [0, 0, 0, 0]
    if layer["padding"] == "same":
        # Left, right, top, bottom: as TensorFlow pads, the odd one behind.
        padding = [side for size in (width, height) for side in sides(size, kernel, stride)]
    left, right, top, bottom = padding
    if (left, top) == (right, bottom):
        return nn.Conv2d(channels, layer["filters"], kernel, stride=stride, padding=(top, left))
    conv = nn.Conv2d(channels, layer["filters"], kernel, stride=stride)
    return nn.Sequential(nn.ZeroPad2d(tuple(padding)), conv)


def sides(size, kernel, stride):
    steps = -(-size // stride)
    total = max((steps - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class GlobalPool(nn.Module):
    """A map's channels, each as its mean or its maximum."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def forward(self, batch):
        return batch.amax(dim=(2, 3)) if self.kind == "max" else batch.mean(dim=(2, 3))


class Add(nn.Module):
    """A sum."""

    def forward(self, first, *others):
        for other in others:
            first = first + other
        return first


class Concat(nn.Module):
    """Channels, or features, side by side."""

    def forward(self, *batches):
        return torch.cat(batches, dim=1)
