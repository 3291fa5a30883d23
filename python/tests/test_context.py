"""The context as an evaluator sees it."""

import os
import tempfile
import unittest

import espalier


class ContextTest(unittest.TestCase):
    def setUp(self):
        self.reports = []
        self.is_stopping = False
        self.context = espalier.Context(
            seed=3,
            on_report=lambda step, metrics: self.reports.append((step, metrics)),
            is_stopping=lambda: self.is_stopping,
        )

    def test_an_evaluator_can_be_tried_by_hand(self):
        context = espalier.Context()
        context.report(1, loss=2)
        self.assertFalse(context.should_stop())
        self.assertIsNone(context.architecture)

    def test_by_hand_what_is_saved_lies_in_the_folder_and_comes_back(self):
        with tempfile.TemporaryDirectory() as folder:
            context = espalier.Context(folder=folder)
            self.assertIsNone(context.restore())
            self.assertIsNone(context.restored_step)
            path = os.path.join(folder, "model.pt")
            for step in (1, 2):
                with open(path, "w") as file:
                    file.write(str(step))
                context.report(step, loss=1)
                context.checkpoint(path)
            context.artifact(path, name="a/b")
            kept = os.path.join(folder, "kept")
            self.assertEqual(sorted(os.listdir(kept)), ["checkpoint-1", "checkpoint-2", "files"])
            again = espalier.Context(folder=folder, restored=os.path.join(kept, "checkpoint-2"), restored_step=2)
            self.assertEqual(os.path.basename(again.restore()), "model.pt")
            with open(again.restore()) as file:
                self.assertEqual(file.read(), "2")

    def test_names_of_files_stay_below_their_folder(self):
        for name in ("", "../a", "/a", "a/../b", "a\\b", "a\n", "a" * 1025, 7):
            with self.assertRaises(ValueError):
                self.context.artifact(__file__, name=name)

    def test_a_report_has_a_step_or_none(self):
        self.context.report(2, loss=1)
        self.context.report(loss=2)
        self.context.report(step=0, **{"a b": 3})
        self.assertEqual(self.reports, [(2, {"loss": 1.0}), (None, {"loss": 2.0}), (0, {"a b": 3.0})])

    def test_a_wrong_step_is_refused(self):
        for step in (-1, 1.5, "1", True, 2**60):
            with self.assertRaisesRegex(TypeError, "a whole number from 0"):
                self.context.report(step, loss=1)

    def test_it_is_told_when_to_stop(self):
        self.assertFalse(self.context.should_stop())
        self.is_stopping = True
        self.assertTrue(self.context.should_stop())

    def test_a_copy_of_the_process_cannot_report(self):
        pid = os.fork()
        if pid == 0:
            try:
                self.context.report(1, loss=1)
            except RuntimeError:
                os._exit(0)
            os._exit(1)
        self.assertEqual(os.waitpid(pid, 0)[1], 0)


if __name__ == "__main__":
    unittest.main()
