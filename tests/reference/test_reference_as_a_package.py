"""How the reference is imported, documented and kept short."""

from __future__ import annotations

import ast
import doctest
import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import reference_attention

# A slide of code that the back row can read.
LINES_ON_A_SLIDE = 45
NAMES = (
    "AttentionHead",
    "SimpleAttention",
    "aggregate_values",
    "linear_projections",
    "scaled_dot_product_scores",
    "softmax_weights",
)
PARAMETERS = {
    "linear_projections": ["embeddings", "W_q", "W_k", "W_v"],
    "scaled_dot_product_scores": ["queries", "keys"],
    "softmax_weights": ["attention_scores"],
    "aggregate_values": ["attention_weights", "values"],
    "AttentionHead": ["d_model", "d_k", "d_v"],
    "SimpleAttention": ["n_embd"],
}


def module_of(name: str) -> object:
    return import_module(getattr(reference_attention, name).__module__)


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_in_the_docstring_are_true(name: str) -> None:
    result = doctest.testmod(module_of(name))
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("name", NAMES)
def test_names_and_parameters_are_the_lesson_contracts(name: str) -> None:
    assert (
        list(inspect.signature(getattr(reference_attention, name)).parameters) == PARAMETERS[name]
    )


@pytest.mark.parametrize("name", NAMES)
def test_each_piece_fits_on_a_slide_and_names_its_source(name: str) -> None:
    piece = getattr(reference_attention, name)
    assert len(inspect.getsource(piece).splitlines()) <= LINES_ON_A_SLIDE
    assert "Vaswani et al. 2017" in (piece.__doc__ or "")


def test_simple_attention_is_found_in_its_module_too() -> None:
    from reference_attention.simple_attention import SimpleAttention

    assert SimpleAttention is reference_attention.SimpleAttention


def test_only_torch_and_the_standard_library_are_imported() -> None:
    program = (
        "import sys, torch; before = set(sys.modules)\n"
        "import reference_attention\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['reference_attention']"


def test_jaxtyping_is_for_readers_and_type_checkers_only() -> None:
    for name in NAMES:
        source = Path(inspect.getfile(getattr(reference_attention, name))).read_text()
        for node in ast.parse(source).body:
            if isinstance(node, ast.ImportFrom):
                assert node.module != "jaxtyping", f"{name}: imported at run time"
