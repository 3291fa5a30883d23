"""Reads handwritten digits by softmax regression, in plain Python, and goes on where an earlier attempt was ended."""

import gzip
import json
import math
import os
import random

EPOCHS = 10
CLASSES = 10
PIXELS = 64
LEARNED = 600
JUDGED = 300


def evaluate(candidate, context):
    images = read_digits()
    learned, judged = images[:LEARNED], images[LEARNED : LEARNED + JUDGED]
    state = restored_state(context)
    accuracy = share_read(state["weights"], judged)
    for epoch in range(state["epoch"] + 1, EPOCHS + 1):
        # Of the epoch alone: the same order whether an attempt begins here or came to it.
        order = random.Random(context.seed * 1000 + epoch).sample(learned, LEARNED)
        for pixels, label in order:
            learn(state["weights"], pixels, label, candidate)
        state["epoch"] = epoch
        accuracy = share_read(state["weights"], judged)
        context.report(epoch, accuracy=accuracy)
        save(state, context)
        if context.should_stop():
            break
    return {"accuracy": accuracy, "began_after": context.restored_step or 0}


def restored_state(context):
    path = context.restore()
    if path is None:
        return {"epoch": 0, "weights": [[0.0] * (PIXELS + 1) for _ in range(CLASSES)]}
    with open(path) as file:
        return json.load(file)


def save(state, context):
    path = os.path.join(context.folder, "state.json")
    with open(path, "w") as file:
        json.dump(state, file)
    # Copied before this returns: the next epoch may overwrite it.
    context.checkpoint(path)


def learn(weights, pixels, label, candidate):
    for digit, chance in enumerate(chances(weights, pixels)):
        slope = chance - (1.0 if digit == label else 0.0)
        row = weights[digit]
        weights[digit] = [
            weight - candidate["rate"] * (slope * pixel + candidate["decay"] * weight)
            for weight, pixel in zip(row, pixels)
        ]


def chances(weights, pixels):
    sums = [sum(weight * pixel for weight, pixel in zip(row, pixels)) for row in weights]
    most = max(sums)
    powers = [math.exp(each - most) for each in sums]
    total = sum(powers)
    return [power / total for power in powers]


def share_read(weights, images):
    read = 0
    for pixels, label in images:
        found = chances(weights, pixels)
        read += found.index(max(found)) == label
    return read / len(images)


def read_digits():
    """Pairs of pixels in [0, 1], with a 1 at the end for the bias, and a label."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "digits.csv.gz")
    with gzip.open(path, "rt") as file:
        lines = [[int(value) for value in line.split(",")] for line in file]
    return [([value / 16 for value in pixels] + [1.0], label) for *pixels, label in lines]


if __name__ == "__main__":
    import tempfile

    import espalier

    with tempfile.TemporaryDirectory() as folder:
        print(evaluate({"rate": 0.05, "decay": 0.0001}, espalier.Context(folder=folder)))
