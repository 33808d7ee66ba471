// Heat maps of all units over the text, one a signal; a click chooses token and unit.

const SHARE = 0.995; // of a state's absolute values that its colours cover; larger ones are clipped

class Maps {
  /** `choose(t, unit)` is called by a click; the parent's `data-order` is the order of the units from the top. */
  constructor(parent, trace, choose) {
    this.trace = trace;
    this.order = parent.dataset.order.split(",").map(Number);
    this.rank = new Map(this.order.map((unit, row) => [unit, row]));
    this.maps = trace.palette.map((signal) => this.map(parent, signal, choose));
  }

  map(parent, signal, choose) {
    const { trace } = this;
    const values = trace.signals[signal.letter];
    const reach = signal.gate ? 1 : this.limit(values);
    const figure = html("figure", { style: `--colour:${signal.colour}` }, parent);
    const caption = html("figcaption", {}, figure);
    html("b", {}, caption, signal.letter);
    html("span", {}, caption, ` ${signal.name}, ${signal.gate ? "0 … 1" : `−${reach.toPrecision(2)} … ${reach.toPrecision(2)}`}`);
    const reading = html("output", {}, caption, "");
    const frame = html("div", { class: "frame" }, figure);
    const canvas = html("canvas", { role: "img", width: trace.length, height: trace.units }, frame);
    canvas.setAttribute("aria-label", this.summary(signal, values));
    const cursor = html("div", { class: "cursor" }, frame);
    const row = html("div", { class: "row" }, frame);
    this.paint(canvas, signal, values, reach);
    frame.addEventListener("click", (event) => choose(...this.under(event, frame)));
    frame.addEventListener("pointermove", (event) => {
      const [t, unit] = this.under(event, frame);
      frame.title = `${t + 1} “${visible(trace.tokens[t])}”, unit ${unit}: ${signal.letter} = ${shown(trace.at(signal.letter, t, unit))}`;
    });
    return { signal, reading, cursor, row };
  }

  limit(values) {
    const sorted = Float64Array.from(values, Math.abs).sort();
    return Math.max(sorted[Math.floor(SHARE * (sorted.length - 1))] ?? 0, 1e-6);
  }

  summary(signal, values) {
    let [low, high] = [Infinity, -Infinity];
    for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
    return `Heat map: ${signal.name}, ${this.trace.units} units by ${this.trace.length} tokens, from ${shown(low)} to ${shown(high)}.`;
  }

  /** One pixel a value: its colour, more opaque the larger it is; zero shows the ground. */
  paint(canvas, signal, values, reach) {
    const { length, units, sides } = this.trace;
    const context = canvas.getContext("2d");
    const image = context.createImageData(length, units);
    const [above, below] = (signal.gate ? [signal.colour, signal.colour] : sides).map(channels);
    this.order.forEach((unit, row) => {
      for (let t = 0; t < length; t += 1) {
        const value = values[t * units + unit] / reach;
        image.data.set([...(value < 0 ? below : above), 255 * Math.min(1, Math.abs(value))], 4 * (row * length + t));
      }
    });
    context.putImageData(image, 0, 0);
  }

  under(event, frame) {
    const box = frame.getBoundingClientRect();
    const place = (at, size, count) => Math.max(0, Math.min(count - 1, Math.floor((at / size) * count)));
    const { length, units } = this.trace;
    return [place(event.clientX - box.left, box.width, length), this.order[place(event.clientY - box.top, box.height, units)]];
  }

  /** Marks a token and a unit. */
  show(t, unit) {
    const { length, units } = this.trace;
    for (const { signal, reading, cursor, row } of this.maps) {
      cursor.style.left = `${(100 * t) / length}%`;
      cursor.style.width = `${100 / length}%`;
      row.style.top = `${(100 * this.rank.get(unit)) / units}%`;
      row.style.height = `${100 / units}%`;
      reading.textContent = `unit ${unit}: ${shown(this.trace.at(signal.letter, t, unit))}`;
    }
  }
}

/** Red, green and blue of "#rrggbb". */
function channels(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}
