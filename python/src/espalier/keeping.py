"""Copies of what an evaluator saves: whole when the call returns, so that it can be overwritten at once."""

import os
import shutil
import threading


class Keeper:
    """Keeps for a worker, which is told of each copy and takes it away.

    snapshots is what the names of the copies begin with, a path that nobody else uses. say gets answers of the channel.
    """

    def __init__(self, snapshots, say):
        self._snapshots = snapshots
        self._say = say
        self._lock = threading.Lock()
        self._kept = 0

    def checkpoint(self, path, step):
        """step may be None: the worker then takes the one that was reported last."""

        def copy(target):
            os.mkdir(target)
            copy_whole(path, os.path.join(target, name_of_path(path)))

        self._keep(copy, {"type": "checkpoint", "step": step})

    def file(self, path, name):
        self._keep(lambda target: copy_file(path, target), {"type": "file", "name": name})

    def _keep(self, copy, answer):
        with self._lock:
            self._kept += 1
            number = self._kept
        target = "%s%d" % (self._snapshots, number)
        # Renamed when it is whole: what a killed process leaves is known by its name.
        part = target + ".part"
        try:
            copy(part)
            os.rename(part, target)
        except BaseException:
            remove(part)
            raise
        self._say(dict(answer, snapshot=number))


class FolderKeeper:
    """Keeps without a worker, in the folder kept of a folder: checkpoint-7/NAME and files/NAME."""

    def __init__(self, folder):
        self._kept = os.path.join(folder, "kept")

    def checkpoint(self, path, step):
        place = os.path.join(self._kept, "checkpoint-%d" % (step or 0))
        remove(place)
        os.makedirs(place)
        copy_whole(path, os.path.join(place, name_of_path(path)))

    def file(self, path, name):
        target = os.path.join(self._kept, "files", *name.split("/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        copy_file(path, target)


def saved_path(restored):
    """What was saved, in the folder that a checkpoint comes back as: it holds it by its name."""
    names = os.listdir(restored) if os.path.isdir(restored) else []
    return os.path.join(restored, names[0]) if len(names) == 1 else restored


def name_of_path(path):
    return os.path.basename(os.path.abspath(path)) or "checkpoint"


def copy_whole(path, target):
    """Copies a file or a folder; links in a folder stay links. Raises OSError where that is not possible."""
    if os.path.isdir(path):
        shutil.copytree(path, target, symlinks=True)
    else:
        copy_file(path, target)


def copy_file(path, target):
    """A device would be copied for ever."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise OSError("%s is no file: it cannot be kept" % path)
    shutil.copyfile(path, target)


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    elif os.path.lexists(path):
        os.remove(path)
