"""Published theorems that are trusted, each with its citation."""

from qjax.bounds.bound import Step

STEPS = (
    Step("X1", "axiom", "strong subadditivity of von Neumann entropy",
         source="E. H. Lieb and M. B. Ruskai, J. Math. Phys. 14, 1938 (1973)"),
    Step("X2", "axiom", "relative entropy does not grow under channels",
         source="G. Lindblad, Commun. Math. Phys. 40, 147 (1975)"),
    Step("X3", "axiom", "chi of m uses of a unital qubit channel is m times one's",
         source="C. King, J. Math. Phys. 43, 4641 (2002); for depolarizing noise "
         "IEEE Trans. Inf. Theory 49, 221 (2003)"),
    Step("X4", "axiom", "one-qubit depolarizing noise on every qubit contracts the "
         "divergence from the maximally mixed state by lambda^2",
         source="M. J. Kastoryano and K. Temme, J. Math. Phys. 54, 052202 (2013), from "
         "the hypercontractivity of A. Montanaro and T. J. Osborne, Chicago J. Theor. "
         "Comput. Sci. 2010, and C. King, Commun. Math. Phys. 328, 285 (2014)"),
    Step("X5", "axiom", "entanglement-assisted capacity is the largest mutual "
         "information of one use, and it is additive",
         source="C. H. Bennett, P. W. Shor, J. A. Smolin and A. V. Thapliyal, IEEE "
         "Trans. Inf. Theory 48, 2637 (2002)"),
    Step("X6", "axiom", "codes reach the Holevo information of a channel",
         source="A. S. Holevo, IEEE Trans. Inf. Theory 44, 269 (1998); B. Schumacher "
         "and M. D. Westmoreland, Phys. Rev. A 56, 131 (1997)"),
    Step("X7", "axiom", "quantum Cramer-Rao inequality",
         source="C. W. Helstrom, Quantum Detection and Estimation Theory (1976); "
         "S. L. Braunstein and C. M. Caves, Phys. Rev. Lett. 72, 3439 (1994)"),
    Step("X8", "axiom", "Pinsker's inequality for quantum states: "
         "||rho - sigma||_1^2 <= 2 ln 2 D(rho||sigma)",
         source="M. Ohya and D. Petz, Quantum Entropy and Its Use (1993), thm. 1.15"),
    Step("X9", "axiom", "classical filters with n log(1/alpha) + O(n) bits and a "
         "factor 1 + o(1) exist",
         source="A. Pagh, R. Pagh and S. S. Rao, Proc. SODA 2005, 823"),
)  # fmt: skip
"""Steps of proofs/lemmas/axioms.md."""
