"""From class to decision: what to do first, what a gap costs, and what was expected beforehand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table
from helpers.models import resampling
from helpers.models.kano import coefficients, rules
from helpers.models.kano.budget import choose_under_budget
from helpers.models.kano.choice import drawn_customers, left_out, three_stage_choice
from helpers.models.kano.evaluation import CLASSES

from ..letters import WORDS
from ..measurement import Measurement


def priorities(result: Measurement) -> Table:
    """What to do first: every must-be, then the most satisfaction for the money."""
    settings = result.settings
    gain = coefficients.better(result.everyone) - coefficients.worse(result.everyone)
    frame = pd.DataFrame({"requirement": result.requirements, "gain": gain})
    frame["class"] = [CLASSES[number] if number >= 0 else "" for number in result.classes]
    frame["cost"] = [settings.costs.get(requirement, np.nan) for requirement in result.requirements]
    wanted = np.isin(frame["class"], ["M", "O", "A"])
    order = frame["class"].map({"M": 0, "O": 1, "A": 2}).fillna(3)
    frame["stage"] = (
        frame["class"]
        .map({"M": "basic standard: meet it", "O": "differentiate: the more the better", "A": "delight: choose some"})
        .fillna("leave it")
    )
    chosen = _chosen(result, frame, wanted)
    frame["chosen"], frame["reason"] = chosen
    frame = frame.assign(order=order).sort_values(["order", "gain"], ascending=[True, False], ignore_index=True)
    columns = {
        "requirement": Column("Requirement"),
        "class": Column("Most frequent class", names=WORDS),
        "stage": Column("What the sources advise"),
        "gain": Column("Better less Worse", digits=2),
        "cost": Column("Cost", digits=0),
        "reason": Column("Within the budget"),
    }
    caption = (
        "Must-be is the basic standard, one-dimensional is where firms differ, attractive is the direction to grow in."
    )
    if settings.costs:
        caption += f" Under a budget of {settings.budget:g}: every must-be first, then the best sum of gains (exact)."
    return Table("priorities", frame.drop(columns="order"), caption, columns)


def _chosen(result: Measurement, frame: pd.DataFrame, wanted: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return what is chosen under the budget and why; nothing is said where no costs are given."""
    if not result.settings.costs:
        return np.zeros(len(frame), bool), [""] * len(frame)
    known = wanted & frame["cost"].notna().to_numpy() & np.isfinite(frame["gain"].to_numpy(float))
    chosen = np.zeros(len(frame), bool)
    unpaid = np.zeros(len(frame), bool)
    if known.any():
        rows = frame[known]
        found = choose_under_budget(
            rows["cost"].to_numpy(float),
            result.classes[known],
            rows["gain"].to_numpy(float),
            result.settings.budget,
        )
        chosen[known], unpaid[known] = found.chosen, found.unpaid_must_be
    reasons = np.select(
        [chosen, unpaid, ~wanted, ~known],
        ["chosen", "a must-be that the budget cannot pay", "not wanted by most", "no cost given"],
        "beyond the budget",
    )
    return chosen, reasons.tolist()


def priors(result: Measurement) -> Table:
    """Whether the classes that someone expected are those that were measured."""
    expected = result.settings.prior_classes
    if not expected:
        return Table.nothing("priors", "No classes were expected beforehand (prior_classes).")
    places = [result.requirements.index(requirement) for requirement in expected]
    verdicts = rules.prior_verdict(
        result.everyone[places],
        [CLASSES.index(letter) for letter in expected.values()],
        result.clear[places],
        result.settings.significance,
    )
    measured = rules.labels(rules.by_mode(result.everyone[places]))
    frame = pd.DataFrame(
        {"requirement": list(expected), "expected": list(expected.values()), "measured": measured, "verdict": verdicts}
    )
    columns = {
        "requirement": Column("Requirement"),
        "expected": Column("Expected", names=WORDS),
        "measured": Column("Most frequent", names=WORDS),
        "verdict": Column("Verdict"),
    }
    caption = (
        "Expected classes against measured ones: confirmed where the expected class is the most frequent and clear, "
        "denied where another is surely more frequent (exact binomial test)."
    )
    return Table("priors", frame, caption, columns)


