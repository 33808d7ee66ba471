// The controls: playback, speed, unit, link, signal. They only call the functions they are given.

const SPEEDS = [0.5, 1, 2, 4];
const ICONS = {
  first: "M6 5h2v14H6zM20 5v14L9 12z", previous: "M17 5v14L6 12z", next: "M7 5v14l11-7z", last: "M16 5h2v14h-2zM4 5v14l11-7z",
  play: "M7 4v16l13-8z", pause: "M6 4h4v16H6zM14 4h4v16h-4z",
};

function icon(name) {
  const root = svg("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" });
  svg("path", { d: ICONS[name] }, root);
  return root;
}

class Controls {
  /** `act` has: go(t), move(by), play(), speed(by), unit(n), steps(), link(). */
  constructor(parent, trace, act) {
    this.trace = trace;
    this.root = html("div", { class: "controls", role: "toolbar", "aria-label": "Playback" }, parent);
    const transport = html("div", { class: "group" }, this.root);
    this.button(transport, "first", "First token (Home)", () => act.go(0));
    this.button(transport, "previous", "Previous token (←)", () => act.move(-1));
    this.play = this.button(transport, "play", "Play (space)", () => act.play());
    this.play.classList.add("primary");
    this.button(transport, "next", "Next token (→)", () => act.move(1));
    this.button(transport, "last", "Last token (End)", () => act.go(trace.length - 1));
    this.speeds(act);
    this.place = html("span", { class: "place" }, this.root, "");
    this.units(trace, act);
    if (!act.link) return;
    this.link = this.toggle("Copy link", "Copies the address of this view", () => act.link());
    this.link.removeAttribute("aria-pressed");
  }

  button(parent, name, label, action) {
    const button = html("button", { type: "button", class: "round", "aria-label": label, title: label }, parent);
    button.append(icon(name));
    button.addEventListener("click", action);
    return button;
  }

  toggle(text, title, action) {
    const button = html("button", { type: "button", class: "plain", "aria-pressed": "false", title }, this.root, text);
    button.addEventListener("click", action);
    return button;
  }

  speeds(act) {
    const group = html("div", { class: "group", role: "group", "aria-label": "Speed" }, this.root);
    this.rates = SPEEDS.map((speed) => {
      const text = `${speed}×`;
      const button = html("button", { type: "button", class: "plain rate", title: "Speed (+ and −)" }, group, text);
      button.addEventListener("click", () => act.speed(speed));
      return { speed, button };
    });
    this.steps = this.toggle("Every step", "Pause at each step of the computation, or only at each token", () => act.steps());
  }

  units(trace, act) {
    const label = html("label", { class: "unit" }, this.root, "Unit ");
    this.number = html("input", { type: "number", min: "0", max: String(trace.units - 1), step: "1" }, label);
    html("span", {}, label, ` of ${trace.units}`);
    this.number.addEventListener("change", () => {
      const number = Math.round(Number(this.number.value));
      act.unit(Number.isFinite(number) ? Math.max(0, Math.min(trace.units - 1, number)) : 0);
    });
  }

  update({ t, unit, playing, speed, everyStep }) {
    const label = playing ? "Pause (space)" : "Play (space)";
    if (this.play.title !== label) {
      this.play.title = label;
      this.play.setAttribute("aria-label", label);
      this.play.replaceChildren(icon(playing ? "pause" : "play"));
    }
    for (const one of this.rates) one.button.setAttribute("aria-pressed", String(one.speed === speed));
    this.steps.setAttribute("aria-pressed", String(everyStep));
    this.place.textContent = `token ${t + 1} of ${this.trace.length}`;
    if (this.number.getRootNode().activeElement !== this.number) this.number.value = unit;
  }
}

/** A choice of one signal, as a row of buttons in their colours. */
class SignalChoice {
  constructor(parent, palette, choose) {
    this.root = html("div", { class: "choice", role: "group", "aria-label": "Signal shown in the bars" }, parent);
    this.buttons = palette.map((signal) => {
      const button = html("button", { type: "button", class: "plain", style: `--colour:${signal.colour}`,
        title: signal.help }, this.root);
      html("i", {}, button, signal.letter);
      html("span", {}, button, ` ${signal.name}`);
      button.addEventListener("click", () => choose(signal.letter));
      return { letter: signal.letter, button };
    });
  }

  update(letter) {
    for (const one of this.buttons) one.button.setAttribute("aria-pressed", String(one.letter === letter));
  }
}
