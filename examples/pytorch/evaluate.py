"""Trains networks of the CNN space on handwritten digits with PyTorch, on a GPU where the trial was given one."""

import gzip
import os

import torch
from torch import nn

import espalier

EPOCHS = int(os.environ.get("EPOCHS", "20"))
LEARNED = 1_200
JUDGED = 300
OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}


def evaluate(candidate, context):
    torch.manual_seed(context.seed)
    # The worker shows this attempt its own devices alone.
    device = "cuda" if torch.cuda.is_available() else "cpu"
    images, labels = (each.to(device) for each in read_digits())
    model = espalier.torch_model(context.architecture, logits=True).to(device)
    optimizer = OPTIMIZERS[candidate["optimizer"]](model.parameters(), lr=candidate["learning_rate"])
    began_after = restore(context, model, optimizer, device)
    accuracy = measure(model, images, labels)
    for epoch in range(began_after + 1, EPOCHS + 1):
        model.train()
        loss = learn(model, optimizer, images[:LEARNED], labels[:LEARNED], candidate["batch_size"])
        accuracy = measure(model, images, labels)
        context.report(epoch, loss=loss, accuracy=accuracy)
        save(context, model, optimizer, epoch)
        if context.should_stop():
            break
    return {
        "accuracy": accuracy,
        "parameters": sum(each.numel() for each in model.parameters()),
        "began_after": began_after,
        "cuda": float(device == "cuda"),
    }


def learn(model, optimizer, images, labels, batch_size):
    total = 0.0
    for rows in torch.randperm(len(images), device=images.device).split(batch_size):
        loss = nn.functional.cross_entropy(model(images[rows]), labels[rows])
        if not torch.isfinite(loss):
            # Another try would diverge too: a failure is never a bad score.
            raise espalier.FatalError("the loss is no number any more")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(images)


def measure(model, images, labels):
    model.eval()
    with torch.no_grad():
        found = model(images[LEARNED : LEARNED + JUDGED]).argmax(dim=1)
    return (found == labels[LEARNED : LEARNED + JUDGED]).float().mean().item()


def save(context, model, optimizer, epoch):
    path = os.path.join(context.folder, "model.pt")
    torch.save({"epoch": epoch, "model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)
    context.checkpoint(path)


def restore(context, model, optimizer, device):
    """The epochs that an earlier attempt of the trial has done."""
    path = context.restore()
    if path is None:
        return 0
    saved = torch.load(path, map_location=device, weights_only=True)
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    return saved["epoch"]


def read_digits():
    """Images as [N, 1, 8, 8] in [0, 1], and their labels."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "digits.csv.gz")
    with gzip.open(path, "rt") as file:
        rows = torch.tensor([[int(value) for value in line.split(",")] for line in file])
    return rows[:, :64].float().reshape(-1, 1, 8, 8) / 16, rows[:, 64]
