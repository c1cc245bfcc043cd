"""What a form field takes: values are checked, and converted where they were typed as text."""

import math
import re
from datetime import date

from colab_gen.form import Parameter, Value

__all__ = ["check_value"]

_TRUE = ("true", "yes", "y", "on", "1")
_FALSE = ("false", "no", "n", "off", "0")


def check_value(parameter: Parameter, value: object) -> Value:
    """Return the value as the field takes it; text as typed on a command line is converted.

    Raises:
        ValueError: the field does not take this value; the text says what it takes.
    """
    match parameter.kind:
        case "boolean":
            return _boolean(value)
        case "integer":
            return _integer(value)
        case "number":
            return _number(value)
        case "slider":
            return _slider(parameter, value)
        case "choice":
            return _choice(parameter, value)
        case "date":
            return _date(value)
        case "raw":
            return _raw(value)
    if not isinstance(value, str):
        raise ValueError("takes text")
    return value


def _boolean(value: object) -> bool:
    if isinstance(value, str):
        if value.strip().lower() in _TRUE:
            return True
        if value.strip().lower() in _FALSE:
            return False
    if not isinstance(value, bool):
        raise ValueError("takes true or false")
    return value


def _integer(value: object) -> int:
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError:
            raise ValueError("takes a whole number") from None
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("takes a whole number")
    return value


def _number(value: object) -> int | float:
    if isinstance(value, str):
        try:
            value = int(value) if re.fullmatch(r"\s*[-+]?\d+\s*", value) else float(value)
        except ValueError:
            raise ValueError("takes a number") from None
    if not isinstance(value, int | float) or isinstance(value, bool) or not _finite(value):
        raise ValueError("takes a number")
    return value


def _finite(value: int | float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the floats is finite all the same
        return True


def _slider(parameter: Parameter, value: object) -> int | float:
    number = _number(value)
    low, high = parameter.minimum, parameter.maximum
    # In Colab a slider whose step is integral holds whole numbers.
    whole = isinstance(parameter.step, int) and isinstance(parameter.default, int)
    if (low is not None and number < low) or (high is not None and number > high):
        raise ValueError(f"takes a number from {low} to {high}")
    if whole and number != int(number):
        raise ValueError(f"takes a whole number from {low} to {high}")
    return int(number) if whole else number


def _choice(parameter: Parameter, value: object) -> Value:
    for option in parameter.options:
        if (value == option and type(value) is type(option)) or value == str(option):
            return option
    if parameter.allow_input:
        return _raw(value)
    raise ValueError("takes one of " + ", ".join(map(str, parameter.options)))


def _date(value: object) -> str:
    if isinstance(value, date):  # TOML has dates of its own
        return value.isoformat()[:10]
    try:
        return date.fromisoformat(value if isinstance(value, str) else "").isoformat()
    except ValueError:
        raise ValueError("takes a date such as 2026-11-30") from None


def _raw(value: object) -> Value:
    if not isinstance(value, Value) or (isinstance(value, float) and not _finite(value)):
        raise ValueError("takes text, a number, true or false")
    return value
