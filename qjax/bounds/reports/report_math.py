"""Formulas of a report: LaTeX of a statement, and that LaTeX as one drawn path.

Drawn by matplotlib's own mathematics, so that a page needs no network, no script and no
fonts; what it cannot draw is shown as text.
"""

import html

import sympy as sp
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from sympy.printing.latex import LatexPrinter

SYMBOLS = {"lam": r"\lambda", "eps": r"\varepsilon"}
"""Names that Python could not spell as the theory does."""

RELATIONS = {sp.LessThan: r"\leq", sp.GreaterThan: r"\geq", sp.Equality: "="}

SIZE = 17.0
"""Height of the letters, in CSS pixels of a full em."""

_COMMANDS = {1: "M", 2: "L", 3: "Q", 4: "C"}
"""SVG's letters for matplotlib's codes MOVETO, LINETO, CURVE3, CURVE4."""

_log2 = sp.Function("log2")


class _Printer(LatexPrinter):
    """LaTeX that a reader of the theory expects and matplotlib can draw."""

    def _print_Symbol(self, expr: sp.Symbol, style: str = "plain") -> str:
        if expr.name in SYMBOLS:
            return SYMBOLS[expr.name]
        found = super()._print_Symbol(expr, style)
        # A name of several letters is a word, not a product.
        return rf"\mathrm{{{found}}}" if found.isalpha() and len(found) > 1 else found

    def _print_Function(self, expr: sp.Expr, exp: str | None = None) -> str:
        name = type(expr).__name__
        arguments = [self._print(each) for each in expr.args]
        inside = (r"\, \Vert \, " if name == "d" else ", ").join(arguments)
        word = name.replace("_", r"\ ")
        head = r"\log_2" if name == "log2" else word
        if head == word and len(word) > 1:
            head = rf"\mathrm{{{word}}}"
        power = f"^{{{exp}}}" if exp is not None else ""
        return rf"{head}{power}\left({inside}\right)"

    def _print_Piecewise(self, expr: sp.Expr) -> str:
        parts = []
        for value, condition in expr.args:
            shown = self._print(value)
            when = rf"\ \mathrm{{if}}\ {self._print(condition)}"
            last = condition == sp.true
            parts.append(shown + (r"\ \mathrm{otherwise}" if last else when))
        choices = r";\ ".join(parts)
        return rf"\left[{choices}\right]"


def statement_latex(relation: sp.Rel) -> str:
    """LaTeX of an inequality or equation, logarithms written to the base 2.

    Args:
        relation: Statement of a bound: <=, >= or an equation.

    Returns:
        LaTeX without dollar signs.

    Example:
        >>> import sympy as sp
        >>> from qjax.bounds.reports.report_math import statement_latex
        >>> m, lam = sp.symbols("m lam", positive=True)
        >>> statement_latex(sp.Le(sp.log(1 + lam, 2), m, evaluate=False))
        '\\\\log_2\\\\left(\\\\lambda + 1\\\\right) \\\\leq m'
    """
    printer = _Printer({"ln_notation": True, "mul_symbol": r"\,"})
    sides = [printer.doprint(_base_two(side)) for side in (relation.lhs, relation.rhs)]
    sign = next(sign for kind, sign in RELATIONS.items() if isinstance(relation, kind))
    return f"{sides[0]} {sign} {sides[1]}"


def _base_two(expression: sp.Basic) -> sp.Basic:
    """log(x)/log(2) as log2(x), for printing only."""
    over = 1 / sp.log(2)

    def has_quotient(part: sp.Basic) -> bool:
        if not isinstance(part, sp.Mul) or over not in part.args:
            return False
        return any(isinstance(each, sp.log) for each in part.args)

    def written(part: sp.Basic) -> sp.Basic:
        factors = [each for each in part.args if each != over]
        index = next(i for i, each in enumerate(factors) if isinstance(each, sp.log))
        factors[index] = _log2(factors[index].args[0])
        return sp.Mul(*factors)

    return expression.replace(has_quotient, written)


def formula_svg(latex: str, label: str) -> str | None:
    """An SVG element of one path that shows a formula, or None if it cannot be drawn.

    Args:
        latex: LaTeX without dollar signs, in the part of it that matplotlib draws.
        label: The formula as text, for readers that do not see the picture.

    Returns:
        Markup without identifiers, so that several fit one page.

    Example:
        >>> from qjax.bounds.reports.report_math import formula_svg
        >>> formula_svg(r"n \\leq m", "n <= m")[:20]
        '<svg class="formula"'
        >>> formula_svg(r"\\begin{cases} n", "n") is None
        True
    """
    font = FontProperties(math_fontfamily="stix")
    try:
        drawn = TextPath((0, 0), f"${latex}$", size=SIZE, prop=font)
    except ValueError:  # matplotlib reads a part of LaTeX only
        return None
    box = drawn.get_extents().padded(1.0)
    # In SVG y points down.
    view = f"{box.x0:.1f} {-box.y1:.1f} {box.width:.1f} {box.height:.1f}"
    return (
        f'<svg class="formula" role="img" aria-label="{html.escape(label)}" '
        f'width="{box.width:.0f}" height="{box.height:.0f}" viewBox="{view}">'
        f'<path fill="currentColor" d="{_path_data(drawn)}"/></svg>'
    )


def _path_data(drawn: Path) -> str:
    parts = []
    for points, code in drawn.iter_segments(simplify=False):
        if code == Path.CLOSEPOLY:
            parts.append("Z")
            continue
        pairs = zip(points[::2], points[1::2], strict=True)
        numbers = " ".join(f"{x:.2f} {-y:.2f}" for x, y in pairs)
        parts.append(f"{_COMMANDS[int(code)]}{numbers}")
    return "".join(parts)
