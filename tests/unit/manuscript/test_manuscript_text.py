"""Figures in running text against each other: each pattern with a right figure, and with one that is wrong."""

import pytest

from hhp_stats.manuscript.checks import text_claims
from hhp_stats.manuscript.document import words

FITS = {
    "test": [
        "Scores rose, t(28) = 2.20, p = .036.",
        "F(2, 90) = 4.10, p = .020.",
        "The two were related, r(48) = .30, p = .034.",
        "\u03c72(1, N = 90) = 3.84, p = .050.",
        "z = \u22122.10, p = 0.036.",
        "t = 2.51, p = .013.",
        "t(28)\u2009=\u20092\u00b720, p\u2009=\u20090\u00b7036.",
    ],
    "interval": [
        "The effect was 0.28 (95% CI 0.05 to 0.51, p = .018).",
        "Absence fell by \u22120.78 days (95% CI: \u22121.62, 0.05; p = 0.07).",
        "b = 0.28, 95% CI [0.05, 0.51], p = .018.",
        "an odds ratio of 1.50 (95% CI 1.10\u20132.05), p = .011.",
        "The difference was 0.28 points (95% confidence interval 0.05 to 0.51).",
        "Cholesterol changed by \u22120.16 mmol/L (95% CI \u22120.25 to \u22120.07; p = 0.0005).",
    ],
    "p": [
        "Enrolment rose by 4.2 percentage points (s.e. 1.6, p = 0.009).",
        "b = 0.28, SE = 0.11, p = .012.",
        "\u03b2 = \u22120.40 (SE = 0.10), p < .001.",
    ],
    "share": [
        "128 of the 641 staff (20.0%) began.",
        "17 out of 22 (77%) would continue.",
        "It was used by 20% (128/641).",
        "twelve of 52 (23%) said so.",
        "128 (20.0%) of the 641 began.",
        "about 29% (419 of 1,475) answered.",
        "Of 240 teachers asked, 180 (75%) replied.",
        "Among the 250 pupils in the schools, 180 (72%) passed.",
        "Of the 12 schools, nine (75%) took part.",
        "287 (92.0% of 312) completed.",
    ],
    "arms": [
        "Scores were alike in the treated (n = 201, M = 2.74, SE = .05) and the control group (n = 219, M = 2.78, SE = .05),"
        " p = .57.",
        "They did not differ (M = 2.74, SE = .05, n = 201; M = 2.78, SE = .05, n = 219; p = .57).",
    ],
    "direction": [
        "Absence rose from 4.1 to 5.2 days.",
        "Wellbeing was higher for the treated (n = 44, M = .03, SE = .25) than for controls (n = 54, M = -.22, SE = .25).",
    ],
    "significance": ["The difference was not significant (p = .21).", "Absence was significantly lower (p < .01)."],
    "difference": [
        "a difference of 15 percentage points (45% versus 30%).",
        "Costs rose by 25% from 40 to 50.",
        "Scores fell by 2 points from 12 to 10.",
    ],
    "word": [
        "More than half (66 of 120, 55%) had a mentor.",
        "One in four (30 of 120) left.",
        "Half (21 of 42) went on.",
        "A third of them (32%) agreed.",
        "most of the staff (64%) knew.",
        "More than half of them (58%) left.",
    ],
    "scale": [
        "On a scale from 1 to 7 the treated scored higher (M = 5.53, SD = 1.40, n = 200).",
        "The mean score for trust was 4.6 (SD 0.5) on a scale from 1 to 5.",
    ],
}
FAILS = {
    "test": [
        "Scores rose, t(28) = 2.20, p = .36.",
        "F(2, 90) = 1.10, p = .020.",
        "t = 2.51, p = .13.",
        "r(48) = 1.20, p < .001.",
        "F(2, 90) = \u22121.10, p = .34.",
    ],
    "interval": [
        "The effect was 0.28 (95% CI 0.05 to 0.51, p = .18).",
        "The effect was 0.38 (95% CI 0.05 to 0.51).",
        "The effect was 0.68 (95% CI 0.05 to 0.51).",
        "The effect was 0.28 (95% CI 0.51 to 0.05).",
        "Cholesterol changed by \u22120.11 mmol/L (95% CI \u22120.25 to \u22120.07; p = 0.0005).",
        "an odds ratio of 1.50 (95% CI 1.10\u20132.05), p = .11.",
    ],
    "p": ["b = 0.28, SE = 0.11, p = .12.", "Attendance rose by 2.1 days (s.e. = 0.9, p = 0.20)."],
    "share": [
        "128 of the 641 staff (25.0%) began.",
        "It was used by 30% (128/641).",
        "128 (20.0%) of the 614 began.",
        "twelve of 52 (32%) said so.",
        "641 of the 128 (20%) began.",
        "Of 240 teachers asked, 180 (85%) replied.",
        "Of the nine schools, seven (87%) went on.",
        "25 (9.0% of 312) did not.",
    ],
    "arms": [
        "Worth in the treated (n = 200, M = 5.53, SE = .10) and the control group (n = 219, M = 5.61, SE = .10), p = .05.",
        "They did not differ (M = 3.6, SD = 0.8, n = 90; M = 3.2, SD = 0.8, n = 90; p = .51).",
    ],
    "direction": [
        "Absence rose from 5.2 to 4.1 days.",
        "Worth increased for the treated (n = 200, M = 5.53, SE = .10) compared to controls (n = 219, M = 5.61, SE = .10).",
    ],
    "significance": ["The difference was significant (p = .21).", "There was no effect (p = .003)."],
    "difference": [
        "a difference of 25 percentage points (45% versus 30%).",
        "Costs rose by 35% from 40 to 50.",
        "Errors went down by 5 from 40 to 30.",
    ],
    "word": [
        "More than half (45 of 120, 38%) had a mentor.",
        "One in four (45 of 120) left.",
        "A third of them (52%) agreed.",
        "most of the staff (44%) knew.",
        "fewer than half of them (58%) left.",
    ],
    "scale": [
        "On a scale from 1 to 7 the treated scored higher (M = 7.53, SD = 1.40, n = 200).",
        "On a scale from 1 to 7 the treated scored higher (M = 5.53, SD = 4.40, n = 200).",
        "The mean score for trust was 4.6 (SD 1.9) on a scale from 1 to 5.",
    ],
}


