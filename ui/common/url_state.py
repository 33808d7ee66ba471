"""The state of one visitor's view, in the session or the address: the reading on screen, and the link to it."""

import base64
import math
import zlib
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlencode, urlsplit

import streamlit as st

from lstm_core.inference import Reading, TextClassifier
from lstm_core.nn import Clamp
from ui.common import assets, hidden, model_cache, theme
from ui.common.shared_cache import CACHE

Number = TypeVar("Number", int, float)
PACKED = "z."  # begins a text in an address that is compressed
PLAIN, LONGEST = 4_000, 40_000  # characters of a text in an address: as it is, and compressed; servers accept 64 KiB
LARGEST_TEXT = 200_000  # characters of a text that an address brings
_PAGE, _ARRIVED = "_page", "_arrived"  # the page of the last run; the parameters with which a visitor has just come
_ANEW = "_anew"  # the next run opens a link as for a new visitor
CLASS = "class"  # the address's name of the class that somebody is in; see `ui/classroom`
_IN_LINK = "_in_link"  # what a link to this run of the page says
_ALWAYS = "_in_address"  # what the address of every page says, besides the page's own values
LAST = "_last_view"  # the page that was shown last, what its address said, and what it can hide
CONTROLS = assets.table("controls.toml")
Parameters = dict[str, str | int]  # of a link: name → value


def session_cached(name: str, key: Hashable, size: int, compute: Callable[[], Any]) -> Any:
    """A value that is computed once and kept in this visitor's session, with the newest `size` ones of its name."""
    cache = st.session_state.setdefault(f"_{name}", {})
    if key not in cache:
        while len(cache) >= size:
            cache.pop(next(iter(cache)))
        cache[key] = compute()
    return cache[key]


def cached_reading(
    model: TextClassifier, text: str, mask_names: bool | None = None, clamps: Sequence[Clamp] = ()
) -> Reading:
    """The model's reading of a text, computed once for all visitors; arguments as of `TextClassifier.read`.

    Raises:
        TextError: if the text contains nothing to read.
    """
    key = "reading", model_cache.identity(model.card.name), text, mask_names, repr(clamps)
    return CACHE.get(key, lambda: model.read(text, clamps, mask_names=mask_names))


@dataclass(frozen=True)
class _Everything:
    """Contains every name: what a link doesn't say has its default."""

    def __contains__(self, name: object) -> bool:
        return True


@contextmanager
def arrival(page: str, anew: bool = False, hide: tuple[str, ...] = ()) -> Iterator[None]:
    """Within the block, whoever has just come to a page gets what the address says, not what the session holds.

    Args:
        page: its name in the address.
        anew: whether the page is shown as to a new visitor, as after `open_anew`.
        hide: what the page hides besides what the address says.
    """
    anew = st.session_state.pop(_ANEW, False) or anew
    comes = anew or st.session_state.get(_PAGE) != page
    st.session_state[_PAGE] = page
    st.session_state[_ARRIVED] = _Everything() if anew else tuple(st.query_params) if comes else ()
    st.session_state[_IN_LINK] = {}
    if comes:
        hidden.arrive(hide)
    hidden.frame()
    try:
        yield
    finally:
        st.session_state[_ARRIVED] = ()  # a fragment that reruns keeps its own values


def open_anew() -> None:
    """Let the next run of a page show what its address says, as to a new visitor, whatever this session holds."""
    st.session_state[_ANEW] = True


def is_set(key: str, name: str) -> bool:
    """Whether the session's value of a widget counts: there is one, and no link has just brought this parameter."""
    return key in st.session_state and not arrives(name)


def arrives(name: str) -> bool:
    """Whether a link has just brought this parameter."""
    return name in st.session_state.get(_ARRIVED, ())


def parameter(name: str, default: str, allowed: tuple[str, ...] | None = None) -> str:
    """A value from the address; the default if it is missing or not among the `allowed` ones."""
    value = unpacked(st.query_params.get(name, default), default)
    return value if allowed is None or value in allowed else default


def number(name: str, default: Number, lowest: Number, highest: Number) -> Number:
    """A number from the address, clipped to its range; the default if it is missing or not a finite number.

    Only whole numbers are accepted if the default and both limits are ints.
    """
    kind = float if any(isinstance(each, float) for each in (default, lowest, highest)) else int
    try:
        value = kind(st.query_params.get(name, default))
    except ValueError:
        return default
    if isinstance(value, float) and not math.isfinite(value):
        return default
    return cast(Number, min(max(value, lowest), highest))


def linked(
    widget: Callable[..., Any],
    label: str,
    *arguments: Any,
    key: str,
    parameter: str,
    default: Any = None,
    **options: Any,
) -> Any:
    """Draw a widget that begins with the value in the address, and keeps its own value from then on; see `in_link`.

    Streamlit's `bind="query-params"` is no substitute: it names the parameter as the widget's key, so that two pages
    can't both have a `text`, and it resets a value out of range, which our links clip to the range.

    Args:
        widget: `st.segmented_control`, `st.selectbox`, `st.slider`, `st.number_input`, `st.toggle`, `st.text_area` …
        label: of the widget.
        *arguments: of a slider or a number input its minimum and maximum; of a choice its options, or a mapping from
            each option to its name on the page; else nothing.
        key: of the widget.
        parameter: its name in the address.
        default: the value if the address has none that fits; None for the first option.
        **options: passed on to the widget.

    Returns:
        What the widget returns.
    """
    options = {"key": key, "persist_state": "session", **options}
    hidden.note(key, label)
    if widget is st.segmented_control:
        options.setdefault("required", True)
    if len(arguments) == 1:
        if isinstance(arguments[0], Mapping):
            options.setdefault("format_func", arguments[0].__getitem__)
        arguments = (list(arguments[0]),)
        default = arguments[0][0] if default is None else default
    if not is_set(key, parameter):
        st.session_state[key] = _from_link(parameter, default, arguments)
    value = widget(label, *arguments, **options)
    if value is not None and (value != "" or len(arguments) != 1):  # a choice "" is none
        in_link(**{parameter: value})
    return value


