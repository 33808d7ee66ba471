// One unit over the text: a row for each signal, its line painted once for each unit; a cursor marks the token.

class Life {
  constructor(parent, trace, go) {
    this.trace = trace;
    this.root = html("div", { class: "life" }, parent);
    this.rows = trace.palette.map((signal) => {
      const row = html("div", { class: "row", style: `--colour:${signal.colour}` }, this.root);
      const name = html("div", { class: "label" }, row);
      html("i", {}, name, signal.letter);
      html("span", {}, name, signal.name);
      const canvas = html("canvas", { role: "img" }, html("div", { class: "track" }, row));
      return { signal, canvas, value: html("span", { class: "reading", "data-life": signal.letter }, row, "") };
    });
    this.surface = html("div", { class: "surface" }, this.root);
    this.cursor = html("div", { class: "cursor" }, this.surface);
    this.ghost = html("div", { class: "cursor ghost" }, this.surface);
    this.tip = html("div", { class: "tip" }, this.surface, "");
    this.listen(go);
  }

  listen(go) {
    let dragging = false;
    const at = (event) => {
      const box = this.surface.getBoundingClientRect();
      const t = Math.floor(((event.clientX - box.left) / box.width) * this.trace.length);
      return Math.max(0, Math.min(this.trace.length - 1, t));
    };
    this.surface.addEventListener("pointerdown", (event) => {
      dragging = true;
      this.surface.setPointerCapture(event.pointerId);
      go(at(event));
    });
    this.surface.addEventListener("pointermove", (event) => {
      this.hover(at(event));
      if (dragging) go(at(event));
    });
    for (const name of ["pointerup", "pointercancel"]) this.surface.addEventListener(name, () => (dragging = false));
    this.surface.addEventListener("pointerleave", () => this.hover(null));
  }

  middle(t) {
    return ((t + 0.5) / this.trace.length) * this.surface.clientWidth;
  }

  hover(t) {
    this.hovered = t;
    this.ghost.hidden = this.tip.hidden = t === null;
    if (t === null) return;
    const x = this.middle(t);
    this.ghost.style.transform = `translateX(${x}px)`;
    const numbers = this.rows.map(({ signal }) => `${signal.letter} ${shown(this.trace.at(signal.letter, t, this.unit))}`);
    this.tip.textContent = `${t + 1} “${visible(this.trace.tokens[t]).slice(0, 24)}”  ${numbers.join("  ")}`;
    const room = this.surface.clientWidth - this.tip.offsetWidth;
    this.tip.style.transform = `translateX(${Math.max(0, Math.min(room, x - this.tip.offsetWidth / 2))}px)`;
  }

  /** Paints all lines of a unit. */
  paint(unit, colours) {
    this.unit = unit;
    for (const { signal, canvas } of this.rows) {
      const { context, width, height } = prepare(canvas);
      const room = height - 8;
      const reach = this.reachOf(signal, unit);
      const y = (value) => (signal.gate ? 4 + room * (1 - value) : 4 + (room / 2) * (1 - value / reach));
      context.fillStyle = colours.line;
      context.fillRect(0, y(0) - 0.5, width, 1);
      if (this.trace.before[signal.letter]) {
        this.line(context, this.trace.before[signal.letter], unit, width, y, colours.text, [4, 3]);
      }
      this.line(context, this.trace.signals[signal.letter], unit, width, y, signal.colour, null);
      canvas.setAttribute("aria-label", this.summary(signal, unit));
    }
    this.hover(null);
  }

  /** Gates fill 0…1; a state's row is scaled to this unit, so that small values can be seen. */
  reachOf(signal, unit) {
    if (signal.gate) return 1;
    let most = signal.letter === "c" ? 0.1 : 1;
    const { length, units, signals, before } = this.trace;
    for (const values of [signals[signal.letter], before[signal.letter] ?? []]) {
      for (let n = unit; n < length * units; n += units) most = Math.max(most, Math.abs(values[n] ?? 0));
    }
    return most;
  }

  line(context, values, unit, width, y, colour, dash) {
    const { length, units } = this.trace;
    const step = width / length;
    context.beginPath();
    for (let t = 0; t < length; t += 1) {
      const value = y(values[t * units + unit]);
      if (t === 0) context.moveTo(0, value);
      context.lineTo(t * step, value);
      context.lineTo((t + 1) * step, value);
    }
    context.strokeStyle = colour;
    context.lineWidth = dash ? 1.5 : 2.5;
    context.setLineDash(dash ?? []);
    context.stroke();
    if (dash) return;
    context.lineTo(width, y(0));
    context.lineTo(0, y(0));
    context.globalAlpha = 0.16;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = 1;
  }

  summary(signal, unit) {
    let [low, high] = [Infinity, -Infinity];
    for (let t = 0; t < this.trace.length; t += 1) {
      const value = this.trace.at(signal.letter, t, unit);
      [low, high] = [Math.min(low, value), Math.max(high, value)];
    }
    return `${signal.name} of unit ${unit} over ${this.trace.length} tokens: from ${shown(low)} to ${shown(high)}.`;
  }

  show(t) {
    this.cursor.style.transform = `translateX(${this.middle(t)}px)`;
    for (const { signal, value } of this.rows) value.textContent = shown(this.trace.at(signal.letter, t, this.unit));
  }
}
