"""The figures of the referral-value report: what they say, that nothing hides anything, and money of any size."""

import warnings
from functools import cache
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some
from matplotlib import colors, pyplot
from matplotlib.cbook import is_math_text
from matplotlib.text import Text

from helpers.analyses.drawing import INK
from helpers.analyses.referral_value import figures
from helpers.analyses.referral_value.figures.parts import COLOURS, ENGLISH, LIFETIME, REFERRAL, WORDS, Money
from helpers.analyses.referral_value.figures.waterfalls import SHADES
from helpers.models.referral_value.classes import CLASSES, HIGH
from helpers.reporting.theme import render
from tests.test_kano_figures import VISION, assert_nothing_hidden, drawn_of, lab, words_of

HOSTILE = "$_x{ $"
NAN = np.nan


def matrix(scale: float = 1.0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "class": CLASSES,
            "customers": [250, 200, 150, 400],
            "share": [0.25, 0.2, 0.15, 0.4],
            "low": [0.22, 0.18, 0.13, 0.37],
            "high": [0.28, 0.22, 0.17, 0.43],
            "mean_lifetime_value": scale * np.array([1219.0, 870, 180, -13.4]),
            "mean_referral_value": scale * np.array([-4.2, 590, 670, 3]),
            "share_of_value": [0.47, 0.36, 0.21, -0.04],
        }
    )


def deciles(scale: float = 1.0) -> pd.DataFrame:
    net = [40, 52, 90, 350, 430, 620, 470, 96, 65, -46]
    values = {
        "lifetime_value": 1900 / np.arange(1, 11),
        "referral_net": np.array(net),
        "referral_gross": 60.0 + np.array(net),
    }
    parts = [
        pd.DataFrame({"decile": range(1, 11), "measure": name, "mean": scale * each}) for name, each in values.items()
    ]
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(low=frame["mean"] - 40 * scale, high=frame["mean"] + 60 * scale)


def by_type(scale: float = 1.0) -> pd.DataFrame:
    share = np.linspace(0, 1, 21)
    frame = pd.DataFrame({"probability": share, "referral_value": scale * (60 + 500 * share)})
    frame["low"], frame["high"] = frame.referral_value - 20 * scale, frame.referral_value + 30 * scale
    return frame.assign(lifetime_value=410.0 * scale, is_assumed=np.isclose(share, 0.5))


def steps_of_the_firm(scale: float = 1.0) -> pd.DataFrame:
    steps = {
        "Lifetime values": (2130.0, "total"),
        "Acquisition saved by referrals": (94.0, "adds"),
        "Incentives paid": (32.0, "takes"),
        "Total value": (2192.0, "total"),
        "Adding both values would count twice": (510.0, "memo"),
    }
    return pd.DataFrame([(step, scale * amount, kind) for step, (amount, kind) in steps.items()], columns=STEP)


STEP = ["step", "amount", "kind"]


def steps_of_referrals(scale: float = 1.0) -> pd.DataFrame:
    steps = {
        "Margin of those brought": (800.0, "adds"),
        "Incentives": (45.0, "takes"),
        "Marketing for them": (60.0, "takes"),
        "Acquisition saved": (90.0, "adds"),
        "Net referral value": (785.0, "total"),
        "Gross, as the sources have it": (1300.0, "memo"),
    }
    return pd.DataFrame([(step, scale * amount, kind) for step, (amount, kind) in steps.items()], columns=STEP)


def tops() -> pd.DataFrame:
    columns = {"overlap": [0.012, 0.13, 0.31], "low": [0.004, 0.1, 0.28], "high": [0.03, 0.16, 0.34]}
    return pd.DataFrame({"top": [0.05, 0.1, 0.2]} | columns | {"expected": [0.05, 0.1, 0.2]})


