"""What a student and an instructor do in the browser, in their own words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from attention_course.panel import PANEL

DRIVER = Path(__file__).resolve().parents[1] / "browser" / "driver.js"
PATIENCE = (
    120_000  # milliseconds before a test says what it waits for; it waits no longer than needed
)
NOTEBOOK = "attention/lesson.ipynb"
# JupyterLab's and Notebook's own; and formgrader loads MathJax from the network, if there is one.
NOT_OURS = re.compile(
    r"MathJax is not defined|reading 'schema'|Command 'filebrowser:open-path' not registered"
)
EXERCISES = (
    "linear_projections",
    "attention_scores",
    "attention_weights",
    "value_aggregation",
    "attention_head",
)


def known(exercise: str, misconception: str | None = None) -> str:
    """The panel's plainest right answer, or its plainest with one misconception."""
    return next(
        answer.source
        for answer in PANEL
        if answer.exercise == exercise
        and (answer.right if misconception is None else misconception in answer.misconceptions)
    )


class Person:
    """Somebody with a browser of their own."""

    def __init__(self, hub: Any, chromium: Any, name: str, pictures: Path) -> None:
        self.hub, self.name, self.pictures = hub, name, pictures
        self.context = chromium.new_context(viewport={"width": 1500, "height": 1100})
        self.context.add_init_script(path=str(DRIVER))
        self.problems: list[str] = []
        self.page = self._new_page()

    def _new_page(self) -> Any:
        page = self.context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.problems.append(f"{error} {error.stack}"))
        return page

    def picture(self, name: str, page: Any = None) -> None:
        (page or self.page).screenshot(path=str(self.pictures / f"{self.name}-{name}.png"))

    def ask_to_log_in(self) -> None:
        """Send the log-in form, and leave the server to start meanwhile."""
        self.page.goto(f"{self.hub.url}/hub/login")
        self.page.fill("#username_input", self.name)
        self.page.fill("#password_input", self.hub.password)
        self.page.click("#login_submit", no_wait_after=True)

    def wait_for_lab(self) -> None:
        self.page.wait_for_url("**/lab**")
        self.page.wait_for_function("() => window.course && window.jupyterapp")
        self.page.evaluate("() => jupyterapp.restored.then(() => null)")

    def command(self, name: str, **arguments: Any) -> None:
        self.page.evaluate(
            "([name, all]) => jupyterapp.commands.execute(name, all).then(() => null)",
            [name, arguments],
        )

    def leave(self) -> None:
        ours = [problem for problem in self.problems if not NOT_OURS.search(problem)]
        self.context.close()
        assert ours == [], f"{self.name}'s pages raised errors: {ours}"