def choice(result: Measurement) -> Table:
    """What it costs an offer to leave one requirement out: in the screen, in the comparison, and afterwards."""
    settings = result.settings
    found = left_out(result.everyone, sharpness=settings.sharpness)
    drawn = left_out(result.draws, sharpness=settings.sharpness)
    low, high = resampling.percentile(drawn.total)
    frame = pd.DataFrame(
        {
            "requirement": result.requirements,
            "class": [CLASSES[number] if number >= 0 else "" for number in result.classes],
            "screened": found.screened,
            "weighed": found.weighed,
            "lost": found.total,
            "low": low,
            "high": high,
            "delight_lost": found.delight_lost,
        }
    )
    frame = frame.sort_values("lost", ascending=False, kind="stable", ignore_index=True)
    columns = {
        "requirement": Column("Left out"),
        "class": Column("Most frequent class", names=WORDS),
        "screened": Column("Lost in the screen", digits=1, percent=True),
        "weighed": Column("Lost in the comparison", digits=1, percent=True),
        "lost": Column("Lost in all", digits=1, percent=True),
        "low": Column("95 % low", digits=1, percent=True),
        "high": Column("95 % high", digits=1, percent=True),
        "delight_lost": Column("Kept, but not delighted", digits=1, percent=True),
    }
    caption = (
        "A simulation of choice in three stages, as the sources describe it: an offer that lacks one requirement "
        "against a "
        "rival that has them all, in shares of all choices (without the gap each has 50 %). To whom it is a must-be "
        "excludes the offer; to whom it is one-dimensional weighs it "
        f"(with odds of e^{settings.sharpness:g} to 1); to whom it is attractive finds out after the purchase. "
        "No choices were observed."
    )
    return Table("choice", frame, caption, columns)


def offers(result: Measurement) -> Table:
    """What each of the offers that were described gets of the choices."""
    described = result.settings.offers
    if not described:
        return Table.nothing("offers", "No offers are described (offers), so none are set against each other.")
    table = np.array(
        [[_met(offer, requirement) for requirement in result.requirements] for offer in described.values()]
    )
    if result.answers is None:
        customers = drawn_customers(result.everyone, seed=result.settings.seed)
        low = high = np.full(len(described), np.nan)
    else:
        customers = result.answers.classes
        size, seed = result.settings.bootstrap_resamples, result.settings.seed
        blocks = resampling.resampled_counts(len(customers), size, seed)
        low, high = resampling.percentile(
            np.concatenate([_shares(result, table, customers, block) for block in blocks])
        )
    found = three_stage_choice(table, customers, sharpness=result.settings.sharpness)
    frame = pd.DataFrame(
        {
            "offer": list(described),
            "survives": found.survives,
            "chosen": found.chosen,
            "low": low,
            "high": high,
            "without_screen": found.without_screen,
            "one_dimensional_met": found.proportional,
            "delight": found.delight,
        }
    )
    columns = {
        "offer": Column("Offer"),
        "survives": Column("Not excluded by", digits=1, percent=True),
        "chosen": Column("Chosen by", digits=1, percent=True),
        "low": Column("95 % low", digits=1, percent=True),
        "high": Column("95 % high", digits=1, percent=True),
        "without_screen": Column("Chosen if nothing were excluded", digits=1, percent=True),
        "one_dimensional_met": Column("One-dimensional met, of its choosers", digits=0, percent=True),
        "delight": Column("Attractive met, of its choosers", digits=0, percent=True),
    }
    drawn = "Counts do not say who gave which answers together: customers are drawn, without intervals."
    alone = "" if result.answers else f" {drawn}"
    caption = (
        "Offers against each other in the same three stages: screened on must-be, chosen on one-dimensional, and "
        f"judged on attractive requirements afterwards. {100 * float(found.nothing_left):.1f} % of customers exclude "
        f"every offer.{alone}"
    )
    return Table("offers", frame, caption, columns)


def _met(offer, requirement: str) -> float:
    """Return how far an offer meets a requirement: a list names what is met, a mapping says how far."""
    return float(offer.get(requirement, 0)) if isinstance(offer, dict) else float(requirement in offer)


def _shares(result: Measurement, table: np.ndarray, customers: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return three_stage_choice(table, customers, weights, sharpness=result.settings.sharpness).chosen
