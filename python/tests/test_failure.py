"""Exceptions in words."""

import unittest

import espalier
from espalier.failure import MESSAGE_MAX, STACK_HEAD, STACK_TAIL, describe_failure


def described(action):
    try:
        action()
    except BaseException as thrown:
        return describe_failure(thrown)
    raise AssertionError("nothing was raised")


def raiser(thrown):
    def action():
        raise thrown

    return action


class FailureTest(unittest.TestCase):
    def test_the_message_has_the_type_but_for_a_fatal_error(self):
        self.assertEqual(described(raiser(KeyError("lr")))["message"], "KeyError: 'lr'")
        self.assertEqual(described(raiser(espalier.FatalError("no")))["message"], "no")
        self.assertEqual(described(raiser(espalier.FatalError()))["message"], "FatalError")

    def test_a_fatal_error_and_exit_code_78_are_final(self):
        class Own(espalier.FatalError):
            pass

        another = type("FatalError", (Exception,), {})
        finals = [espalier.FatalError(), Own(), another(), SystemExit(78)]
        self.assertTrue(all(described(raiser(thrown))["final"] for thrown in finals))
        others = [ValueError(), SystemExit(1), SystemExit(), KeyboardInterrupt()]
        self.assertFalse(any(described(raiser(thrown))["final"] for thrown in others))

    def test_long_messages_and_deep_tracebacks_are_cut(self):
        def deep(n):
            if n == 0:
                raise ValueError("x" * 100_000)
            deep(n - 1)

        failure = described(lambda: deep(500))
        self.assertEqual(len(failure["message"]), MESSAGE_MAX)
        self.assertLess(len(failure["stack"]), STACK_HEAD + STACK_TAIL + 100)
        self.assertIn("in deep", failure["stack"])
        self.assertIn("characters left out", failure["stack"])

    def test_what_cannot_be_read_or_encoded_is_a_failure_too(self):
        class Broken(Exception):
            def __str__(self):
                raise self

        self.assertIn("Broken that cannot be read", described(raiser(Broken()))["message"])
        described(raiser(ValueError("\ud800")))["message"].encode()


if __name__ == "__main__":
    unittest.main()
