"""The table twin holds the numbers of the picture, and the sentence follows from them."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings

from attention_course import views
from attention_course.views.embedding import fragment
from attention_course.views.labels import number_style, shortened, visible
from attention_course.views.palettes import difference_scale, ink_on, scale_for


def number(text: str) -> float:
    return float(text.replace("∞", "inf"))


def numbers(table: list[list[str]]) -> np.ndarray:
    return np.array([[number(cell) for cell in row[1:]] for row in table[1:]])


def drawn_image(figure) -> np.ndarray:
    return figure.renderers[0].data_source.data["image"][0]


def test_the_html_table_the_text_and_the_picture_hold_the_same_numbers(weights, tokens, read_back):
    view = views.heatmap(weights, tokens)
    expected = weights[0].double().numpy()
    (table,) = read_back(fragment(view, with_library=False)).tables
    assert table[0][1:] == tokens and [row[0] for row in table[1:]] == tokens
    np.testing.assert_allclose(numbers(table), expected, atol=5.1e-4)
    lines = view.text().splitlines()[-6:]
    for line, row in zip(lines, expected, strict=True):
        np.testing.assert_allclose([number(cell) for cell in line.split()[1:]], row, atol=5.1e-4)
    np.testing.assert_array_equal(drawn_image(view.panels[0].draw()), expected.astype(np.float32))
    assert view.numbers["weights"] == expected.tolist()


def test_text_plain_is_the_table(weights, tokens):
    view = views.heatmap(weights, tokens, title="Weights")
    assert view._repr_mimebundle_()["text/plain"] == view.text() == repr(view)
    assert view.tables[0].text() in view.text()


def test_steps_follow_torchs_own_attention(projections, tokens):
    queries, keys, values = (each.double() for each in projections)
    view = views.steps(*projections, tokens)
    output = torch.nn.functional.scaled_dot_product_attention(queries, keys, values)
    np.testing.assert_allclose(view.numbers["output"], output.numpy(), rtol=1e-6)
    np.testing.assert_allclose(
        np.array(view.numbers["raw_scores"]) / 8, view.numbers["scaled_scores"], rtol=1e-12
    )
    np.testing.assert_allclose(np.sum(view.numbers["weights"], axis=1), 1.0, rtol=1e-12)
    assert "√64 = 8" in view.panels[1].heading
    spread = float((queries @ keys.T).std(correction=0))
    assert f"from {spread:.2f} to {spread / 8:.2f}" in view.sentence


def test_steps_takes_fewer_queries_than_keys_and_another_width_of_values():
    view = views.steps(
        torch.randn(2, 4),
        torch.randn(5, 4),
        torch.randn(5, 3),
        ["a", "b"],
        key_tokens=list("vwxyz"),
    )
    assert np.shape(view.numbers["weights"]) == (2, 5)
    assert np.shape(view.numbers["output"]) == (2, 3)
    view.html()


def test_the_difference_is_yours_minus_the_reference_with_its_sign(tokens):
    mine, reference = torch.zeros(6, 6), torch.zeros(6, 6)
    mine[2, 1], reference[3, 0] = 0.75, 0.5
    view = views.compare(mine, reference, tokens)
    assert view.numbers["difference"][2][1] == 0.75
    assert view.numbers["difference"][3][0] == -0.5
    assert view.sentence == "Largest difference: 0.75, at sat → cat (0.750 and 0.000)."


def test_rounding_is_called_rounding_and_stays_white(weights, tokens):
    view = views.compare(weights + 1e-7, weights, tokens)
    assert view.sentence.endswith("That is the rounding of float32, no fault.")
    assert difference_scale(np.full((6, 6), 1e-7)).high == 1e-3
    cells = view.panels[2].draw().renderers[1].data_source.data["text"]
    assert set(cells) <= {"≈0", "0"} and "≈0" in cells


def test_equal_matrices_are_called_equal_masks_included(tokens):
    masked = torch.zeros(6, 6).masked_fill(torch.ones(6, 6).triu(1) > 0, -torch.inf)
    view = views.compare(masked, masked.clone(), tokens)
    assert view.sentence == "The two are equal in every entry."


def test_a_nan_in_one_of_two_is_counted(weights, tokens):
    broken = weights.clone()
    broken[0, 0, :2] = torch.nan
    view = views.compare(broken, weights, tokens)
    assert view.sentence.startswith("In 2 of 36 entries only one of the two is a finite number")


def test_the_sentence_names_the_largest_entry(tokens):
    matrix = torch.full((6, 6), 0.1)
    matrix[1, 5] = 0.5
    assert views.heatmap(matrix, tokens).sentence.endswith("Largest: cat → mat, 0.500.")
    assert views.flow(matrix, tokens).sentence == "Largest: cat → mat, 0.500."
    assert views.heatmap(torch.ones(6, 6), tokens).sentence.endswith("All entries are 1.000.")


def test_nan_and_infinity_are_shown_as_such(tokens, read_back):
    matrix = torch.zeros(6, 6)
    matrix[0, 0], matrix[1, 1], matrix[2, 2], matrix[3, 3] = torch.nan, torch.inf, -torch.inf, 1.0
    view = views.heatmap(matrix, tokens)
    (table,) = read_back(fragment(view, with_library=False)).tables
    assert [table[i + 1][i + 1] for i in range(4)] == ["NaN", "∞", "-∞", "1.000"]
    assert "3 of 36 entries are NaN or infinite." in view.sentence
    legend = view.panels[0].legend
    assert "Vermilion is NaN" in legend and "minus infinity" in legend and "pink is inf" in legend
    assert np.isnan(drawn_image(view.panels[0].draw())[0, 0])


def test_a_matrix_without_any_finite_number_can_be_drawn(tokens):
    view = views.heatmap(torch.full((6, 6), torch.nan), tokens)
    assert "None of the numbers is finite." in view.sentence
    view.html()
    views.flow(torch.full((6, 6), torch.nan), tokens).html()


@pytest.mark.parametrize("n, annotated", [(6, True), (12, True), (13, False)])
def test_numbers_stand_in_the_cells_of_small_matrices(n, annotated):
    figure = views.heatmap(torch.rand(n, n), [f"t{i}" for i in range(n)]).panels[0].draw()
    texts = [each for each in figure.renderers if type(each.glyph).__name__ == "Text"]
    assert bool(texts) is annotated
    if annotated:
        assert len(texts[0].data_source.data["text"]) == n * n


def test_colours_never_leave_the_scale_by_rounding_to_float32():
    matrix = np.array([[0.1, 0.7], [1 / 3, 2 / 3]])
    figure = views.heatmap(matrix, ["a", "b"]).panels[0].draw()
    mapper = figure.renderers[0].glyph.color_mapper
    shown = drawn_image(figure)
    assert mapper.low <= shown.min() and shown.max() <= mapper.high


def test_scores_of_both_signs_are_balanced_around_zero_and_weights_start_at_zero():
    scores = scale_for(np.array([[-3.0, 1.0]]))
    assert (scores.low, scores.high, scores.diverging) == (-3.0, 3.0, True)
    middle = scores.palette[len(scores.palette) // 2]
    assert len(scores.palette) % 2 == 1 and middle == "#f7f7f7"
    weights = scale_for(np.array([[0.25, 0.75]]))
    assert (weights.low, weights.high, weights.diverging) == (0.0, 0.75, False)


def test_numbers_in_cells_have_the_contrast_that_reading_needs():
    for scale in (scale_for(np.array([[-1.0, 1.0]])), scale_for(np.array([[0.0, 1.0]]))):
        for colour in scale.palette:
            assert _contrast(colour, ink_on(colour)) >= 4.5, colour


def _contrast(first: str, second: str) -> float:
    """WCAG 2.2, relative luminance."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_arrows_lead_from_query_to_key_and_thicken_with_weight(tokens):
    matrix = torch.zeros(6, 6)
    matrix[2, 1], matrix[4, 0] = 0.8, 0.2
    figure = views.flow(matrix, tokens).panels[0].draw()
    lines = next(r for r in figure.renderers if type(r.glyph).__name__ == "Segment")
    arrows = lines.data_source.data
    assert list(zip(arrows["query"], arrows["key"], strict=True)) == [
        ("the", "The"),
        ("sat", "cat"),
    ]
    assert arrows["width"][1] > arrows["width"][0]
    assert list(arrows["y0"]) == [4, 2]


