"""Whether a 64-bit integer may hold what 32 bits cannot; indices and counters do not."""

from __future__ import annotations

import ast

from backends_matrix.lint.frame import Frame
from backends_matrix.lint.modules import dotted

LARGEST = 2**31 - 1
_GROWS = (ast.Mult, ast.Pow, ast.LShift)
_GROWING = {"sum", "cumsum", "prod", "cumprod", "multiply", "power", "square", "dot", "matmul"}


def may_overflow(frame: Frame, node: ast.expr) -> bool:
    """Whether an integer expression, or the name that it is given, is multiplied, shifted or summed.

    A literal that 32 bits do not hold counts too.
    """
    if frame.node is None:
        return False
    inside = list(ast.walk(frame.node))
    names = {
        target.id
        for each in inside
        if isinstance(each, ast.Assign) and any(part is node for part in ast.walk(each.value))
        for target in each.targets
        if isinstance(target, ast.Name)
    }
    if any(
        isinstance(each, ast.Constant) and isinstance(each.value, int) and each.value > LARGEST
        for each in ast.walk(node)
    ):
        return True

    def is_it(part: ast.expr) -> bool:
        return part is node or (isinstance(part, ast.Name) and part.id in names)

    for each in inside:
        match each:
            case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _GROWS):
                if is_it(left) or is_it(right):
                    return True
            case ast.Call(func=func, args=args):
                if dotted(func).rpartition(".")[2] in _GROWING and any(map(is_it, args)):
                    return True
    return False
