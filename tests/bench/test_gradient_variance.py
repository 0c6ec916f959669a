"""The table of gradient estimators: products over the least of a row, and the worst."""

from scripts.bench import gradient_variance


def test_rows_are_relative_to_their_best_and_the_worst_is_over_rows():
    rows = [
        {"seed": 0, "products": {"a": (2.0, 0.0), "b": (6.0, 1.0)}},
        {"seed": 1, "products": {"a": (5.0, 0.0), "b": (4.0, 0.0)}},
        {"seed": 2, "products": {"a": (1.0, 0.0)}},
    ]
    lines = gradient_variance.table(rows, ("a", "b"), ("seed",)).splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert cells[0] == ["seed", "a", "b"]
    assert cells[2:] == [
        ["0", "1.00", "3.00 ± 0.50"],
        ["1", "1.25", "1.00"],
        ["2", "1.00", ""],
        ["worst", "1.25", "3.00"],
    ]