def firmness() -> pd.DataFrame:
    columns = {"certain": [0.93, 0.41, 0.62, 0.055], "mean_probability": [0.97, 0.83, 0.88, 0.6]}
    return pd.DataFrame({"class": CLASSES[::-1]} | columns | {"customers": [400, 150, 200, 250]})


def moved() -> pd.DataFrame:
    steps = [-0.1, -0.05, 0.05, 0.1]
    changed = {"lifetime_value": [0.099, 0.05, 0.05, 0.1], "referral_value": [0.0, 0, 0.048, 0.097]}
    parts = [pd.DataFrame({"value": name, "step": steps, "changed": each}) for name, each in changed.items()]
    return pd.concat(parts, ignore_index=True)


def measures(scale: float = 1.0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "class": ["affluents", "advocates", "misers", "together"],
            "net": scale * np.array([26400.0, 8100, -3900, 30600]),
            "net_low": scale * np.array([9000.0, -2000, -6000, 11000]),
            "net_high": scale * np.array([51000.0, 21000, 900, 57000]),
            "return_on_campaign": [5.4, 2.1, -0.7, 2.9],
            "return_on_campaign_low": [2.0, -0.4, -1, 1.1],
            "return_on_campaign_high": [9.0, 6, 0.2, 5.3],
            "response": [0.05, 0.05, 0.02, NAN],
            "break_even_response": [0.011, -0.2, np.inf, NAN],
        }
    )


def movers() -> pd.DataFrame:
    rows = [
        ("misers", "advocates", 10.0),
        ("affluents", "champions", 60.0),
        ("misers", "affluents", 10.0),
        ("advocates", "champions", 40.0),
        ("misers", "champions", 5.0),
        ("misers", "misers", 5000.0),
        ("champions", "champions", 3000.0),
    ]
    return pd.DataFrame(rows, columns=["source", "target", "customers"])


def forest(depth: int = 4) -> pd.DataFrame:
    brought = 1000 // np.arange(1, depth + 1) ** 2
    return pd.DataFrame({"generation": range(1, depth + 1), "customers": brought, "share": brought / brought.sum()})


EQUAL = (0.7, 0.62, 0.78)


@cache
def every(currency: str = "EUR", scale: float = 1.0, rows: int | None = None) -> dict:
    """Return every figure, drawn from the first rows of its frame."""
    cut = slice(rows)
    money = {"currency": currency}
    found = [
        figures.class_matrix(matrix(scale)[cut], **money),
        figures.value_by_decile(deciles(scale)[cut], **money),
        figures.type_sensitivity(by_type(scale)[cut], EQUAL, **money),
        figures.firm_total(steps_of_the_firm(scale)[cut], **money),
        figures.referral_parts(steps_of_referrals(scale)[cut], **money),
        figures.overlap(tops()[cut]),
        figures.class_stability(firmness()[cut]),
        figures.moved_cuts(moved()[cut]),
        figures.campaign(measures(scale)[cut], **money),
        figures.migration(movers()[cut]),
        figures.generations(forest()[cut]),
    ]
    return {figure.name: figure for figure in found}


NAMES = list(every())
OF_MONEY = ["class_matrix", "value_by_decile", "type_sensitivity", "firm_total", "referral_parts", "campaign"]
OF_CLASSES = ["class_matrix", "class_stability", "campaign", "migration"]


@cache
def shown(name: str):
    """Return one of the figures, drawn once for all tests that only look at it."""
    return drawn_of(every()[name])


def told(figure) -> str:
    return figure.alt.replace("\N{NO-BREAK SPACE}", " ")


def hexes(values) -> list[str]:
    return [colors.to_hex(value).upper() for value in values]


def texts(drawn) -> list[str]:
    return [" ".join(text.split()) for text, _ in words_of(drawn)]