def test_with_many_tokens_only_the_strongest_arrows_are_drawn_and_it_is_said():
    names = [f"t{i}" for i in range(20)]
    view = views.flow(torch.softmax(torch.randn(20, 20), dim=-1), names)
    lines = next(r for r in view.panels[0].draw().renderers if type(r.glyph).__name__ == "Segment")
    assert len(lines.data_source.data["query"]) == 60
    assert "Only the 3 strongest of each query are drawn." in view.panels[0].legend


def test_large_matrices_say_what_their_table_leaves_out():
    names = [f"t{i}" for i in range(100)]
    view = views.heatmap(torch.rand(100, 100), names)
    assert "Shown: the first 64 of 100 rows and 64 of 100 columns." in view.text()
    assert len(view.numbers["weights"]) == 100
    assert len(fragment(view, with_library=False)) < 250_000


def test_wide_tables_continue_below_themselves_in_plain_text(projections, tokens):
    text = views.steps(*projections, tokens).text()
    assert "feature 0" in text and "feature 63" in text
    assert max(map(len, text.splitlines())) < 160


FLOATS = st.one_of(st.floats(-1e300, 1e300), st.sampled_from([math.nan, math.inf, -math.inf]))


@given(st.lists(FLOATS, min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_a_number_is_written_close_to_what_it_is(values):
    write = number_style(values)
    largest = max((abs(v) for v in values if math.isfinite(v)), default=0.0)
    for value in values:
        back = number(write(value))
        if math.isfinite(value):
            assert abs(back - value) <= max(5.1e-4, largest * 6e-3)
        else:
            assert back == value or (math.isnan(value) and math.isnan(back))


@given(st.text(max_size=20))
@settings(max_examples=200, deadline=None)
def test_any_token_becomes_visible_text_that_a_file_can_hold(token):
    label = visible(token)
    assert label.strip() and label.isprintable()
    label.encode("utf-8")
    assert len(shortened(label)) <= 14


@pytest.mark.parametrize(
    ("token", "label"), [(" ", "␣"), ("", "(empty)"), ("\n", "↵"), ("a\tb", "a⇥b"), (7, "7")]
)
def test_blanks_and_control_characters_have_signs(token, label):
    assert visible(token) == label
