// A text whose characters can be tinted, clicked and walked through with the arrow keys.
// Everything from outside goes through textContent; nothing is parsed as HTML.

const VISIBLE = { "\n": "↵\n" };

function alphaOf(value, reach) {
  const share = Math.min(Math.abs(value) / reach, 1);
  return Math.round(share * 205).toString(16).padStart(2, "0");
}

function paint(span, index, data) {
  const value = data.values[index];
  const colour = value < 0 ? data.below : data.above;
  span.style.backgroundColor = value === undefined ? "" : colour + alphaOf(value, data.reach);
  span.title = value === undefined ? "" : `${index + 1}: ${data.name} ${value.toFixed(2)}`;
}

function grow(text, data, state) {
  const signs = Array.from(data.text);
  const same = signs.length >= state.signs.length && state.signs.every((sign, index) => sign === signs[index]);
  if (!same) {
    text.replaceChildren();
    state.signs = [];
  }
  const fresh = signs.length - state.signs.length;
  for (let index = state.signs.length; index < signs.length; index += 1) {
    const span = document.createElement("span");
    span.className = "sign";
    span.textContent = VISIBLE[signs[index]] ?? signs[index];
    span.dataset.index = index;
    if (data.beat && fresh < signs.length + 1) {
      const place = index - (signs.length - fresh);
      span.style.animationDelay = `${(place / Math.max(fresh, 1)) * data.beat}ms`;
      span.classList.add("fresh");
    }
    text.append(span);
  }
  state.signs = signs;
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
  const state = (root.state ??= { signs: [], chosen: null, timer: 0 });

  root.setAttribute("aria-label", data.label);
  text.setAttribute("aria-label", `${data.label}. Arrow keys choose a character.`);
  prompt.textContent = data.prompt;
  grow(text, data, state);
  for (let index = 0; index < text.children.length; index += 1) paint(text.children[index], index, data);
  root.classList.toggle("busy", Boolean(data.beat));
  state.chosen = data.chosen;
  if (data.beat) root.scrollTop = root.scrollHeight;
  if (data.chosen !== null) mark(text, data.chosen);

  const choose = (index) => {
    const last = state.signs.length - 1;
    if (last < 0 || data.beat) return;
    state.chosen = Math.min(Math.max(index, 0), last);
    mark(text, state.chosen);
    clearTimeout(state.timer);
    state.timer = setTimeout(() => setStateValue("chosen", state.chosen), 120);
  };
  text.onclick = (event) => {
    const index = event.target.dataset?.index;
    if (index !== undefined) choose(Number(index));
  };
  text.onkeydown = (event) => {
    const here = state.chosen ?? state.signs.length - 1;
    const moves = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: state.signs.length - 1 };
    if (event.key in moves) {
      event.preventDefault();
      choose(moves[event.key]);
    }
  };
  return () => clearTimeout(state.timer);
}
