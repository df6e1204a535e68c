"""Pictures of attention, each with a table of the same numbers.

``heatmap``   a matrix of scores or weights, tokens on both axes
``flow``      who looks at whom, as arrows
``steps``     raw scores, scaled scores, weights and output, one after the other
``compare``   two matrices side by side, and their signed difference

Rows are queries, columns are keys, everywhere. Each returns a :class:`View` that a notebook
shows by itself. Bokeh is loaded when a picture is drawn, not when this is imported.
"""

from attention_course.views.matrices import ViewError
from attention_course.views.pictures import compare, flow, heatmap, steps
from attention_course.views.view import View

__all__ = ["View", "ViewError", "compare", "flow", "heatmap", "steps"]
