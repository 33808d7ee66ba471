"""How traces are shown without the app: in notebooks, as files to take away, and what the microscope is made of.

It knows arrays, names and colours; the traces themselves are defined in the packages above, which use this one.
"""

from lstm_core.exhibit import markup
from lstm_core.exhibit.cell_trace import (
    COLOUR_QUANTILE,
    CellTrace,
    colour_limit,
    is_share,
    most_varying_unit,
    resets_after,
    similarity_order,
)
from lstm_core.exhibit.exhibit import Exhibit, class_answers
from lstm_core.exhibit.html_file import Handout, html_file
from lstm_core.exhibit.payload import EXACT, View, answers, fixed_point, pack
from lstm_core.exhibit.python_code import hand_set_code, network_code, reading_code, stream_code, trace_code
from lstm_core.exhibit.scripts import HOSTS, SHARED, script, style
from lstm_core.exhibit.signals import (
    CLASS_COLOURS,
    LETTERS,
    SIGNALS,
    THEME,
    Signal,
    class_colours,
    class_name,
    colour_scale,
    diverging_colours,
    neutral_colour,
    state_letter,
)
from lstm_core.exhibit.tables import batch_frame, cell_arrays, cell_frame, layers_frame, npz, reading_frame

__all__ = [
    "CLASS_COLOURS",
    "COLOUR_QUANTILE",
    "EXACT",
    "HOSTS",
    "LETTERS",
    "SHARED",
    "SIGNALS",
    "THEME",
    "CellTrace",
    "Exhibit",
    "Handout",
    "Signal",
    "View",
    "answers",
    "batch_frame",
    "cell_arrays",
    "cell_frame",
    "class_answers",
    "class_colours",
    "class_name",
    "colour_limit",
    "colour_scale",
    "diverging_colours",
    "fixed_point",
    "hand_set_code",
    "html_file",
    "is_share",
    "layers_frame",
    "markup",
    "most_varying_unit",
    "network_code",
    "neutral_colour",
    "npz",
    "pack",
    "reading_code",
    "reading_frame",
    "resets_after",
    "script",
    "similarity_order",
    "state_letter",
    "stream_code",
    "style",
    "trace_code",
]
