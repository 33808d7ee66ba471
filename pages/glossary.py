"""The words of the field, each with a page on which it can be seen."""

import streamlit as st

from ui.common import assets

st.title("Glossary", anchor=False)
st.markdown("The words that the pages use, in a sentence each, and where to see what they mean.")
wanted = st.text_input("Search", key="glossary_search", max_chars=60, placeholder="gate, gradient, temperature …")
terms = assets.table("glossary.toml")["terms"]
found = {term: entry for term, entry in terms.items() if wanted.strip().lower() in f"{term} {entry['text']}".lower()}
for term, entry in found.items():
    words, link = st.columns([5, 1], vertical_alignment="center")
    words.markdown(f"**{term}** · {entry['text']}")
    file = f"{entry['page'].lower().replace(' ', '_')}.py"
    link.page_link(file, label=entry["page"], icon=":material/visibility:", query_params=entry.get("settings"))
if not found:
    st.info("No term here has that in it; try a shorter word.")