class Student(Person):
    """Fetches, works, validates, submits and reads."""

    def open_assignment_list(self) -> None:
        self.page.get_by_role("menuitem", name="Nbgrader").click()
        self.page.get_by_role("menuitem", name="Assignment List").click()
        self.page.locator("#refresh_assignments_list").wait_for()

    def fetch(self) -> None:
        self.page.locator("#released_assignments_list").get_by_role("button", name="Fetch").click()
        self.page.locator("#fetched_assignments_list .list_item").first.wait_for()

    def open_notebook(self) -> None:
        self.command("docmanager:open", path=NOTEBOOK)
        self.page.evaluate("path => course.ready(path)", NOTEBOOK)

    def solve(self, **wrong: str) -> None:
        """Answer and check every exercise; ``exercise=misconception`` names the wrong answers."""
        for exercise in EXERCISES:
            source = known(exercise, wrong.get(exercise))
            cell = exercise.replace("_", "-")
            self.page.evaluate("all => course.write(...all)", [cell, source, NOTEBOOK])
        for cell in ("setup", "prompt", "tokens", "weights", *map(_cells, EXERCISES)):
            for one in cell.split():
                self.page.evaluate("all => course.run(...all)", [one, NOTEBOOK])

    def verdict_under(self, exercise: str) -> str:
        """What the notebook says under a check, as text."""
        cell = f"test-{exercise.replace('_', '-')}"
        return str(
            self.page.evaluate(
                "all => JSON.stringify(course.outputs(...all))",
                [cell, NOTEBOOK],
            )
        )

    def save(self) -> None:
        self.command("docmanager:save")

    def ask_to_validate(self) -> None:
        """Press the notebook's own button, and leave the server to work meanwhile."""
        self.page.get_by_role("button", name="Validate").first.click()

    def validation(self) -> str:
        """What the dialog says in the end; it is then closed."""
        dialog = self.page.locator(".jp-Dialog", has_text=re.compile("Validation|tests|failed"))
        dialog.wait_for()
        words = str(dialog.inner_text())
        dialog.get_by_role("button").last.click()
        return words

    def has_panels(self) -> bool:
        """Whether the lab extension with hints, heatmaps and progress is installed."""
        return bool(self.page.locator("#jp-attention-progress").count())

    def wait_for_outcome(self, exercise: str, outcome: str) -> None:
        """Wait until the Progress panel says so."""
        condition = "([name, outcome]) => course.outcome(name) === outcome"
        self.page.wait_for_function(condition, arg=[exercise, outcome])

    def submit(self) -> None:
        self.command("nbgrader:open-assignment-list")
        self.page.locator("#fetched_assignments_list").get_by_role("button", name="Submit").click()
        self.page.locator("#submitted_assignments_list .list_item").first.wait_for()

    def read_feedback(self) -> str:
        """Fetch the feedback, open the page in JupyterLab, and read it."""
        self.page.locator("#refresh_assignments_list").click()
        submitted = self.page.locator("#submitted_assignments_list")
        submitted.get_by_text("feedback available to fetch").wait_for()
        submitted.get_by_role("button", name="Fetch Feedback").click()
        submitted.get_by_text("view feedback").click()
        self.page.locator(".jp-DirListing-item", has_text="lesson.html").dblclick()
        shown = self.page.frame_locator("iframe.jp-HTMLViewer, .jp-HTMLViewer iframe").locator(
            "body"
        )
        shown.get_by_text("Score:").first.wait_for()
        return str(shown.inner_text())


def _cells(exercise: str) -> str:
    name = exercise.replace("_", "-")
    return f"{name} test-{name}"


class Instructor(Person):
    """Releases, collects, looks and gives feedback in formgrader."""

    def open_formgrader(self) -> None:
        # In a tab of its own: JupyterHub lets no page of a server be shown inside another one.
        if self.page.url.startswith(f"{self.hub.url}/hub/"):
            self.page.wait_for_url("**/lab**", wait_until="commit")
        self.page.goto(self._formgrader)
        self.row().wait_for()

    def row(self) -> Any:
        return self.page.locator(
            "#main-table tr", has=self.page.get_by_text("attention", exact=True)
        )

    def press(self, column: str) -> None:
        """Press one of the assignment's buttons and wait until formgrader says it is done."""
        self.row().locator(f"td.{column} a").click()
        modal = self.page.locator(".modal.in", has_text="Success")
        modal.wait_for()
        modal.get_by_role("button", name="OK").click()
        self.page.locator(".modal-backdrop").wait_for(state="detached")

    def scores(self) -> dict[str, str]:
        """What formgrader's list of submissions gives each student."""
        self.page.goto(f"{self._formgrader}/manage_submissions/attention")
        rows = self.page.locator("#main-table tr", has=self.page.locator("td.score"))
        rows.first.wait_for()
        return {
            str(row.locator("td.student-id").text_content()): str(
                row.locator("td.score").text_content()
            )
            for row in rows.all()
        }

    def mark_code_quality(self, student: str, points: int) -> None:
        """Open a student's graded copy in formgrader and write points into the task's field."""
        self.page.goto(f"{self._formgrader}/manage_students/{student}/attention")
        self.page.locator("#main-table a").first.click()
        field = self.page.locator("input#code_quality")
        field.wait_for()
        # Before formgrader has read the marks it takes no notice of what is typed.
        self.page.wait_for_function("() => window.formgrader?.grade_uis?.length > 0")
        with self.page.expect_response(lambda answer: "/api/grade/" in answer.url) as saved:
            field.fill(str(points))
            field.press("Tab")
        assert saved.value.ok, saved.value.text()

    @property
    def _formgrader(self) -> str:
        return f"{self.hub.url}/user/{self.name}/formgrader"