def control(name: str, /, *arguments: Any, **options: Any) -> Any:
    """Draw a control of `assets/controls.toml` by `linked`; what is given here comes before what stands there."""
    about = {"key": name, "parameter": name.partition("_")[2]} | CONTROLS[name] | options
    widget, label = getattr(st, about.pop("widget")), about.pop("label")
    choices, limits = about.pop("choices", None), about.pop("range", ())
    arguments = arguments or (limits if choices is None else (choices,))
    return linked(widget, label, *arguments, **about)


def _from_link(name: str, default: Any, arguments: tuple[Any, ...]) -> Any:
    """The first value of a widget; see `linked`."""
    if isinstance(default, bool):
        return parameter(name, "yes" if default else "no") in ("yes", "1")
    if isinstance(default, str):
        return parameter(name, default, tuple(arguments[0]) if arguments else None)
    lowest, highest = arguments if len(arguments) == 2 else (min(arguments[0]), max(arguments[0]))
    return number(name, default, lowest, highest)


def in_link(**values: str | float) -> None:
    """Add to what a link to the page says, as `linked` does by itself, until the next run of the page."""
    said = st.session_state.setdefault(_IN_LINK, {})
    for name, value in values.items():
        number = f"{value:g}" if isinstance(value, float) else str(value)
        said[name] = number if not isinstance(value, bool) else "yes" if value else "no"


def remember_page(**values: str | float) -> None:
    """As `remember`, with all that is `in_link`; what is empty is left out."""
    in_link(**values)
    remember(**{name: value for name, value in st.session_state[_IN_LINK].items() if value != ""})


def remember(**values: str | int) -> None:
    """Put the view into the address bar, so that a reload or a copied address opens it again."""
    texts = {key: packed(str(value)) for key, value in values.items()}
    st.session_state[LAST] = st.session_state.get(_PAGE, ""), texts, hidden.choices()
    texts |= _view() | st.session_state.get(_ALWAYS, {})
    if code := st.session_state.get(CLASS):
        texts[CLASS] = str(code)
    if texts != st.query_params.to_dict():
        st.query_params.from_dict(texts)


def in_every_address(**values: str) -> None:
    """Let the addresses of all pages say this, too, from now on; links to a view don't. An empty value ends that."""
    said = st.session_state.get(_ALWAYS, {}) | values
    st.session_state[_ALWAYS] = {name: value for name, value in said.items() if value}
    for name, value in values.items():
        if not value:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != value:  # a link between pages drops it
            st.query_params[name] = value


def link(**values: str | int) -> str:
    """The address of this page with these values."""
    page = (st.context.url or "").split("?")[0]
    values.pop(CLASS, None)  # it is the visitor's, not the view's
    return f"{page}?{urlencode(_view() | {key: packed(str(value)) for key, value in values.items()})}"


def _view() -> dict[str, str]:
    """What every address and link says besides the page's own values."""
    hide = ",".join(hidden.names())
    return ({theme.PRESENT: "1"} if theme.presenting() else {}) | ({hidden.HIDE: hide} if hide else {})


def show_link(note: str, **values: str | int) -> None:
    """The address of this page with these values, and a note on what it opens, behind a button.

    It says so where nobody else can open it.
    """
    with st.popover("Link to this view", icon=":material/link:"):
        if note:
            st.caption(note)
        choices = hidden.choices()
        hide = st.multiselect(
            "Hide in this link", list(choices), format_func=choices.__getitem__, key=f"hide_{fingerprint(note)}",
            help="For a class or a slide: whoever opens the link doesn't see these; they keep their values.",
        )  # fmt: skip
        address = link(**values, **({hidden.HIDE: ",".join(hide)} if hide else {}))
        st.code(address, language=None, wrap_lines=True)
        if urlsplit(address).hostname in ("localhost", "127.0.0.1", "::1"):
            st.caption(
                "Only this computer can open this address. For others, replace its first part by the *Network URL* "
                "that Streamlit prints when it starts."
            )


def packed(text: str) -> str:
    """A text for an address: as it is, or compressed if it is long; cut only if that is too long as well."""
    if not text.startswith(PACKED) and len(quote(text[: PLAIN + 1], errors="replace")) <= PLAIN:
        return text
    return _compressed(text[:LARGEST_TEXT])


@lru_cache(maxsize=16)  # a page says its text in its address and in each of its links
def _compressed(text: str) -> str:
    while True:
        data = base64.urlsafe_b64encode(zlib.compress(text.encode("utf-8", "replace"))).decode().rstrip("=")
        if len(data) <= LONGEST:
            return PACKED + data
        text = text[: int(len(text) * min(0.9, LONGEST / len(data)))]


def unpacked(value: str, default: str = "") -> str:
    """What `packed` was given; the default if it is damaged."""
    if not value.startswith(PACKED):
        return value
    try:
        data = base64.urlsafe_b64decode(value.removeprefix(PACKED) + "===")
        stream = zlib.decompressobj()
        text = stream.decompress(data, 4 * LARGEST_TEXT).decode("utf-8")
    except (ValueError, zlib.error):
        return default
    return text if stream.eof else default


def fingerprint(text: str) -> str:
    """A short hash of a text for widget keys: another text gets another widget."""
    return f"{zlib.crc32(text.encode('utf-8', 'replace')):08x}"