def found(text, kind):
    return [claim.finding for claim in text_claims(words(text)) if claim.kind == kind]


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in FITS.items() for text in texts])
def test_right_figures_are_found_and_come_back(kind, text):
    assert found(text, kind) == ["reproduces"]


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in FAILS.items() for text in texts])
def test_a_wrong_figure_of_each_kind_is_named(kind, text):
    assert found(text, kind) == ["does_not_reproduce"]


@pytest.mark.parametrize(
    "text",
    [
        "In 2019, 78% were White, 12% Black and 6% Asian.",
        "The most commonly named reason (25%) was workload.",
        "We expected absence to fall (p < .05 was the threshold of the plan).",
        "Between 1 October 2019 and 30 September 2020 there were 31,854 social workers.",
        "See Section 3.2 (page 14) and Table 2.",
        "The protocol (version 1.2) planned 1,850 people in 120 teams.",
        "Effort and score went together, r = .35, p < .001, 95% CI [.25, .44].",
        "In the group of 120, 30 (15% of the total) were new.",
    ],
)
def test_plain_sentences_raise_no_alarm(text):
    assert [claim for claim in text_claims(words(text)) if claim.finding != "reproduces"] == []


def test_shares_that_follow_one_whole_are_of_it_or_of_the_count_before_them():
    """Each is one of the 240, or of the count just before it (33 of 60 are 55%); what fits neither is wrong."""
    text = "Of 240 asked, 180 (75%) replied, 60 (25%) did not and {} stayed."
    assert found(text.format("33 (55%)"), "share") == ["reproduces"] * 3
    assert found(text.format("36 (15%)"), "share") == ["reproduces"] * 3
    assert found(text.format("36 (51%)"), "share") == ["reproduces"] * 2 + ["does_not_reproduce"]
    assert found("Of 240 asked, 180 (75%) replied, and 99 (55%) of these stayed.", "share") == ["reproduces"]


def test_a_test_without_the_df_that_it_needs_is_left_alone():
    for text in ("r = .35, p < .001", "F = 4.10, p = .020", "\u03c72 = 3.84, p = .050", "F(2) = 4.10, p = .020"):
        assert found(text, "test") == []


@pytest.mark.parametrize("rule", ["by the bootstrap", "Firth's regression", "penalised likelihood", "by either bound"])
def test_an_asymmetric_interval_that_names_its_rule_is_not_called_wrong(rule):
    text = f"The ratio was 2.4 (95% CI 1.1 to 9.8, {rule})."
    assert found(text, "interval") == ["not_checkable"]


def test_a_ratio_that_is_not_called_one_is_another_reading():
    assert found("The effect was 1.50 (95% CI 1.10 to 2.05), p = .011.", "interval") == ["another_reading"]


def test_standard_errors_that_are_deviations_are_another_reading():
    """Three arms of an experiment as printed: the first p by Welch, the second with one variance for all arms."""
    text = (
        "no difference between the blinded (n = 104, M = 16.28, SE = 2.45) compared to either of the two conditions"
        " (n = 105, M = 15.79, SE = 3.27, first), p = .21, and (n = 94, M = 15.48, SE = 3.16, second), p = .06."
    )
    claims = [claim for claim in text_claims(words(text)) if claim.kind == "arms"]
    assert [claim.finding for claim in claims] == ["another_reading"] * 2
    assert "one variance for all arms" in claims[1].reason and "one variance" not in claims[0].reason


def test_a_mean_that_whole_answers_cannot_have_may_be_that_of_several_items():
    text = "Rated from 1 to 5 (M = 3.47, SD = 1.10, n = 25)."
    assert found(text, "scale") == ["another_reading"]
    assert found(text.replace("3.47", "3.48"), "scale") == ["reproduces"]


def test_an_exact_interval_of_a_share_reaches_farther_towards_a_half():
    assert found("Of the users 75% (95% CI 51 to 91) went on.", "interval") == ["another_reading"]
    assert found("Of the users 75% (95% CI 61 to 97) went on.", "interval") == ["does_not_reproduce"]


@pytest.mark.parametrize(
    "text",
    [
        "Absence was lower by 0.78 days (95% CI \u22121.62 to 0.06, p = .07).",
        "5.0 days within 24 weeks in the treated arm (95% CI \u22121.35 to 0.24, p = .17) after 5.6.",
        "4.9% left, against 7.4% in the control arm; 95% CI \u22124.9 to 0.4 points, p = .09.",
        "0.67 times those of the controls (95% CI 0.42 to 1.08).",
        "0.13 standard deviations a week less (95% CI \u22120.22 to \u22120.04, p = .006).",
    ],
)
def test_the_number_that_an_interval_belongs_to_is_found(text):
    assert set(found(text, "interval")) <= {"reproduces"}


def test_ends_of_bounds_are_no_estimate_in_the_middle_of_an_interval():
    text = "The effect on steps lies between \u22120.24 and 0.09 (95% CI \u22120.66 to 0.52, which includes zero)."
    assert found(text, "interval") == ["not_checkable"]
    assert found(text.replace("lies between \u22120.24 and", "is"), "interval") == ["does_not_reproduce"]
