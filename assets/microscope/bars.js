// All units at one timestep as sorted bars; a click selects a unit. Also `prepare`, which both canvases use.

/** Sizes a canvas to its box at the screen's resolution; returns its context and size in CSS pixels. */
function prepare(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = window.devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

class Bars {
  constructor(parent, trace, choose) {
    this.trace = trace;
    const figure = html("div", { class: "bars" }, parent);
    this.canvas = html("canvas", { role: "img", class: "plot" }, figure);
    this.note = html("div", { class: "note" }, figure, "");
    this.order = Array.from({ length: trace.units }, (_, unit) => unit);
    this.hovered = null;
    this.canvas.addEventListener("pointerdown", (event) => choose(this.under(event)));
    this.canvas.addEventListener("pointermove", (event) => this.hover(this.under(event)));
    this.canvas.addEventListener("pointerleave", () => this.hover(null));
  }

  under(event) {
    const box = this.canvas.getBoundingClientRect();
    const place = Math.floor(((event.clientX - box.left) / box.width) * this.order.length);
    return this.order[Math.max(0, Math.min(this.order.length - 1, place))];
  }

  hover(unit) {
    if (unit === this.hovered) return;
    this.hovered = unit;
    if (this.last) this.update(...this.last);
  }

  update(t, unit, signal, colours) {
    this.last = [t, unit, signal, colours];
    const { trace, order } = this;
    const start = t * trace.units;
    const values = trace.signals[signal.letter];
    order.sort((a, b) => values[start + b] - values[start + a] || a - b);
    this.paint(values.subarray(start, start + trace.units), unit, signal, colours);
    const rank = order.indexOf(unit) + 1;
    const current = this.hovered ?? unit;
    this.note.textContent = `unit ${current}: ${signal.letter} = ${shown(values[start + current])}`
      + ` · ${order.indexOf(current) + 1} of ${trace.units}`;
    const label = `Bars: ${signal.name} of all ${trace.units} units, sorted. Unit ${unit} is number ${rank} with `
      + `${shown(values[start + unit])}; the highest is unit ${order[0]} with ${shown(values[start + order[0]])}.`;
    if (this.label !== label && !this.quiet) this.canvas.setAttribute("aria-label", (this.label = label));
  }

  paint(values, unit, signal, colours) {
    const { context, width, height } = prepare(this.canvas);
    const { order, trace } = this;
    const before = trace.before[signal.letter];
    const reach = trace.reach[signal.letter];
    const [top, bottom] = [8, 22];
    const room = height - top - bottom;
    const zero = signal.gate ? top + room : top + room / 2;
    const scale = (signal.gate ? room : room / 2) / reach;
    const step = width / order.length;
    const gap = step > 3 ? Math.min(step * 0.2, 6) : 0.4;
    context.fillStyle = colours.line;
    context.fillRect(0, zero - 0.5, width, 1);
    order.forEach((one, place) => {
      const tall = values[one] * scale;
      context.globalAlpha = one === unit || one === this.hovered ? 1 : 0.42;
      context.fillStyle = signal.colour;
      context.fillRect(place * step + gap / 2, Math.min(zero, zero - tall), step - gap, Math.max(1, Math.abs(tall)));
      if (before) {
        context.fillStyle = colours.text;
        context.fillRect(place * step, zero - before[this.last[0] * trace.units + one] * scale - 1, step, 2);
      }
      if (one === unit) this.pointer(context, (place + 0.5) * step, height - bottom, width, unit, colours, step - gap, zero, tall);
    });
    context.globalAlpha = 1;
  }

  /** Frames the selected bar and marks it with an arrow and its number. */
  pointer(context, x, y, width, unit, colours, wide, zero, tall) {
    context.strokeStyle = context.fillStyle = colours.text;
    context.lineWidth = 1.5;
    context.strokeRect(x - wide / 2, Math.min(zero, zero - tall), wide, Math.max(2, Math.abs(tall)));
    context.beginPath();
    context.moveTo(x, y + 2);
    context.lineTo(x - 5, y + 9);
    context.lineTo(x + 5, y + 9);
    context.fill();
    context.font = `600 13px ${colours.font}`;
    context.textAlign = x < 36 ? "left" : x > width - 36 ? "right" : "center";
    context.textBaseline = "middle";
    const place = x < 36 ? x + 9 : x > width - 36 ? x - 9 : x;
    context.fillText(`unit ${unit}`, place, y + 15 + (place === x ? 2 : -1));
  }
}
