"""What happens to kernels, pages and notebooks while a student works: the panels keep up."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHOW = "live.show(torch.eye({size}) * {value}, name={name!r})"
IMPORTS = "import torch\nfrom attention_course import live"


def shows(name="eye", size=6, value=1):
    return SHOW.format(name=name, size=size, value=value)


def draw_first(shown):
    """Let the cell "prompt" draw a picture named "first"."""
    shown.write("setup", IMPORTS)
    shown.write("prompt", shows("first"))
    shown.run("setup", "prompt")
    shown.wait_for_picture("first")
    return shown


@pytest.fixture
def lesson_with_a_picture(shared_window):
    """A lesson in JupyterLab with a picture; shared, so each test ends with a living kernel."""
    return draw_first(shared_window)


def test_a_restarted_kernel_clears_the_panels_and_draws_again(lesson_with_a_picture):
    shown = lesson_with_a_picture
    shown.page.evaluate("() => course.panel().sessionContext.restartKernel()")
    shown.wait_for_no_picture()
    shown.run("setup", "prompt")
    shown.wait_for_picture("first")


def test_a_kernel_that_dies_clears_the_panels_and_the_next_one_draws(lesson_with_a_picture):
    shown = lesson_with_a_picture
    shown.page.evaluate(
        "() => { course.kernel().requestExecute({code: 'import os; os._exit(1)'}); }"
    )
    shown.wait_for_no_picture()
    # JupyterLab's own message that the kernel has died and is started again.
    shown.page.get_by_role("dialog").get_by_role("button", name="Ok").click()
    shown.wait("() => course.kernel()?.status === 'idle'")
    shown.run("setup", "prompt")
    shown.wait_for_picture("first")


def test_a_reloaded_page_shows_what_the_living_kernel_has_told(lab, lesson, window):
    shown = draw_first(window(lab).open_lab(lesson))
    shown.command("docmanager:save")
    shown.page.reload()
    shown.wait_for_notebook(lesson)
    shown.wait_for_picture("first")


def test_of_two_notebooks_the_one_in_front_is_shown(lab, lesson, window):
    shown = draw_first(window(lab).open_lab(lesson))
    other = lesson.replace("lesson.ipynb", "other.ipynb")
    (lab.folder / other).write_bytes((lab.folder / lesson).read_bytes())
    shown.command("docmanager:open", path=other)
    shown.wait_for_notebook(other)
    shown.look_at("setup", other)
    shown.wait_for_no_picture()
    shown.write("setup", f"{IMPORTS}\n{shows('second')}", other)
    shown.run("setup", path=other)
    shown.wait_for_picture("second")
    shown.look_at("setup", lesson)
    shown.wait_for_picture("first")


def test_two_windows_on_one_notebook_are_both_told(lab, lesson, window):
    first = draw_first(window(lab).open_lab(lesson))
    second = window(lab).open_lab(lesson)
    second.wait_for_picture("first")
    before = second.painted()
    first.write("prompt", shows("first", value=3, size=5))
    first.run("prompt")
    first.wait_for_picture("first")
    second.wait_for_other_picture(before)


def test_a_console_that_was_there_first_does_not_keep_the_panels_empty(lab, lesson, window):
    shown = window(lab).open_lab()
    shown.page.evaluate(
        """async path => {
          const { serviceManager, commands } = jupyterapp;
          const session = await serviceManager.sessions.startNew(
            { path, name: path, type: 'notebook', kernel: { name: 'python3' } });
          await session.kernel.info;
          await commands.execute('console:create', { path: 'console', kernelPreference:
            { id: session.kernel.id }, activate: false });
          session.dispose();
          await commands.execute('docmanager:open', { path });
        }""",
        lesson,
    )
    shown.wait_for_notebook(lesson)
    assert shown.page.evaluate("path => course.kernel(path).handleComms", lesson) is False
    shown.write("setup", f"{IMPORTS}\n{shows('after')}", lesson)
    shown.run("setup", path=lesson)
    shown.wait_for_picture("after")


def test_a_flood_of_pictures_leaves_the_page_alive_and_ends_with_the_last(lesson_with_a_picture):
    shown = lesson_with_a_picture
    value = "7 if step == 19_999 else 1"
    loop = f"for step in range(20_000):\n    live.show(torch.eye(3) * ({value}), name='flood')"
    shown.write("tokens", loop)
    shown.run("tokens")
    shown.wait_for_picture("flood")
    shown.page.get_by_text("yellow is 7.").first.wait_for()


def test_nan_infinities_and_a_huge_token_are_drawn(lesson_with_a_picture):
    shown = lesson_with_a_picture
    shown.write(
        "tokens",
        "odd = torch.tensor([[float('nan'), float('inf')], [-float('inf'), 0.5]])\n"
        "live.show(odd, ['x' * 10_000_000, '<img src=x onerror=window.hacked=1>'], name='odd')",
    )
    shown.run("tokens")
    shown.wait_for_picture("odd")
    assert shown.page.evaluate("() => window.hacked") is None


def test_another_version_is_said_in_words_until_ours_is_spoken_again(lesson_with_a_picture):
    shown = lesson_with_a_picture
    shown.write(
        "tokens",
        "from IPython import get_ipython\n"
        "ours = get_ipython()._attention_course_live\n"
        "(comm,) = ours._comms.values()\n"
        "for _ in range(3):\n    comm.send({'version': 99, 'type': 'matrices'})",
    )
    shown.run("tokens")
    notice = shown.page.locator("#jp-attention-panels").get_by_text("version")
    notice.first.wait_for()
    shown.write("tokens", "ours._send(ours._hello())")
    shown.run("tokens")
    notice.first.wait_for(state="hidden")


def test_the_live_views_add_less_than_5_kb_to_the_file(lab, lesson, window):
    shown, sizes = window(lab).open_lab(lesson), {}
    for switch in ("1", "0"):
        path = lesson.replace("lesson.ipynb", f"live-{switch}.ipynb")
        (lab.folder / path).write_bytes((lab.folder / lesson).read_bytes())
        shown.command("docmanager:open", path=path)
        shown.wait_for_notebook(path)
        off = f"import os; os.environ['ATTENTION_COURSE_LIVE'] = {switch!r}"
        shown.write("setup", f"{off}\n{IMPORTS}\n{shows('large', 1024)}", path)
        shown.run("setup", path=path)
        if switch == "1":
            shown.wait_for_picture("large")
        shown.command("docmanager:save")
        sizes[switch] = (lab.folder / path).stat().st_size
        assert json.loads((lab.folder / path).read_text())["cells"][1]["execution_count"] == 1
    assert sizes["1"] - sizes["0"] < 5000
