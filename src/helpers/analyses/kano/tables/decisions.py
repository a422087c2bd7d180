"""From class to decision: what to do first, what a gap costs, and what was expected beforehand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.exhibits import Column, Table, listed, percent
from helpers.models import resampling
from helpers.models.kano import coefficients, rules
from helpers.models.kano.budget import choose_under_budget
from helpers.models.kano.choice import ACCEPTABLE, drawn_customers, left_out, three_stage_choice
from helpers.models.kano.evaluation import CLASSES, MISSING

from ..letters import WORDS
from ..measurement import Measurement
from .evidence import FEWEST_ANSWERS, few, interval, with_reason
from .pooled import EVERYONE, Pooled

STAGES = {
    "M": "basic standard: meet it",
    "O": "differentiate: the more the better",
    "A": "delight: choose some",
    "I": "leave it",
    "R": "remove it",
    "Q": "ask again: not understood",
    "": "too few answers",
}
UNWANTED = {
    "I": "most often indifferent",
    "R": "most often unwanted: remove it",
    "Q": "not understood",
    "": "too few answers",
}


def priorities(result: Measurement, hidden: Pooled) -> Table:
    """What to do first: every must-be, then the most satisfaction for the money."""
    settings = result.settings
    gain = coefficients.better(hidden.counts) - coefficients.worse(hidden.counts)
    frame = pd.DataFrame({"requirement": result.requirements, "gain": gain})
    frame["class"] = _letters(hidden.classes)
    frame["class_from"], frame["tie"] = hidden.sources, hidden.ties
    frame["waves"], frame["segments"] = hidden.waves, hidden.segments
    frame["cost"] = [settings.costs.get(requirement, np.nan) for requirement in result.requirements]
    frame["stage"] = frame["class"].map(STAGES)
    frame["chosen"], frame["reason"] = _chosen(settings, frame, hidden.classes)
    order = frame["class"].map({"M": 0, "O": 1, "A": 2}).fillna(3)
    frame = frame.assign(order=order).sort_values(["order", "gain"], ascending=[True, False], ignore_index=True)
    columns = {
        "requirement": Column("Requirement"),
        "class": Column("Class", names=WORDS),
        "class_from": Column("Most frequent class of"),
        "tie": Column("Of a tie"),
        "segments": Column("But by segment"),
        "stage": Column("What the sources advise"),
        "gain": Column("Better less Worse", digits=2),
        "cost": Column("Cost", digits=0),
        "reason": Column("Within the budget"),
    }
    unused = [
        *(name for name in ("tie", "segments") if not frame[name].any()),
        *(() if settings.costs else ["cost"]),
        *(() if has_budget(settings) else ["reason"]),
    ]
    columns = {name: column for name, column in columns.items() if name not in unused}
    return Table("priorities", frame.drop(columns="order"), _priorities_caption(result, frame), columns)


def has_budget(settings) -> bool:
    """Tell whether a choice under a budget is asked for: both costs and a budget are given."""
    return bool(settings.costs) and settings.budget > 0


def unpriced(frame: pd.DataFrame) -> list[str]:
    """Return the must-be requirements without a cost."""
    return frame[(frame["class"] == "M") & frame["cost"].isna()]["requirement"].tolist()


def _priorities_caption(result: Measurement, frame: pd.DataFrame) -> str:
    settings = result.settings
    parts = [
        "Must-be is the basic standard, one-dimensional is where firms differ, attractive is the direction to grow in."
    ]
    if (frame["class_from"] != EVERYONE).any():
        parts.append("Where waves surely moved a requirement, class, Better and Worse are those of the newest wave.")
    if frame["tie"].any():
        parts.append("Where classes tie M comes before O, A and I: a must-be overlooked costs most.")
    if not has_budget(settings):
        return " ".join(parts)
    parts.append(f"Under a budget of {settings.budget:g}: every must-be first, then the best sum of gains (exact).")
    if unpriced(frame):
        parts.append(f"Without a cost, and so not in it: the must-be {listed(unpriced(frame))}.")
    return " ".join(parts)


def _chosen(settings, frame: pd.DataFrame, classes: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return what is chosen under the budget and why; nothing is said where no costs or no budget are given."""
    if not has_budget(settings):
        return np.zeros(len(frame), bool), [""] * len(frame)
    wanted = frame["class"].isin(["M", "O", "A"]).to_numpy()
    known = wanted & frame["cost"].notna().to_numpy() & np.isfinite(frame["gain"].to_numpy(float))
    chosen = np.zeros(len(frame), bool)
    unpaid = np.zeros(len(frame), bool)
    if known.any():
        rows = frame[known]
        cost, gain = (rows[name].to_numpy(float) for name in ("cost", "gain"))
        found = choose_under_budget(cost, classes[known], gain, settings.budget)
        chosen[known], unpaid[known] = found.chosen, found.unpaid_must_be
    reasons = np.select(
        [chosen, unpaid, ~wanted, ~known & (frame["class"] == "M"), ~known],
        [
            "chosen",
            "a must-be that the budget cannot pay",
            frame["class"].map(UNWANTED).fillna(""),
            "a must-be without a cost",
            "no cost given",
        ],
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
    drawn = left_out(result.draws, sharpness=settings.sharpness).total
    low, high = interval(drawn, few(result.everyone))
    # what too few answered is not set at the top
    order = np.lexsort((-np.nan_to_num(found.total), few(result.everyone)))
    frame = pd.DataFrame(
        {
            "requirement": result.requirements,
            "class": _letters(result.classes),
            "screened": found.screened,
            "weighed": found.weighed,
            "lost": found.total,
            "low": low,
            "high": high,
            "above_first": _above(result, drawn, order[0]),
            "delight_lost": found.delight_lost,
        }
    ).iloc[order]
    columns = {
        "requirement": Column("Left out"),
        "class": Column("Most frequent class", names=WORDS),
        "screened": Column("Lost in the screen", digits=1, percent=True),
        "weighed": Column("Lost in the comparison", digits=1, percent=True),
        "lost": Column("Lost in all", digits=1, percent=True),
        "low": Column("95 % low", digits=1, percent=True),
        "high": Column("95 % high", digits=1, percent=True),
        "above_first": Column("Resamples in which it costs more than the first", digits=0, percent=True),
        "delight_lost": Column("Kept, but not delighted", digits=1, percent=True),
    }
    caption = (
        "A simulation of choice in three stages, as the sources describe it: an offer that lacks one requirement "
        "against a rival that has them all, in points of all choices (without the gap each has 50 %). To whom it is a "
        "must-be excludes the offer; to whom it is one-dimensional weighs it "
        f"(with odds of e^{settings.sharpness:g} to 1); to whom it is attractive finds out after the purchase. "
        "All answers count, of whatever segment or wave. No choices were observed."
    )
    if result.answers is None:
        caption += " Counts do not say who gave which answers together: requirements are compared as if independent."
    return Table("choice", frame.reset_index(drop=True), with_reason(caption, low), columns)


def _above(result: Measurement, drawn: np.ndarray, first: int) -> np.ndarray:
    """Return in which share of resamples each costs more than the first; ties count half, of the first it is nan."""
    top, too_few = drawn[:, first], few(result.everyone)
    if result.answers is None:
        # counts are drawn for each requirement from the same seed: only in another order are draws independent
        top = np.random.default_rng(result.settings.seed).permutation(top)
    share = ((drawn > top[:, None]) + 0.5 * (drawn == top[:, None])).mean(axis=0)
    share[too_few | too_few[first]] = np.nan
    share[first] = np.nan
    return share


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
        blocks = resampling.resampled_counts(len(customers), size, seed, clusters=result.answers.people)
        drawn = np.concatenate([_shares(result, table, customers, block) for block in blocks])
        low, high = interval(drawn, len(customers) < FEWEST_ANSWERS)
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
        f"judged on attractive requirements afterwards. {percent(float(found.nothing_left))} of customers exclude "
        "every offer. What an offer does not list counts as missing (0); a must-be counts as met from a fulfilment of "
        f"{ACCEPTABLE:g}.{alone}"
    )
    return Table("offers", frame, with_reason(caption, [] if result.answers is None else low), columns)


def _met(offer, requirement: str) -> float:
    """Return how far an offer meets a requirement: a list names what is met, a mapping says how far."""
    return float(offer.get(requirement, 0)) if isinstance(offer, dict) else float(requirement in offer)


def _letters(places: np.ndarray) -> list[str]:
    return [CLASSES[place] if place != MISSING else "" for place in places]


def _shares(result: Measurement, table: np.ndarray, customers: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return three_stage_choice(table, customers, weights, sharpness=result.settings.sharpness).chosen
