"""Groups of a Kano survey: nobody can be told, a panel is people and not rows, and totals are no segment."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from helpers.analyses.groups import hidden_cells
from helpers.analyses.kano.measurement import measure
from helpers.analyses.kano.settings import Settings
from helpers.data.refusal import InputRefused
from helpers.models.kano import evaluation


def measured(folder, frame: pd.DataFrame, **settings):
    path = folder / "input.csv"
    frame.to_csv(path, index=False)
    name = "survey" if "respondent_id" in frame else "counts"
    return measure(Settings(**{name: str(path)}, bootstrap_resamples=100, class_starts=4, most_classes=2, **settings))


def survey(asked: dict[str, dict[str, int]], column: str = "segment") -> pd.DataFrame:
    """Return answers: of each group, the first so many respondents answer each requirement."""
    rng, rows = np.random.default_rng(1), []
    for group, requirements in asked.items():
        for requirement, number in requirements.items():
            rows += [(f"{group}{place}", requirement, group, *rng.integers(1, 6, 2)) for place in range(number)]
    return pd.DataFrame(rows, columns=["respondent_id", "requirement", column, "functional", "dysfunctional"])


def shown(result) -> dict[str, list[int]]:
    return {name: row.astype(int).tolist() for (_, name), row in zip(result.groups, result.counts.sum(-1), strict=True)}


# ---- cells


@given(
    arrays(int, st.tuples(st.integers(1, 5), st.integers(1, 4)), elements=st.integers(0, 12)),
    st.integers(0, 9),
    st.integers(1, 6),
)
def test_no_few_are_shown_nor_follow_from_the_total(sizes, in_none, min_cell):
    hidden = hidden_cells(sizes, in_none, min_cell)
    left = np.where(hidden, 0, sizes)
    assert not ((left > 0) & (left < min_cell)).any() and not hidden[sizes == 0].any()
    rest = in_none + sizes.sum(axis=0) - left.sum(axis=0)
    assert ((rest == 0) | (rest >= min_cell) | (left == 0).all(axis=0)).all()
    alone = [hidden_cells(sizes[:, [column]], in_none, min_cell)[:, 0] for column in range(sizes.shape[1])]
    np.testing.assert_array_equal(hidden, np.transpose(alone))


def test_few_answers_of_a_segment_to_one_requirement_are_not_shown(tmp_path):
    asked = {"a": {"speed": 60, "gift": 50}, "b": {"speed": 40, "gift": 30}, "c": {"speed": 20, "gift": 2}}
    result = measured(tmp_path, survey(asked))
    # b's are hidden too, or the total less a and b would be the two of c
    assert shown(result) == {"all": [120, 82], "a": [60, 50], "b": [40, 0], "c": [20, 0]}
    assert result.hidden.tolist() == [[False, False], [False, False], [False, True], [False, True]]
    assert "Some requirements are not shown for some segments: fewer than 5" in result.notes_of_groups[0]
    unlabelled = survey(asked).assign(segment=lambda rows: rows["segment"].where(rows["segment"] != "c"))
    assert shown(measured(tmp_path, unlabelled)) == {"all": [120, 82], "a": [60, 50], "b": [40, 0]}
    assert not measured(tmp_path, survey(asked), min_cell=1).notes_of_groups


def test_a_wave_that_differs_from_a_segment_by_few_answers_is_not_shown(tmp_path):
    asked = {"a": {"speed": 60, "gift": 50}, "b": {"speed": 40, "gift": 40}, "c": {"speed": 20, "gift": 20}}
    frame = survey(asked).assign(wave=lambda rows: np.where(rows["segment"] == "a", "1", "2"))
    early = frame["respondent_id"].isin([f"b{place}" for place in range(10)])
    silent = frame["respondent_id"].isin([f"b{place}" for place in range(7)]) & (frame["requirement"] == "gift")
    result = measured(tmp_path, frame.assign(wave=frame["wave"].mask(early, "1"))[~silent])
    # wave 1 is segment a and ten of b, of whom three answered about the gift
    assert shown(result) == {"all": [120, 103], "a": [60, 50], "b": [40, 33], "c": [20, 20], "1": [70, 0], "2": [50, 0]}


def counts(*rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["requirement", "segment", *evaluation.CLASSES])


def test_small_segments_of_counts_that_are_small_together_are_not_shown(tmp_path):
    big = [(name, place, 20 + number, 9, 9, 9, 0, 0) for name in ("speed", "gift") for number, place in enumerate("ab")]
    small = [("speed", "c", 1, 1, 1, 0, 0, 0), ("gift", "d", 1, 0, 2, 0, 0, 0)]
    result = measured(tmp_path, counts(*big, *small))
    assert shown(result) == {"all": [98, 98], "a": [0, 0], "b": [48, 48], "other segments": [0, 0]}


def test_few_expected_answers_of_a_latent_class_are_not_shown(tmp_path):
    rng, rows = np.random.default_rng(2), []
    for person in range(200):
        delighted = person < 120
        for place in range(6):
            if place < 5 or person < 60 or person >= 197:
                usual = rng.random() < 0.9
                rows.append((person, f"wish {place}", *((1, 3) if delighted == usual else (3, 5))))
    result = measured(
        tmp_path, pd.DataFrame(rows, columns=["respondent_id", "requirement", "functional", "dysfunctional"])
    )
    assert result.latent.chosen == 2
    # hidden for the class of which three were asked, and for the other one, whose difference from everyone they are
    assert result.hidden_of_classes.tolist() == [[False] * 5 + [True]] * 2
    assert np.isnan(result.latent.profiles[:, 5]).all() and np.isfinite(result.latent.profiles[:, :5]).all()
    assert (result.counts_of_classes[:, 5] == 0).all()
    assert result.counts_of_classes[:, :5].sum(axis=(0, 2)) == pytest.approx([200] * 5)
    assert np.isfinite(result.style_of_classes.share)


# ---- panels


def panel(folder, **settings):
    once = survey({"a": {"speed": 40, "gift": 40}, "b": {"speed": 40, "gift": 38}})
    twice = pd.concat([once.assign(wave="1"), once.assign(wave="2")])
    return (measured(folder, frame, **settings) for frame in (once, twice, twice.sample(frac=1, random_state=3)))


def test_a_panel_is_resampled_by_person(tmp_path):
    once, twice, shuffled = panel(tmp_path)
    # who says the same again adds no information: draws are twice as large, and vary as much
    np.testing.assert_array_equal(twice.draws, 2 * once.draws)
    np.testing.assert_array_equal(twice.mode_share, once.mode_share)
    again = [shuffled.requirements.index(name) for name in twice.requirements]
    np.testing.assert_array_equal(shuffled.draws[:, again], twice.draws)
    assert (once.repeated, twice.repeated) == (0, 80) and len(once.answers.people) == 80
    assert not once.notes_of_groups and "80 respondents answered in more than one wave" in twice.notes_of_groups[0]


def test_groups_of_a_panel_are_as_large_as_they_have_people(tmp_path):
    _, twice, _ = panel(tmp_path, min_cell=40)
    assert shown(twice) == {"all": [160, 156], "a": [80, 0], "b": [80, 0], "1": [80, 78], "2": [80, 78]}
    _, twice, _ = panel(tmp_path, min_cell=41)
    assert [name for _, name in twice.groups] == ["all", "1", "2"]


# ---- totals


PARTS = [
    ("speed", "a", 10, 20, 30, 5, 1, 0),
    ("speed", "b", 11, 22, 33, 4, 0, 2),
    ("gift", "a", 9, 8, 7, 6, 5, 4),
    ("gift", "b", 20, 8, 9, 6, 5, 4),
]
TOTALS = [("speed", 21, 42, 63, 9, 1, 2), ("gift", 29, 16, 16, 12, 10, 8)]


@pytest.mark.parametrize(("segment", "said"), [("合计", "the segment '合计' counts"), ("", "without a segment count")])
def test_a_total_beside_its_parts_is_refused(tmp_path, segment, said):
    totals = [(requirement, segment, *numbers) for requirement, *numbers in TOTALS]
    with pytest.raises(
        InputRefused, match=f"(?s)input.csv.*{said} what the others .* counted twice. Leave the total out"
    ):
        measured(tmp_path, counts(*PARTS, *totals))
    nearly = [*totals[:1], (*totals[1][:-1], 7)]
    assert measured(tmp_path, counts(*PARTS, *nearly)).everyone[0].sum() == 2 * sum(TOTALS[0][1:])
    twins = [(requirement, other, *numbers) for requirement, _, *numbers in PARTS[::2] for other in "cd"]
    assert measured(tmp_path, counts(*twins)).everyone.any()
