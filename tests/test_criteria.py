"""The page of known answers shows what the committed rows of criteria say, and a rule is what its table says."""

from pathlib import Path

import pandas as pd

from criteria import table

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "results" / "known_answers.md").read_text()


def test_the_page_shows_the_rows():
    for _, part in pd.read_csv(ROOT / "results" / "criteria.csv").groupby("held out"):
        assert table(part) in PAGE


def test_a_rule_takes_the_candidate_that_it_rates_highest():
    rows = pd.DataFrame(
        {
            "world": ["a", "a", "b", "b", "alone"],
            "steps": 10,
            "r": [0.9, 0.5, 0.6, 0.8, 0.1],
            "explained": [0.7, 0.8, 0.7, 0.8, 0.9],  # takes 0.5 and 0.8: a loses 0.4
            "fewer": [0.6, 0.7, 0.8, 0.7, 0.9],  # takes 0.5 and 0.6
            "worth": [0.7, 0.6, 0.7, 0.8, 0.9],  # takes 0.9 and 0.8
            "likelihood": [1.0, 2.0, 2.0, 1.0, 0.0],  # takes 0.5 and 0.6
            "independence": [1.0, 0.0, 1.0, 0.0, 0.0],  # takes 0.9 and 0.6
            "agreement": [1.0, 0.5, float("nan"), 0.5, 0.0],  # is not known of b
        }
    )
    lines = [line.split("|")[2:5] for line in table(rows).splitlines()[2:]]
    numbers = [[cell.strip() for cell in line] for line in lines]
    assert numbers == [
        ["0.900", "0.000", "1"],
        ["0.750", "0.200", "2"],
        ["0.550", "0.400", "2"],
        ["0.650", "0.400", "2"],
        ["0.550", "0.400", "2"],
        ["0.850", "0.000", "2"],
        ["0.700", "", "2"],
    ]
