"""The context as an evaluator sees it."""

import os
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
