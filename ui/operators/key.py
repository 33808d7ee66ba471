"""The operator's key: LSTM_LAB_OPERATOR_KEY. Without that setting there is no such page."""

import hashlib
import hmac
import logging
import os

import streamlit as st

from lstm_core.classroom import Attempts
from ui.common import visitor
from ui.operations import metrics

log = logging.getLogger("lstm_lab.operations")

WRONG = Attempts(10, 600.0)  # wrong keys from one network address
ENTERED = "_operator"


def entered() -> bool:
    """Whether this session has shown the key; asks for it if it hasn't."""
    expected = os.environ.get("LSTM_LAB_OPERATOR_KEY", "")
    if not expected:
        st.info("This server has no operator's page: LSTM_LAB_OPERATOR_KEY isn't set.")
        return False
    if st.session_state.get(ENTERED) == _hash(expected):
        return True
    asked = st.empty()
    typed = asked.text_input("Key", type="password", max_chars=200, help="LSTM_LAB_OPERATOR_KEY of this server.")
    if not typed:
        return False
    if not WRONG.left(visitor.address()):
        st.error("Too many wrong keys have come from this network; try again in ten minutes.")
    elif hmac.compare_digest(_hash(typed), _hash(expected)):
        st.session_state[ENTERED] = _hash(expected)
        asked.empty()
        return True
    else:
        WRONG.note(visitor.address())
        metrics.refused("operator key")
        log.warning("a wrong operator's key")
        st.error("This is not the key.")
    return False


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
