"""The proof of Corollary A7, step by step, as checks of computer algebra.

Numbers are headings of proofs/a7.md. No published theorem is trusted.
"""

import sympy as sp

from qjax.bounds.bound import Step
from qjax.bounds.lemmas import with_lemmas
from qjax.bounds.lemmas.algebra import is_combination
from qjax.bounds.lemmas.certificates import compiled_by_coq

theta, angle = sp.symbols("theta u", real=True)


def one_rotation() -> bool:
    """|q e^{-iu} + (1-q) e^{iu}|^2 = 1 - 4q(1-q) sin^2 u = cos^2 u + (1-2q)^2 sin^2 u.

    u = theta/2 and q is the weight of the rotated qubit on |0>.
    """
    q = sp.Symbol("q", real=True)
    amplitude = q * sp.exp(-sp.I * angle) + (1 - q) * sp.exp(sp.I * angle)
    conjugate = q * sp.exp(sp.I * angle) + (1 - q) * sp.exp(-sp.I * angle)
    squared = sp.expand(sp.expand(amplitude * conjugate).rewrite(sp.cos))
    sine, cosine = sp.sin(angle), sp.cos(angle)
    first = 1 - 4 * q * (1 - q) * sine**2
    second = cosine**2 + (1 - 2 * q) ** 2 * sine**2
    gaps = (squared - first, squared - second)
    # Polynomials in sine and cosine: equal modulo sine^2 + cosine^2 = 1.
    s, c = sp.symbols("s c", real=True)
    for gap in gaps:
        polynomial = sp.expand(sp.expand_trig(gap).subs({sine: s, cosine: c}))
        if sp.expand(sp.rem(polynomial, s**2 + c**2 - 1, s)) != 0:
            return False
    return bool(((1 - 2 * q) ** 2 * sine**2).is_nonnegative)


def gram_determinant() -> bool:
    """1 + 2 Re(<a|b><b|c><c|a>) - |<a|b>|^2 - |<b|c>|^2 - |<c|a>|^2 = |b_2 c_3|^2.

    In a basis where a = (1,0,0), b = (b_1,b_2,0), c = (c_1,c_2,c_3).
    """
    parts = sp.symbols("b1:3 c1:4", complex=True)
    bars = sp.symbols("B1:3 C1:4", complex=True)  # stand for their conjugates
    zero = sp.S.Zero
    columns = sp.Matrix([[1, parts[0], parts[2]], [zero, parts[1], parts[3]],
                         [zero, zero, parts[4]]])  # fmt: skip
    rows = sp.Matrix([[1, zero, zero], [bars[0], bars[1], zero],
                      [bars[2], bars[3], bars[4]]])  # fmt: skip
    gram = rows * columns
    square = bars[1] * parts[1] * bars[4] * parts[4]
    if sp.expand(gram.det() - square) != 0:
        return False
    # Unit vectors have a diagonal of ones: then det G is the expression above.
    x, y, z = sp.symbols("x y z")
    x_bar, y_bar, z_bar = sp.symbols("X Y Z")
    unit = sp.Matrix([[1, x, z_bar], [x_bar, 1, y], [z, y_bar, 1]])
    written = 1 + x * y * z + x_bar * y_bar * z_bar - x * x_bar - y * y_bar - z * z_bar
    return sp.expand(unit.det() - written) == 0


def angle_triangle() -> bool:
    """(1-x^2)(1-y^2) - (z-xy)^2 = 1 + 2xyz - x^2 - y^2 - z^2 >= 0, so z >= cos(a+b).

    With x = cos a and y = cos b the left product is (sin a sin b)^2.
    """
    x, y, z = sp.symbols("x y z", nonnegative=True)
    gram = 1 + 2 * x * y * z - x**2 - y**2 - z**2
    identity = sp.expand((1 - x**2) * (1 - y**2) - (z - x * y) ** 2 - gram) == 0
    a, b = sp.symbols("a b", real=True)
    sines = sp.sin(a) * sp.sin(b)
    sum_rule = sp.expand_trig(sp.cos(a + b)) - (sp.cos(a) * sp.cos(b) - sines)
    return identity and sp.expand(sum_rule) == 0


def angles_add() -> bool:
    """A_0 = 0; A_j <= A_{j-1} + A(j-1,j) and A(j-1,j) <= |theta_j|/2: induction."""
    before, step, after, allowed, share = sp.symbols("A_0 A_1 A_2 S w", real=True)
    premises = [before + step - after, share - step, allowed - before]
    return is_combination(premises, [1, 1, 1], allowed + share - after)


def distance_of_kets() -> bool:
    """psi - phi has eigenvalues +-sqrt(1-z^2), z = |<psi|phi>|, so half its norm is it.

    psi = (1, 0) and phi = (z, w) with z^2 + w^2 = 1 in the plane of the two, phases
    taken out.
    """
    z, w, root = sp.symbols("z w root", real=True)
    first = sp.Matrix([[1, 0], [0, 0]])
    second = sp.Matrix([[z**2, z * w], [z * w, w**2]])
    polynomial = (first - second - root * sp.eye(2)).det()
    claim = root**2 - (1 - z**2)
    return sp.expand(sp.rem(sp.expand(polynomial - claim), w**2 + z**2 - 1, w)) == 0


