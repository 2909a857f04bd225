"""Arithmetic in a question file, worked out without running anything of it.

A number item may say `answer = "4*H*(D+H)"`. Its file may be anybody's, so an expression is arithmetic and nothing else:
numbers, names, + - * / // % **, comparisons, and, or, not, parentheses and the functions of FUNCTIONS. `simpleeval` works it out;
what it is given here is narrower than its defaults: no attributes, strings, indexing or keywords, and every power, product
and value is bounded, so that no expression takes long or fills the memory (`9**9**9`, `round(5, -10**9)`).
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

from simpleeval import InvalidExpression, SimpleEval

Number = int | float
Value = int | float | str  # a variable may stand for a short word, too; only numbers are calculated with

MAX_LENGTH = 200
MAX_VALUE = 10**18  # of a whole number; a float may have any finite size
_MAX_DIGITS = 15

# "1or x" is read by Python, with a warning; here it is a slip.
_GLUED = re.compile(r"(?<![\w.])(?>[\d.]+(?:[eE][+-]?\d+)?)[A-Za-z_]")
_NODES = (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Call, ast.Name, ast.Constant, ast.Load)


class BadExpression(ValueError):
    """An expression cannot be read or worked out; the message says why."""


def _power(base: Number, exponent: Number) -> Number:
    """Exact for whole numbers that stay small, else by floats, which overflow at once instead of growing."""
    rough: float | complex = float(base) ** float(exponent)
    if isinstance(rough, complex):
        raise BadExpression("a negative number has no such power")
    exact = isinstance(base, int) and isinstance(exponent, int) and exponent >= 0 and abs(rough) <= MAX_VALUE
    return int(base) ** int(exponent) if exact else rough


def _round(value: Number, digits: Number = 0) -> Number:
    if not 0 <= digits <= _MAX_DIGITS:
        raise BadExpression(f"round takes 0 to {_MAX_DIGITS} digits, got {digits}")
    return round(value, int(digits)) if digits else round(value)


def _sigmoid(x: Number) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def _of_numbers(function: Callable[..., Number]) -> Callable[..., Number]:
    """`function`, refusing anything but numbers: "ab" * 1000000 is no arithmetic."""

    def guarded(*values: object) -> Number:
        for value in values:
            if not isinstance(value, (int, float)):
                raise BadExpression(f"can only calculate with numbers, got {value!r}")
        result = function(*values)
        if isinstance(result, int) and abs(result) > MAX_VALUE:
            raise BadExpression("a value is too large")
        return result

    return guarded


_ARITHMETIC: dict[type[ast.AST], Callable[..., Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_LOGIC: dict[type[ast.AST], Callable[..., bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Not: operator.not_,
    ast.And: operator.and_,
    ast.Or: operator.or_,
}
FUNCTIONS: dict[str, Callable[..., Number]] = {
    "min": min,
    "max": max,
    "round": _round,
    "abs": abs,
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "sigmoid": _sigmoid,
    "tanh": math.tanh,
    "floor": math.floor,
    "ceil": math.ceil,
}
# One evaluator for the process: making one is slow. Its names change with each call, so calls take turns.
_EVALUATOR = SimpleEval(
    operators={**{node: _of_numbers(does) for node, does in _ARITHMETIC.items()}, **_LOGIC},
    functions={name: _of_numbers(does) for name, does in FUNCTIONS.items()},
    names={},
)
_TURN = Lock()


@dataclass(frozen=True)
class Parsed:
    """An expression that holds nothing but arithmetic, and the names in it."""

    node: ast.expr
    names: frozenset[str]


@lru_cache(maxsize=4096)
def parse(text: str) -> Parsed:
    """Read an expression. Errors: BadExpression."""
    if len(text) > MAX_LENGTH:
        raise BadExpression(f"an expression has at most {MAX_LENGTH} characters, this one has {len(text)}")
    if _GLUED.search(text):
        raise BadExpression(f"{text!r}: write an operator between a number and a name")
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise BadExpression(f"{text!r} is not an expression") from None
    called = set()
    for part in ast.walk(node):
        called |= {id(part.func)} if isinstance(part, ast.Call) else set()
        _refuse(part, text)
    return Parsed(node, frozenset(part.id for part in ast.walk(node) if isinstance(part, ast.Name) and id(part) not in called))


def _refuse(part: ast.AST, text: str) -> None:
    if isinstance(part, ast.Call):
        if not isinstance(part.func, ast.Name) or part.func.id not in FUNCTIONS or part.keywords:
            raise BadExpression(f"{text!r} calls something else than {', '.join(FUNCTIONS)}")
    elif isinstance(part, ast.Constant):
        if type(part.value) not in (int, float):
            raise BadExpression(f"{text!r} holds {part.value!r}, which is no number")
    elif not isinstance(part, _NODES) and type(part) not in _EVALUATOR.operators:
        raise BadExpression(f"{text!r} is more than arithmetic: {type(part).__name__} is not allowed")


def evaluate(text: str, names: Mapping[str, Value]) -> Number:
    """The value of an expression, finite. Errors: BadExpression."""
    parsed = parse(text)
    unknown = sorted(parsed.names - names.keys())
    if unknown:
        raise BadExpression(f"{text!r} uses {', '.join(unknown)}, but only {', '.join(names) or 'no name'} is known there")
    try:
        with _TURN:
            _EVALUATOR.names = names
            value = _EVALUATOR.eval(text, parsed.node)
    except BadExpression as error:
        raise BadExpression(f"{text!r}: {error}") from None
    except (ArithmeticError, ValueError, TypeError, RecursionError, InvalidExpression) as error:
        raise BadExpression(f"{text!r} cannot be worked out: {error}") from None
    if not isinstance(value, (int, float)):
        raise BadExpression(f"{text!r} gives {value!r}, which is no number")
    if not math.isfinite(value) or (isinstance(value, int) and abs(value) > MAX_VALUE):
        raise BadExpression(f"{text!r} gives a value that is not finite or too large")
    return int(value) if isinstance(value, bool) else value
