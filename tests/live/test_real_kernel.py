"""The live side in real kernels: ipykernel's own comms, and everywhere it must keep quiet."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from attention_course.live import TARGET

IMPORTS = "import torch\nfrom attention_course import check, live, needs, verify, views"
WRONG = (
    "def scaled_dot_product_scores(queries, keys):\n    return queries @ keys.transpose(-2, -1)\n"
    "check.attention_scores(scaled_dot_product_scores)"
)


@pytest.fixture(scope="module")
def opened(real_kernel, told):
    """The comm that the import cell opened, as a front end hears it."""
    got = real_kernel.run(IMPORTS)
    (open_message,) = [one for one in got if one["msg_type"] == "comm_open"]
    assert open_message["content"]["target_name"] == TARGET
    return open_message["content"]["comm_id"]


def errors(got):
    return [one["content"] for one in got if one["msg_type"] in ("error", "stream")]


def test_a_cell_s_matrices_arrive_with_its_id_before_it_ends(real_kernel, opened, told):
    got = real_kernel.run("attention_scores = torch.eye(3).unsqueeze(0)", "cell-7")
    (said,) = told(got)
    assert said.data["cell_id"] == "cell-7"
    assert said.matrix("scores").tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert errors(got) == []


def test_a_check_that_fails_tells_its_misconception(real_kernel, opened, told):
    got = real_kernel.run(WRONG, "test-attention-scores")
    verdict, progress = told(got)
    assert verdict.data["record"]["misconceptions"] == ["no_scaling"]
    assert verdict.data["cell_id"] == "test-attention-scores"
    assert progress.data["record"]["exercises"][1]["attempts"] >= 1


def test_the_evaluation_tells_every_exercise(real_kernel, opened, told):
    said = told(real_kernel.run("verify('attention')", "verification"))
    assert [one.data["type"] for one in said] == ["verdict"] * 5 + ["progress"]
    assert said[-1].data["record"]["evaluations"] == 1
    untried = [one.data["record"]["exercise"] for one in said[:-1] if not one.data["tried"]]
    assert untried == [
        "linear_projections",
        "attention_weights",
        "value_aggregation",
        "attention_head",
    ]


def test_a_silent_question_of_a_tool_tells_nothing(real_kernel, opened, told):
    real_kernel.run("attention_scores = torch.eye(3)")
    assert told(real_kernel.run("1 + 1", silent=True)) == []


def test_a_refresh_is_answered_on_the_comm(real_kernel, opened, told):
    real_kernel.run("attention_scores = torch.eye(2)")
    said = told(real_kernel.say(opened, {"type": "refresh"}))
    assert said[0].data["type"] == "hello"
    assert said[-1].data["type"] in ("matrices", "verdict")


def test_a_late_lab_finds_the_comm_even_after_a_close(real_kernel, opened):
    real_kernel.close(opened)
    assert opened in real_kernel.comms()


def test_a_lab_s_own_comm_gets_the_hello(real_kernel, opened, told):
    said = told(real_kernel.open("opened-by-a-lab", {"type": "refresh"}))
    assert said[0].data["type"] == "hello"
    real_kernel.close("opened-by-a-lab")
    assert "opened-by-a-lab" not in real_kernel.comms()


def test_importing_the_course_anew_does_not_tell_twice(real_kernel, opened, told):
    real_kernel.run(
        "import sys\nfor name in [n for n in sys.modules if n.startswith('attention_course')]:\n"
        "    del sys.modules[name]\n" + IMPORTS
    )
    assert len(told(real_kernel.run("attention_scores = torch.zeros(2, 2)"))) == 1


def test_a_cell_that_raises_is_told_of_too(real_kernel, opened, told):
    got = real_kernel.run("attention_scores = torch.ones(2, 2)\nraise ValueError('mine')")
    assert [one["ename"] for one in errors(got)] == ["ValueError"]
    assert [one.data["type"] for one in told(got)] == ["matrices"]


def test_show_sends_from_inside_a_loop(real_kernel, opened, told):
    code = "for i in range(400):\n    live.show(torch.full((2, 2), float(i)), name='loop')"
    said = told(real_kernel.run(code))
    assert said[-1].data["exercise"] == "loop"
    assert said[-1].matrix("weights")[0, 0] == 399


@pytest.mark.parametrize(
    "environment",
    [
        {"ATTENTION_COURSE_SANDBOX": "1"},
        {"NBGRADER_EXECUTION": "validate"},
        {"ATTENTION_COURSE_LIVE": "0"},
    ],
    ids=lambda environment: next(iter(environment)),
)
def test_where_nobody_is_to_be_told_nothing_is_loaded(environment):
    """Asked of a process that looks like a kernel, since starting one takes longer."""
    code = (
        "import sys, types, IPython\n"
        "sys.modules['ipykernel'] = types.ModuleType('ipykernel')\n"
        "shell = types.SimpleNamespace(kernel=1)\n"
        "IPython.get_ipython = lambda: shell\n"
        "import attention_course\n"
        "print(sorted(n for n in sys.modules if n.startswith('attention_course.')), vars(shell))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["['attention_course.live']", "{'kernel':", "1}"]


def test_outside_a_kernel_the_import_loads_nothing():
    code = "import sys, attention_course; print([n for n in sys.modules if 'ourse.' in n])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_an_executed_notebook_holds_nothing_of_it(tmp_path: Path):
    """As nbconvert and nbclient run it: nobody listens, nothing is written, nothing fails."""
    from nbclient import NotebookClient

    cells = [IMPORTS, "attention_scores = torch.ones(1, 6, 6)", WRONG]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, store_widget_state=True).execute(cwd=str(tmp_path))
    assert "widgets" not in notebook.metadata
    assert notebook.cells[1].outputs == []
    assert TARGET not in json.dumps(notebook)
    assert "session" not in json.dumps([cell.metadata for cell in notebook.cells])
