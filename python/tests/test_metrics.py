"""What counts as metrics."""

import decimal
import fractions
import math
import unittest

from espalier.metrics import METRIC_NAME_MAX, METRICS_MAX, checked_metrics


class Scalar:
    """As those of numpy and torch are."""

    def __float__(self):
        return 0.25


class MetricsTest(unittest.TestCase):
    def test_whatever_becomes_a_float_by_itself_is_a_number(self):
        given = {"a": 1, "b": Scalar(), "c": decimal.Decimal("0.5"), "d": fractions.Fraction(3, 4)}
        self.assertEqual(checked_metrics(given), {"a": 1.0, "b": 0.25, "c": 0.5, "d": 0.75})
        self.assertTrue(all(type(number) is float for number in checked_metrics(given).values()))

    def test_as_many_and_as_long_names_as_the_protocol_has(self):
        self.assertEqual(len(checked_metrics({str(n): n for n in range(METRICS_MAX)})), METRICS_MAX)
        self.assertEqual(checked_metrics({"a" * METRIC_NAME_MAX: 1}), {"a" * METRIC_NAME_MAX: 1.0})
        for wrong in ({str(n): n for n in range(METRICS_MAX + 1)}, {"a" * (METRIC_NAME_MAX + 1): 1}, {"": 1}):
            with self.assertRaises(ValueError):
                checked_metrics(wrong)

    def test_names_are_counted_as_the_protocol_counts_them(self):
        with self.assertRaises(ValueError):
            checked_metrics({"\U0001f600" * (METRIC_NAME_MAX // 2 + 1): 1})

    def test_numbers_are_finite(self):
        for number in (math.nan, math.inf, -math.inf, 10**400):
            with self.assertRaisesRegex(ValueError, '"loss"'):
                checked_metrics({"loss": number})

    def test_other_things_are_no_metrics(self):
        for value in (None, 1.0, [], "text", {"a": "1"}, {"a": None}, {"a": True}, {"a": [1]}, {1: 1}, {"a": 1j}):
            with self.assertRaises(TypeError):
                checked_metrics(value)


if __name__ == "__main__":
    unittest.main()