def noise_is_a_test() -> bool:
    """Tr M (K rho L) = Tr (L M K) rho, L = K^dagger: later noise changes the test only.

    And L (I-M) K = LK - LMK, so that the new test is at most sum K^dagger K = I.
    """
    kraus, adjoint, test, state = (
        sp.Matrix(2, 2, sp.symbols(f"{name}1:5")) for name in "kcmr"
    )
    moved = (test * kraus * state * adjoint).trace()
    same = sp.expand(moved - (adjoint * test * kraus * state).trace()) == 0
    rest = adjoint * (sp.eye(2) - test) * kraus
    gap = rest - (adjoint * kraus - adjoint * test * kraus)
    return same and gap.expand() == sp.zeros(2, 2)


def sine_of_the_angle() -> bool:
    """p - a <= sqrt(1-z^2) = sin(arccos z), which grows with the angle up to pi/2."""
    z = sp.Symbol("z", nonnegative=True)
    u = sp.Symbol("u", positive=True)
    written = sp.sin(sp.acos(z)) - sp.sqrt(1 - z**2)
    # sin x - sin y = 2 sin((x-y)/2) cos((x+y)/2) with both angles in [0, pi/2].
    v = sp.Symbol("v", positive=True)
    product = 2 * sp.sin(u / 2) * sp.cos(v + u / 2)
    gap = sp.expand_trig(product.subs(u, 2 * u)) - (sp.sin(v + 2 * u) - sp.sin(v))
    difference, distance, sine, most = sp.symbols("D d_1 s_A s_max", real=True)
    premises = [distance - difference, sine - distance, most - sine]
    chained = is_combination(premises, [1, 1, 1], most - difference)
    return written == 0 and sp.simplify(sp.expand_trig(gap)) == 0 and chained


def ghz_equality() -> bool:
    """(e^{-iS/2} + e^{iS/2})/2 = cos(S/2), S = sum theta_j: p - a = sin(S/2)."""
    angles = sp.symbols("theta1:6", real=True)
    for count in range(1, 6):
        low = high = sp.S.One
        for each in angles[:count]:
            low *= sp.exp(-sp.I * each / 2)
            high *= sp.exp(sp.I * each / 2)
        overlap = (sp.powsimp(low) + sp.powsimp(high)) / 2
        half = sum(angles[:count]) / 2
        claim = (sp.exp(-sp.I * half) + sp.exp(sp.I * half)) / 2
        if sp.simplify(overlap - claim) != 0:
            return False
    euler = (sp.exp(sp.I * theta) + sp.exp(-sp.I * theta)) / 2
    return sp.expand(euler.rewrite(sp.cos)) == sp.cos(theta)


def product_overlap() -> bool:
    """|+>: overlap (e^{-iu} + e^{iu})/2 = cos u; k qubits: sqrt(1 - cos^2k u)."""
    plus = (sp.exp(-sp.I * angle) + sp.exp(sp.I * angle)) / 2
    k = sp.Symbol("k", integer=True, positive=True)
    squared = (sp.cos(angle) ** k) ** 2
    power = sp.powsimp(squared - sp.cos(angle) ** (2 * k)) == 0
    return sp.expand(plus.rewrite(sp.cos)) == sp.cos(angle) and power


OWN = (
    Step("A7.1", "hypothesis", "insert(x) is Rz(theta_1) ... Rz(theta_k) on any qubits "
         "of any state; any noise may follow"),
    Step("A7.2", "symbolic", "|<psi|Rz|psi>|^2 = 1-4q(1-q) sin^2 >= cos^2(theta/2)",
         one_rotation, ("A7.1",)),
    Step("A7.3", "symbolic", "the Gram determinant of three kets is >= 0",
         gram_determinant),
    Step("A7.4", "symbolic", "angles arccos|<.|.>| obey the triangle inequality",
         angle_triangle, ("A7.3",)),
    Step("A7.5", "symbolic", "k rotations move a ket by an angle <= sum |theta_j|/2",
         angles_add, ("A7.2", "A7.4")),
    Step("A7.6", "symbolic", "kets at angle A have half trace distance sin A",
         distance_of_kets),
    Step("A7.7", "symbolic", "mixed states and later noise only restrict the test",
         noise_is_a_test),
    Step("A7.8", "symbolic", "p - a <= sin(min(sum |theta_j|/2, pi/2))",
         sine_of_the_angle, ("A7.5", "A7.6", "A7.7", "L7.1"), concludes=True),
    Step("A7.9", "symbolic", "GHZ states give equality for any k", ghz_equality,
         ("A7.6",)),
    Step("A7.10", "symbolic", "product states reach sqrt(1 - cos^2k(theta/2)) only",
         product_overlap, ("A7.6",)),
    Step("A7.11", "machine-checked", "A7.2 to A7.5 for kets of any finite dimension",
         compiled_by_coq("rotation_overlap_lower", "gram_condition_of_states",
                         "angle_triangle", "path_length", "rotation_bound")),
)  # fmt: skip
"""Steps of proofs/a7.md in order."""

STEPS = with_lemmas(OWN)
