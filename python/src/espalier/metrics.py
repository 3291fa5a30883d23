"""What counts as metrics, and what is wrong with a value that does not."""

import math

# As the protocol has it.
METRICS_MAX = 256
# Characters in the name of a metric.
METRIC_NAME_MAX = 200
# No metric can be called so: a frame with such a key is refused as a whole.
METRIC_NAME_REFUSED = "__proto__"
ADVICE = 'metrics are a dict of finite numbers, such as {"accuracy": 0.97}'


def checked_metrics(value):
    """Returns metrics with their numbers as floats; anything that becomes a float by itself is a number.

    Raises TypeError where the value is no metrics, ValueError where one of them is not finite or there are too many.
    """
    if not isinstance(value, dict):
        raise TypeError("it is %s: %s" % (name_of(value), ADVICE))
    if len(value) > METRICS_MAX:
        raise ValueError("it has %d metrics; it may have %d" % (len(value), METRICS_MAX))
    return {_checked_name(name): _checked_number(name, number) for name, number in value.items()}


def name_of(value):
    """A value in words, for messages."""
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, (int, float)):
        return "the number %r" % (value,)
    return "a %s" % type(value).__name__


def _checked_name(name):
    if not isinstance(name, str):
        raise TypeError("the name of one of its metrics is %s: %s" % (name_of(name), ADVICE))
    if name == "" or name == METRIC_NAME_REFUSED:
        raise ValueError('one of its metrics is called "%s"' % name)
    if len(name.encode("utf-16-le", "surrogatepass")) // 2 > METRIC_NAME_MAX:
        raise ValueError('the name of its metric "%s..." is longer than %d' % (name[:40], METRIC_NAME_MAX))
    return name


def _checked_number(name, value):
    if isinstance(value, (bool, str, bytes)) or value is None:
        raise TypeError('its metric "%s" is %s: %s' % (name, name_of(value), ADVICE))
    try:
        number = float(value)
    except OverflowError:
        raise ValueError('its metric "%s" is too large' % name) from None
    except Exception:
        raise TypeError('its metric "%s" is %s: %s' % (name, name_of(value), ADVICE)) from None
    if not math.isfinite(number):
        raise ValueError('its metric "%s" is %s: %s' % (name, number, ADVICE))
    return number
