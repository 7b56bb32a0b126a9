"""Arithmetic and comparing, worked out anew: by counting, by exact decimals, by comparing each number with all."""

import ast
import itertools
import operator
import re
from collections.abc import Callable
from decimal import Decimal

from node.lab.skills import Task
from tests.node.lab.logic_checker import integers, part

OPERATIONS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}


def arithmetic(text: str) -> str:
    """Sums, differences, products, quotients with a rest, and expressions with the usual precedence."""
    if re.search(r"[Dd]ivide", text):
        whole, (dividend, divisor) = 0, integers(text)
        while dividend >= divisor:
            whole, dividend = whole + 1, dividend - divisor
        return f"{whole} rest {dividend}"
    if match := re.search(r"[\d(][\d+*() -]*[\d)]", text):
        if re.search(r"[+*-]", match[0]):
            return str(value_of(match[0]))
    a, b = integers(text)
    if re.search(r"times|Multiply|product|each of", text):
        return str(sum(itertools.repeat(a, b)))
    if "Subtract" in text:
        a, b = b, a
    if re.search(r"minus|Subtract|difference|loses|gave away", text):
        b = -b
    return str(a + b)


def value_of(expression: str) -> int:
    """The value of an expression of whole numbers."""
    return _value(ast.parse(expression, mode="eval").body)


def _value(node: ast.expr) -> int:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.UnaryOp(ast.USub(), operand):
            return -_value(operand)
        case ast.BinOp(left, sign, right):
            return OPERATIONS[type(sign)](_value(left), _value(right))
    raise AssertionError(ast.dump(node))


def untrue_steps(task: Task) -> list[str]:
    """The worked steps that do not hold: `7+5=12`, chains such as `10+5=15-12=3`, a last `26-15` before its answer."""
    untrue = []
    steps = [step for step in task.work.split() if re.fullmatch(r"[-+*=:\d]+", step)]
    for step in steps:
        said = [re.sub(r"(\d+):(\d+)", _minutes, side) for side in step.split("=")]
        for left, right in itertools.pairwise(said):
            if value_of(left) not in (value_of(right), int(part(r"^(-?\d+)", right))):
                untrue.append(step)
    if steps and re.fullmatch(r"\d+([-+]\d+)+", steps[-1]) and value_of(steps[-1]) != int(task.answer):
        untrue.append(steps[-1])
    return untrue


def _minutes(clock: re.Match[str]) -> str:
    return str(60 * int(clock[1]) + int(clock[2]))


def comparing(text: str) -> str:
    """Every number is compared with every other; decimals exactly."""
    numbers = [Decimal(n) for n in re.findall(r"-?\d+(?:\.\d)?", text)]
    if re.search(r"^(Is|Does) ", text):
        a, b = numbers
        return "yes" if (b - a if re.search(r"smaller|less|below", text) else a - b) > 0 else "no"
    if "How many" in text:
        limit = Decimal(part(r"(?:above|below|than) (\d+)", text))
        numbers.remove(limit)
        return str(sum(1 for n in numbers if (n > limit if re.search(r"above|greater", text) else n < limit)))
    up = [n for i in range(len(numbers)) for n in numbers if sum(m < n for m in numbers) == i]
    order = up if re.search(r"smallest|least|minimum", text) else up[::-1]
    if "second" in text:
        return str(order[1])
    if re.search(r"median|middle", text):
        return str(next(n for n in numbers if 2 * sum(m < n for m in numbers) == len(numbers) - 1))
    if re.search(r"Sort|Put|Order", text):
        return ", ".join(map(str, order if re.search(r"downwards|descending|large to small", text) else up))
    return str(order[0])
