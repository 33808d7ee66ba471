// A text whose characters are tinted and can be selected by click or arrow keys.
// Everything from outside goes through textContent; nothing is parsed as HTML.

const PATIENCE = 4000; // ms
const VISIBLE = { "\n": "↵\n" };

function alphaOf(value, limit) {
  const share = Math.min(Math.abs(value) / limit, 1);
  return Math.round(share * 205).toString(16).padStart(2, "0");
}

function paint(span, index, data) {
  const value = data.values[index];
  const colour = value < 0 ? data.below : data.above;
  span.style.backgroundColor = value === undefined ? "" : colour + alphaOf(value, data.limit);
  span.title = value === undefined ? "" : `${index + 1}: ${data.name} ${value.toFixed(2)}`;
}

function grow(text, data, state) {
  const characters = Array.from(data.text);
  const same = characters.length >= state.characters.length && state.characters.every((character, index) => character === characters[index]);
  if (!same) {
    text.replaceChildren();
    state.characters = [];
  }
  const fresh = characters.length - state.characters.length;
  for (let index = state.characters.length; index < characters.length; index += 1) {
    const span = document.createElement("span");
    span.className = "character";
    span.textContent = VISIBLE[characters[index]] ?? characters[index];
    span.dataset.index = index;
    if (data.beat && fresh < characters.length + 1) {
      const place = index - (characters.length - fresh);
      span.style.animationDelay = `${(place / Math.max(fresh, 1)) * data.beat}ms`;
      span.classList.add("fresh");
    }
    text.append(span);
  }
  state.characters = characters;
}

function mark(text, index) {
  text.querySelector(".chosen")?.classList.remove("chosen");
  const span = text.children[index];
  if (!span) return;
  span.classList.add("chosen");
  const box = text.getBoundingClientRect();
  const place = span.getBoundingClientRect();
  if (place.top < box.top || place.bottom > box.bottom) {
    text.scrollTop += place.top - box.top - box.height / 2;
  }
}

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const root = parentElement.querySelector(".written");
  const [prompt, text] = root.children;
  const state = (root.state ??= { characters: [], chosen: null, timer: 0 });

  root.setAttribute("aria-label", data.label);
  text.setAttribute("aria-label", `${data.label}. Arrow keys select a character.`);
  prompt.textContent = data.prompt;
  grow(text, data, state);
  for (let index = 0; index < text.children.length; index += 1) paint(text.children[index], index, data);
  root.classList.toggle("busy", Boolean(data.beat));
  // After a lost connection Streamlit sends no more beats, and a busy page may leave out the second of two drawings: ask
  // for one when they have stayed away, also after the end of this drawing.
  clearTimeout(state.silence);
  const ask = () => root.isConnected && setStateValue("silent", data.text.length);
  if (data.beat) state.silence = setTimeout(ask, PATIENCE);
  if (!state.timer) state.chosen = data.chosen; // else a later choice is on its way
  if (state.chosen !== null) mark(text, state.chosen);
  if (data.beat || state.writing) root.scrollTop = root.scrollHeight; // the last characters come with the end
  state.writing = Boolean(data.beat);

  const choose = (index) => {
    const last = state.characters.length - 1;
    if (last < 0 || data.beat) return;
    state.chosen = Math.min(Math.max(index, 0), last);
    mark(text, state.chosen);
    clearTimeout(state.timer);
    state.timer = setTimeout(() => {
      state.timer = 0;
      if (root.isConnected) setStateValue("chosen", state.chosen);
    }, 120);
  };
  text.onclick = (event) => {
    const index = event.target.dataset?.index;
    if (index !== undefined) choose(Number(index));
  };
  text.onkeydown = (event) => {
    const here = state.chosen ?? state.characters.length - 1;
    const moves = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: state.characters.length - 1 };
    if (event.key in moves) {
      event.preventDefault();
      choose(moves[event.key]);
    }
  };
}
