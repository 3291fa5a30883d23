"""Fits a polynomial to a noisy sine by gradient descent, with nothing but the standard library."""

import math
import random

import espalier

POINTS = 40
EPOCHS = 200


def evaluate(candidate, context):
    degree = candidate["model"]["degree"]
    if degree >= POINTS:
        # Another try would fail too.
        raise espalier.FatalError("more coefficients than points")
    data = noisy_sine(random.Random(context.seed))
    weights, speeds = [0.0] * (degree + 1), [0.0] * (degree + 1)
    for epoch in range(1, EPOCHS + 1):
        loss, slopes = loss_and_slopes(weights, data)
        if loss > 1e6:
            # A failure is never a bad score.
            raise ArithmeticError(f"diverged in epoch {epoch}")
        # Where a candidate has no momentum, there is no such key.
        momentum = candidate.get("momentum", 0.0)
        speeds = [momentum * speed - candidate["lr"] * slope for speed, slope in zip(speeds, slopes)]
        weights = [weight + speed for weight, speed in zip(weights, speeds)]
        if epoch % 50 == 0:
            context.report(epoch, loss=loss)
        if context.should_stop():
            break
    print("weights", weights)
    return {"loss": loss}


def noisy_sine(noise):
    xs = [2 * i / (POINTS - 1) - 1 for i in range(POINTS)]
    return [(x, math.sin(3 * x) + 0.1 * (noise.random() - 0.5)) for x in xs]


def loss_and_slopes(weights, data):
    loss, slopes = 0.0, [0.0] * len(weights)
    for x, y in data:
        error = sum(weight * x**power for power, weight in enumerate(weights)) - y
        loss += error * error / len(data)
        for power in range(len(weights)):
            slopes[power] += 2 * error * x**power / len(data)
    return loss, slopes
