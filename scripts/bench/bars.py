"""What the measurements are held against, as plain data."""

import dataclasses

import pandas as pd

from scripts.bench.sides import SHOTS


@dataclasses.dataclass(frozen=True)
class Bar:
    """A ratio peer / ours of CPU time to reach in one case.

    Args:
        case: Name of the case.
        peers: Families or configurations of which the fastest counts.
        bar: The ratio to reach.
        stretch: The ratio hoped for.
        gives: Of samplers, what they hand out; ours and theirs hand out the same.
    """

    case: str
    peers: tuple[str, ...]
    bar: float
    stretch: float
    gives: str = ""

    def rows(self, rows: pd.DataFrame) -> pd.DataFrame:
        """All that measured the same work."""
        return rows[(rows["case"] == self.case) & (rows["gives"] == self.gives)]


BARS = (
    Bar("W1-n10", ("qulacs",), 1.9, 3),
    Bar("W1-n16", ("tensorcircuit",), 2.5, 4),
    Bar("W1-n20", ("qsim",), 0.9, 1),
    Bar("W1-n22", ("qsim",), 0.6, 1),
    Bar("W1-n24", ("qsim",), 0.9, 1),
    Bar("WR-n16", ("qsim", "lightning"), 0.7, 1),
    Bar("WR-n20", ("qsim", "lightning"), 0.7, 1),
    Bar("W2-n10", ("tensorcircuit",), 2.3, 4),
    Bar("W2-n16", ("lightning",), 3.5, 4),
    Bar("W2-n20", ("lightning",), 2.5, 4),
    Bar("W3G-n6", ("tensorcircuit",), 8, 10),
    Bar("W3G-n8", ("tensorcircuit",), 9, 12),
    Bar("W3PF-n6", ("tensorcircuit",), 2, 4),
    Bar("W3PG-n6", ("tensorcircuit",), 2, 4),
    Bar("W4-big", ("numpy",), 1, 1.5, "counts"),
    Bar("W4-big", ("qulacs",), 4, 6, "indices"),
    Bar("W4-batch", ("numpy",), 1.2, 1.5, "counts"),
    Bar("W4-batch", ("qulacs",), 3.5, 6, "indices"),
    Bar("W5a", ("tensorcircuit",), 4.5, 6),
    Bar("W5b", ("qsim",), 2, 3),
    *(
        Bar(case, peers, bar, stretch)
        for case in ("W6", "W6-s1", "W6-s2")
        for peers, bar, stretch in ((("quimb",), 2.5, 3.5), (("aer",), 1.2, 1.6))
    ),
    Bar("W6G-n64", ("tensorcircuit", "quimb"), 2, 5),
    Bar("W7-d4", ("tensorcircuit",), 2.3, 4),
    Bar("W7-d8", ("tensorcircuit",), 3, 4),
)


@dataclasses.dataclass(frozen=True)
class Limit:
    """A number of our own that must not be exceeded; `column` is where it stands.

    Args:
        case: Name of the case.
        column: Where the number stands.
        label: What it is.
        bar: What it must not exceed.
        stretch: What is hoped for.
        per: Another case, whose number it is divided by.
    """

    case: str
    column: str
    label: str
    bar: float
    stretch: float
    per: str = ""


LIMITS = (
    Limit("W2-n20", "temporaries_mib", "temporaries, MiB", 120, 57),
    Limit("W2-n20", "rss_mib", "resident memory added, MiB", 120, 57),
    Limit("FC-d200", "first_s", "first call, CPU s", 2, 1),
    Limit("W6C-d10", "prepare_s", "trace and compile, CPU s", 10, 4),
    Limit("W6C-d100", "prepare_s", "trace and compile, CPU s", 10, 4),
    Limit("W6C-d100", "prepare_s", "the same / depth 10", 1.5, 1, per="W6C-d10"),
    Limit("W6C-d100", "prepare_s", "the same / depth 20", 1.5, 1, per="W6C-d20"),
)


def work(case: str, gives: str) -> str:
    """What was measured, in words: only rows of the same work are compared."""
    return f"{case}, {gives}" if gives else case


def verdict(measured: float, bar: float, stretch: float, smaller: bool = False) -> str:
    """In words whether a number reaches its bar, or its stretch."""
    if pd.isna(measured):
        return "not measured"
    sign = -1 if smaller else 1
    if sign * measured >= sign * stretch:
        return "stretch"
    return "yes" if sign * measured >= sign * bar else "no"


def fastest(rows: pd.DataFrame, peers: tuple[str, ...] = ()) -> pd.Series | None:
    """The row with the least CPU time among these peers; among all without."""
    theirs = rows[rows["family"] != "qjax"]
    if peers:
        theirs = theirs[theirs["family"].isin(peers) | theirs["side"].isin(peers)]
    theirs = theirs.dropna(subset=["cpu_ms"])
    return None if theirs.empty else theirs.loc[theirs["cpu_ms"].idxmin()]


def ours(rows: pd.DataFrame) -> pd.Series | None:
    """Our own row among rows of the same work."""
    names = ["qjax", *(f"qjax:{shots}" for shots in SHOTS)]
    found = rows[rows["side"].isin(names)]
    return None if found.empty else found.iloc[0]


def number(row: pd.Series | None, column: str) -> float:
    return float("nan") if row is None or row[column] is None else float(row[column])


def ratio_table(rows: pd.DataFrame) -> pd.DataFrame:
    """One line for each bar: the named peer, the ratio, and the strongest of all."""
    lines = []
    for bar in BARS:
        same = bar.rows(rows)
        own = number(ours(same), "cpu_ms")
        named, best = fastest(same, bar.peers), fastest(same)
        ratio = number(named, "cpu_ms") / own
        lines.append(
            {
                "case": work(bar.case, bar.gives),
                "peer": " or ".join(bar.peers) if named is None else named["side"],
                "peer, ms": number(named, "cpu_ms"),
                "qjax, ms": own,
                "ratio": ratio,
                "bar": bar.bar,
                "stretch": bar.stretch,
                "met": verdict(ratio, bar.bar, bar.stretch),
                "fastest peer of all": "" if best is None else best["side"],
                "its ratio": number(best, "cpu_ms") / own,
            }
        )
    return pd.DataFrame(lines)


def limit_table(rows: pd.DataFrame) -> pd.DataFrame:
    """One line for each limit on a number of our own."""
    lines = []
    for limit in LIMITS:
        measured = number(ours(rows[rows["case"] == limit.case]), limit.column)
        if limit.per:
            measured /= number(ours(rows[rows["case"] == limit.per]), limit.column)
        lines.append(
            {
                "case": limit.case,
                "quantity": limit.label,
                "measured": measured,
                "bar": limit.bar,
                "stretch": limit.stretch,
                "met": verdict(measured, limit.bar, limit.stretch, smaller=True),
            }
        )
    return pd.DataFrame(lines)