def test_there_is_a_test_for_every_figure():
    assert sorted(set(NAMES)) == sorted(figures.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_figure_draws_without_a_warning(name):
    figure = every("元")[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        render(figure)
    assert figure.columns and set(figure.columns) <= set(figure.frame.columns)
    assert "nan" not in figure.alt and "–" not in figure.alt and figure.alt.endswith(".")
    assert ("元" in figure.alt) == (name in OF_MONEY)


@pytest.mark.parametrize("name", OF_MONEY)
def test_dollar_signs_of_a_currency_are_no_formula(name):
    figure = every(HOSTILE)[name]
    found = [text.get_text() for text in drawn_of(figure).findobj(Text)]
    assert not any(map(is_math_text, found))
    assert any(HOSTILE.replace("$", r"\$") in text for text in found) and HOSTILE in figure.alt


def test_where_no_font_has_the_letters_latin_ones_are_drawn(monkeypatch):
    monkeypatch.setattr("helpers.reporting.theme.cjk_family", list)
    remark = render(every()["migration"]).remark
    assert "English labels are drawn" in remark
    assert "stands for" not in remark, "every name has its Latin letters"
    assert all(every()[name].english == ENGLISH for name in OF_CLASSES)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_to_draw_gives_a_sentence(name):
    why = pd.DataFrame({"reason": ["there are no referrals"]})
    for figure in (every(rows=0)[name], _drawn_from(why, name)):
        assert figure.draw is None
        assert figure.alt.endswith(".") and len(figure.alt) > 20


def _drawn_from(frame: pd.DataFrame, name: str):
    places = (frame, EQUAL) if name == "type_sensitivity" else (frame,)
    return getattr(figures, name)(*places, **({"currency": "EUR"} if name in OF_MONEY else {}))


@pytest.mark.parametrize("name", NAMES)
def test_no_text_lies_on_another_or_leaves_the_figure(name):
    assert_nothing_hidden(shown(name))


@pytest.mark.parametrize("scale", [1e-5, 1e6])
@pytest.mark.parametrize("name", OF_MONEY)
def test_nor_does_it_with_tiny_or_huge_amounts(name, scale):
    assert_nothing_hidden(drawn_of(every("a currency of long name", scale)[name]))


@pytest.mark.parametrize("name", NAMES)
def test_numbers_that_are_not_known_leave_their_place_empty(name):
    frame = every()[name].frame
    unknown = [
        each for each in frame if each.endswith(("low", "high")) or each in ("expected", "mean_probability", "share")
    ]
    known = frame.assign(**{each: NAN for each in unknown if name != "class_matrix" or each != "share"})
    figure = _drawn_from(known, name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = drawn_of(figure)
    assert "nan" not in figure.alt and not any("nan" in text for text in texts(drawn))


@pytest.mark.parametrize("name", OF_MONEY)
def test_all_amounts_are_0(name):
    figure = every(scale=0.0)[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn_of(figure)


# --- money and colours -----------------------------------------------------------------------------------


@given(some.floats(0.01, 1e12), some.sampled_from([1, -1]))
def test_an_amount_is_written_to_three_figures(amount, sign):
    money = Money.of("EUR", sign * amount)
    text = money.text(sign * amount).replace(",", "").replace("\N{MINUS SIGN}", "-")
    assert float(text) * money.divisor == pytest.approx(sign * amount, rel=0.0051)
    assert len(text) <= 8


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "0 EUR"),
        (0.01234, "0.0123 EUR"),
        (-13.4, "\N{MINUS SIGN}13.4 EUR"),
        (123456, "123,456 EUR"),
        (1e6, "1.00 million EUR"),
        (1.23e9, "1.23 billion EUR"),
    ],
)
def test_amounts_in_words(amount, words):
    assert Money.of("EUR").told(amount) == words


def test_what_is_small_beside_the_rest_does_not_read_as_nothing():
    money = Money.of("EUR", 5e6)
    assert [money.text(amount) for amount in (0, 1, -1)] == ["0.00", "about 0", "about 0"]


@pytest.mark.parametrize("top", [0.013, 0.9, 7.0, 410.0, 99_999.0, 2.3e6, 1e9])
def test_numbers_of_an_axis_are_exact_and_in_its_unit(top):
    figure, axes = pyplot.subplots()
    axes.set_xlim(0, top)
    money = Money.of("EUR", top)
    money.rule(axes.xaxis)
    figure.canvas.draw()
    labels = [float(label.get_text().replace(",", "")) for label in axes.get_xticklabels()]
    pyplot.close(figure)
    assert len(labels) > 2
    assert np.array(labels) * money.divisor == pytest.approx(axes.get_xticks(), rel=1e-9)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(
    "palette", [COLOURS.values(), SHADES.values(), (LIFETIME, REFERRAL)], ids=["classes", "steps", "values"]
)
def test_colours_are_told_apart_by_any_eye(palette, vision):
    seen = [lab(colour, VISION[vision]) for colour in palette]
    assert min(np.linalg.norm(one - other) for one, other in combinations(seen, 2)) > 15


def test_nothing_else_has_the_colour_of_a_class():
    others = {*SHADES.values(), LIFETIME, REFERRAL, INK}
    assert not set(hexes(COLOURS.values())) & set(hexes(others))


# --- classes ---------------------------------------------------------------------------------------------


def squares(drawn) -> dict[str, object]:
    names = dict(zip(hexes(COLOURS.values()), COLOURS, strict=True))
    opaque = [patch for patch in drawn.axes[0].patches if patch.get_alpha() is None]
    return {names[hexes([patch.get_facecolor()])[0]]: patch for patch in opaque}


def test_each_class_stands_where_its_values_are_and_its_square_is_its_share():
    drawn = shown("class_matrix")
    axes, found = drawn.axes[0], squares(drawn)
    middle = np.array([np.mean(axes.get_xlim()), np.mean(axes.get_ylim())])
    for each, square in found.items():
        lower = np.array(square.get_xy())
        centre = lower + square.get_width() / 2
        assert tuple(centre > middle) == HIGH[each]
        (word,) = [text for text in axes.texts if text.get_text().startswith(WORDS[each])]
        box = word.get_window_extent().transformed(axes.transData.inverted())
        assert tuple(np.array([(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2]) > middle) == HIGH[each]
    area = {each: square.get_width() * square.get_height() for each, square in found.items()}
    shares = matrix().set_index("class").share
    assert [area[each] / area["misers"] for each in CLASSES] == pytest.approx(list(shares[list(CLASSES)] / 0.4))
    pixel = axes.transData.transform([(0, 0), (1, 1)])
    assert np.ptp(pixel[:, 0]) == pytest.approx(np.ptp(pixel[:, 1])), "a square is seen as one"


def test_classes_are_told_with_their_numbers():
    said = told(every()["class_matrix"])
    assert (
        "Affluents (high lifetime, low referral value): 25.0 % (95 % interval 22.0 to 28.0) of customers, share of "
        "total value 47.0 %, mean lifetime value 1,219 EUR, mean referral value \N{MINUS SIGN}4.20 EUR."
    ) in said


def test_classes_that_are_suppressed_or_empty_say_so():
    frame = matrix()
    columns = frame.columns.drop("class")
    frame.loc[0, columns] = NAN
    frame.loc[1, columns] = [0, 0, 0, 0.01, NAN, NAN, NAN]
    frame.loc[2, "share_of_value"] = NAN
    for each in (frame, frame.astype(object).where(frame.notna(), None)):
        figure = figures.class_matrix(each, currency="EUR")
        drawn = drawn_of(figure)
        assert [name for name, square in squares(drawn).items() if square.get_width()] == ["advocates", "misers"]
        assert {"not shown", "no customers"} <= set(texts(drawn))
        assert "Affluents (high lifetime, low referral value): not shown." in figure.alt
        assert "Champions (high lifetime, high referral value): no customers." in figure.alt
        assert "share of total value not shown" in figure.alt and "nan" not in figure.alt


def test_firmness_is_drawn_by_class_in_one_order():
    axes = shown("class_stability").axes[0]
    assert hexes(bar.get_facecolor() for bar in axes.patches) == hexes(COLOURS[each] for each in CLASSES)
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([5.5, 62, 41, 93])
    (dots,) = [line for line in axes.lines if line.get_marker() == "D"]
    assert dots.get_xdata() == pytest.approx([60, 88, 83, 97])
    assert "Champions 62.0 % of 200 customers, mean probability 88.0 %" in told(every()["class_stability"])


def test_class_whose_firmness_is_suppressed_keeps_its_row():
    frame = firmness()
    frame.loc[1, ["certain", "mean_probability", "customers"]] = NAN
    frame.loc[2, ["certain", "mean_probability", "customers"]] = [NAN, NAN, 0]
    figure = figures.class_stability(frame)
    drawn = drawn_of(figure)
    assert "Advocates not shown" in figure.alt and "Champions no customers" in figure.alt
    assert {"not shown", "no customers"} <= set(texts(drawn)) and len(drawn.axes[0].patches) == 4


def test_a_cut_that_stays_changes_nobody():
    axes = shown("moved_cuts").axes[0]
    for way in [line for line in axes.lines if line.get_linestyle() == "-" and len(line.get_xdata()) == 5]:
        assert list(way.get_xdata()) == pytest.approx([-10, -5, 0, 5, 10]) and way.get_ydata()[2] == 0
    assert "lifetime value 9.9 % at \N{MINUS SIGN}10" in told(every()["moved_cuts"])


# --- both values -----------------------------------------------------------------------------------------


def test_each_decile_has_its_means_and_intervals():
    axes, frame = shown("value_by_decile").axes[0], deciles()
    ways = [line for line in axes.lines if len(line.get_xdata()) == 10]
    for way, bars, (measure, rows) in zip(ways, axes.collections, frame.groupby("measure", sort=False), strict=True):
        assert way.get_ydata() == pytest.approx(rows["mean"].to_numpy()), measure
        assert np.round(way.get_xdata()) == pytest.approx(rows.decile.to_numpy())
        ends = np.array(bars.get_segments())[:, :, 1]
        assert ends == pytest.approx(rows[["low", "high"]].to_numpy())
    said = told(every()["value_by_decile"])
    assert "Referral value, net: 40.0 EUR in decile 1, \N{MINUS SIGN}46.0 EUR in decile 10, the most, 620 EUR" in said
    assert "Lifetime value: 1,900 EUR in decile 1, 190 EUR in decile 10." in said


def test_a_line_breaks_at_a_decile_that_is_not_shown():
    frame = deciles().sample(frac=1, random_state=1)
    frame.loc[frame.decile == 3, "mean"] = NAN
    axes = drawn_of(figures.value_by_decile(frame, currency="EUR")).axes[0]
    ways = [line for line in axes.lines if len(line.get_xdata()) == 10]
    assert len(ways) == 3
    assert all(list(np.flatnonzero(np.isnan(way.get_ydata()))) == [2] for way in ways)
    assert [label.get_text() for label in axes.get_xticklabels()] == [str(each) for each in range(1, 11)]


def upright(axes) -> list[float]:
    """Return where upright lines stand."""
    return [line.get_xdata()[0] for line in axes.lines if list(line.get_ydata()) == [0, 1]]


def test_threshold_and_what_is_assumed_are_marked():
    drawn = shown("type_sensitivity")
    assert upright(drawn.axes[0]) == pytest.approx([50, 70])
    found = [text.replace("\N{NO-BREAK SPACE}", " ") for text in texts(drawn)]
    assert "equal at 70 % (62 to 78 %)" in found and "assumed: 50 %" in found
    said = told(every()["type_sensitivity"])
    assert "both are equal at 70.0 % (95 % interval 62.0 to 78.0)" in said
    assert "At the assumed 50 % it is 310 EUR (95 % interval 290 to 340)." in said


@pytest.mark.parametrize("threshold", [(1.4, 1.2, 1.7), (-0.3, -0.4, -0.1), (NAN, NAN, NAN), (np.inf, 2, np.inf)])
@pytest.mark.parametrize(("lifetime", "words"), [(2000.0, "above the line"), (10.0, "below the line")])
def test_threshold_outside_is_not_marked_but_told(threshold, lifetime, words):
    figure = figures.type_sensitivity(by_type().assign(lifetime_value=lifetime), threshold, currency="EUR")
    assert upright(drawn_of(figure).axes[0]) == pytest.approx([50])
    assert words in figure.alt and "equal" not in figure.alt


@pytest.mark.parametrize("place", [0.0, 1.0])
def test_marks_at_the_ends_keep_their_words_on_the_page(place):
    frame = by_type().assign(is_assumed=np.isclose(by_type().probability, place))
    assert_nothing_hidden(drawn_of(figures.type_sensitivity(frame, (place, NAN, NAN), currency="EUR")))


def test_overlap_stands_against_chance():
    axes = shown("overlap").axes[0]
    found, chance = [line.get_xdata() for line in axes.lines]
    assert found == pytest.approx(100 * tops().overlap) and chance == pytest.approx(100 * tops().expected)
    assert "top 5 % 1.2 % (95 % interval 0.4 to 3.0), by chance 5.0 %" in told(every()["overlap"])
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["top 5 %", "top 10 %", "top 20 %"]


# --- sums ------------------------------------------------------------------------------------------------


def spans(drawn) -> list[tuple[float, float]]:
    return [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in drawn.axes[0].patches]


def test_steps_lead_from_total_to_total_and_what_counts_twice_goes_on_from_there():
    wanted = [(0, 2130), (2130, 2224), (2224, 2192), (0, 2192), (2192, 2702)]
    assert np.array(spans(shown("firm_total"))) == pytest.approx(np.array(wanted, float))
    said = every()["firm_total"].alt
    assert "Acquisition saved by referrals +94; Incentives paid \N{MINUS SIGN}32; Total value 2,192." in said
    assert "For comparison, not in the sum: Adding both values would count twice 510." in said


def test_gross_value_starts_at_0_beside_the_net_one():
    wanted = [(0, 800), (800, 755), (755, 695), (695, 785), (0, 785), (0, 1300)]
    assert np.array(spans(shown("referral_parts"))) == pytest.approx(np.array(wanted, float))
    assert "For comparison, not in the sum: Gross, as the sources have it 1,300." in every()["referral_parts"].alt


def test_sums_below_0_are_drawn_on_the_other_side():
    frame = steps_of_the_firm().assign(amount=[-1000.0, 50, 300, -1250, -400])
    figure = figures.firm_total(frame, currency="EUR")
    drawn = drawn_of(figure)
    wanted = [(-1000, 0), (-1000, -950), (-1250, -950), (-1250, 0), (-1650, -1250)]
    assert np.sort(spans(drawn), axis=1) == pytest.approx(np.array(wanted, float))
    assert drawn.axes[0].get_xlim()[0] < -1650
    assert "would count twice \N{MINUS SIGN}400." in figure.alt


# --- measures and movers ---------------------------------------------------------------------------------


def test_measures_are_drawn_with_intervals_and_the_sum_has_no_response():
    net, worth, response = shown("campaign").axes
    for axes, name in ((net, "net"), (worth, "return_on_campaign")):
        bars, dots = axes.collections
        assert np.array(bars.get_segments())[:, :, 0] == pytest.approx(
            measures()[[f"{name}_low", f"{name}_high"]].to_numpy()
        )
        assert np.asarray(dots.get_offsets())[:, 0] == pytest.approx(measures()[name].to_numpy())
        assert hexes(dots.get_facecolors()) == hexes([COLOURS[each] for each in measures()["class"][:3]] + [INK])
    assert len(response.get_yticks()) == 3
    assert np.asarray(response.collections[-1].get_offsets())[:, 0] == pytest.approx([5, 5, 2])


def test_responses_that_are_never_or_always_enough_are_told():
    said = told(every()["campaign"])
    assert "Affluents: net 26,400 EUR (95 % interval 9,000 to 51,000), 5.40 for each unit spent" in said
    assert "response 5.0 %, needed 1.1 %." in said
    assert "response 5.0 %; no response is needed." in said and "response 2.0 %; no response is enough." in said
    assert "inf" not in said and said.endswith(
        "All together: net 30,600 EUR (95 % interval 11,000 to 57,000), 2.90 "
        "for each unit spent (95 % interval 1.10 to 5.30)."
    )


def test_measure_that_cannot_be_told_keeps_its_row_and_panels_of_nothing_are_left_out():
    frame = measures()
    frame.loc[1, [each for each in frame if each.startswith(("net", "return"))]] = NAN
    figure = figures.campaign(frame, currency="EUR")
    assert "Advocates: cannot be told." in figure.alt and len(drawn_of(figure).axes) == 3
    alone = figures.campaign(frame.assign(return_on_campaign=NAN, response=NAN), currency="EUR")
    assert len(drawn_of(alone).axes) == 1


def nodes(drawn) -> list:
    return [patch for patch in drawn.axes[0].patches if hasattr(patch, "get_height")]


def test_flows_are_as_wide_as_movers_are_many_and_who_stays_is_not_drawn():
    drawn = shown("migration")
    found = nodes(drawn)
    unit = found[0].get_height() / 60
    sizes = [round(node.get_height() / unit, 6) for node in found]
    assert sizes == [60, 40, 25, 105, 10, 10]
    names = ["affluents", "advocates", "misers", "champions", "affluents", "advocates"]
    assert hexes(node.get_facecolor() for node in found) == hexes(COLOURS[each] for each in names)
    bands = [patch.get_path().vertices for patch in drawn.axes[0].patches if patch not in found]
    for place, side in ((0, found[:3]), (3, found[3:])):  # bands fill their nodes from end to end, none on another
        filled = sorted((band[place, 1], band[7 - place, 1]) for band in bands)
        wanted = [(node.get_y(), node.get_y() + node.get_height()) for node in side]
        touching = [(one[1], other[0]) for one, other in pairwise(filled) if np.isclose(one[1], other[0])]
        assert len(filled) == 5 and len(touching) == 5 - len(side)
        assert sum(np.diff(filled)[:, 0]) == pytest.approx(sum(np.diff(wanted)[:, 0]))
        assert (filled[0][0], filled[-1][1]) == pytest.approx((wanted[0][0], wanted[-1][1]))
    said = every()["migration"].alt
    assert "125 in all" in said and "Misers to champions 5.0" in said and "misers to misers" not in said.lower()


@pytest.mark.parametrize(
    "sizes", [[5e4, 0.02, 3, 0.7, 1], [1, 1, 3e4, 3e4, 2], [0, 50, 0, 1, 0], [3e4, 3e4, 0.5, 0.5, 0.5]]
)
def test_few_movers_beside_many_stay_legible(sizes):
    rows = movers().head(5).assign(customers=sizes)
    assert_nothing_hidden(drawn_of(figures.migration(rows)))


def test_late_generations_stand_together():
    figure = figures.generations(forest(30))
    brought = forest(30).customers
    bars = drawn_of(figure).axes[0].patches
    assert [bar.get_width() for bar in bars] == pytest.approx([*brought[:7], brought[7:].sum()])
    assert f"8th generation and later {brought[7:].sum()}" in figure.alt
    assert figures.generations(forest().assign(customers=0)).draw is None
