// Draws a plan as SVG, once, and puts the live numbers and the step into it.

const SVG = "http://www.w3.org/2000/svg";

function svg(name, attributes = {}, parent = null, text = null) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== null) element.textContent = text;
  parent?.append(element);
  return element;
}

function html(name, attributes = {}, parent = null, text = null) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== null) element.textContent = text;
  parent?.append(element);
  return element;
}

/** A symbol such as c_{t−1} with its index lowered; only ever called with our own words. */
function symbol(parent, text, make, lowered) {
  for (const [index, part] of text.split(/_\{|\}/).entries()) {
    if (part) lowered(make(parent, part), index % 2 === 1);
  }
}

function svgSymbol(parent, text) {
  let low = false;
  symbol(parent, text, (where, part) => svg("tspan", {}, where, part), (span, lower) => {
    if (lower !== low) span.setAttribute("dy", lower ? "5" : "-5");
    if (lower) span.setAttribute("font-size", "70%");
    low = lower;
  });
}

class Diagram {
  /** `palette` is letter → colour. */
  constructor(parent, trace, palette) {
    const plan = PLANS[trace.kind]();
    this.functions = trace.functions;
    this.shares = trace.palette.filter(({ gate }) => gate).map(({ letter }) => letter);
    this.palette = palette;
    this.parts = [];
    this.numbers = [];
    this.levels = [];
    const [width, height] = plan.size;
    this.root = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: "diagram", "aria-label": "Cell" }, parent);
    this.heads();
    const [x, y, w, h] = plan.cell;
    svg("rect", { x, y, width: w, height: h, rx: 26, class: "body" }, this.root);
    plan.wires.forEach((wire) => this.wire(wire));
    plan.signs.forEach((sign) => this.sign(sign));
    plan.gates.forEach((gate) => this.gate(gate));
    plan.values.forEach((value) => this.value(value));
    this.tokenPlace(plan.token, width);
  }

  heads() {
    const defs = svg("defs", {}, this.root);
    for (const [letter, colour] of Object.entries(this.palette)) {
      const head = svg("marker", { id: `head-${letter}`, viewBox: "0 0 10 10", refX: 8.5, refY: 5, markerWidth: 15,
        markerHeight: 15, markerUnits: "userSpaceOnUse", orient: "auto" }, defs);
      svg("path", { d: "M0 0L10 5L0 10z", style: `fill:${colour}` }, head);
    }
  }

  part(step, letter, classes) {
    const group = svg("g", { class: classes, style: `--colour:${this.palette[letter]}` }, this.root);
    this.parts.push({ group, step });
    return group;
  }

  wire({ step, letter, d, arrow, thick }) {
    const group = this.part(step, letter, thick ? "wire thick" : "wire");
    svg("path", { d, class: "line", ...(arrow ? { "marker-end": `url(#head-${letter})` } : {}) }, group);
    svg("path", { d, class: "flow" }, group);
  }

  sign({ step, letter, x, y, label }) {
    const group = this.part(step, letter, "sign");
    svg("circle", { cx: x, cy: y, r: 18 }, group);
    svg("text", { x, y: y + (label.length > 1 ? 6 : 8), "font-size": label.length > 1 ? 18 : 25 }, group, label);
  }

  gate({ step, letter, x, y, half, label, name, value, round }) {
    const [w, h] = half;
    const group = this.part(step, letter, "gate");
    const box = { x: x - w, y: y - h, width: 2 * w, height: 2 * h, rx: round ? h : 8 };
    svg("rect", { ...box, class: "ground" }, group);
    const clip = svg("clipPath", { id: `clip-${letter}-${value ?? "gate"}` }, group);
    svg("rect", box, clip);
    const level = svg("rect", { x: box.x, width: box.width, class: "level",
      "clip-path": `url(#clip-${letter}-${value ?? "gate"})` }, group);
    this.levels.push({ level, value: value ?? letter, y, h, gate: this.shares.includes(value ?? letter) });
    svg("rect", { ...box, class: "frame" }, group);
    const text = named(label, this.functions);
    const room = 2 * w - 10;
    const fit = text.length > label.length + 1 ? { textLength: room, lengthAdjust: "spacingAndGlyphs" } : {};
    svg("text", { x, y: y + 7, class: "function", ...fit }, group, text);
    if (name) svg("text", { x: x + 9, y: y + h + 24, class: "name" }, group, name);
  }

  value({ step, letter, value, at: [x, y], label, side, dy }) {
    const group = this.part(step, letter, "value");
    const half = 39;
    const box = svg("rect", { x: x - half, y: y - 15, width: 2 * half, height: 30, rx: 15 }, group);
    const text = svg("text", { x, y: y + 7, "data-value": value }, group, "");
    this.numbers.push({ text, value, box });
    if (!label) return;
    const sides = {
      left: { x: x - half - 5, y: y + 6, class: "symbol end" },
      right: { x: x + half + 5, y: y + 6, class: "symbol start" },
      off: { x, y: y + (dy ?? 0) + 3, class: "symbol" },
    };
    const place = sides[side ?? "off"];
    svgSymbol(svg("text", place, group), label);
  }

  tokenPlace([x, y], width) {
    const group = svg("g", { class: "token" }, this.root);
    const reach = Math.min(x, width - x) - 4;
    this.tokenBox = svg("rect", { y: y - 22, height: 44, rx: 10 }, group);
    this.tokenText = svg("text", { x, y: y + 8, direction: "ltr" }, group, "");
    this.tokenReach = Math.min(reach, 190);
    this.tokenX = x;
    svgSymbol(svg("text", { x: x + 12, y: y - 34, class: "symbol start" }, group), "x_{t}");
  }

  /** Numbers of one unit at one timestep; `step` is where playback stands, or null for all. */
  update(values, token, step) {
    for (const { text, value } of this.numbers) text.textContent = shown(values[value]);
    for (const { level, value, y, h, gate } of this.levels) {
      const number = Math.max(-1, Math.min(1, values[value]));
      const height = gate ? 2 * h * Math.max(0, number) : h * Math.abs(number);
      level.setAttribute("height", height);
      level.setAttribute("y", gate ? y + h - height : number > 0 ? y - height : y);
    }
    const signs = [...visible(token)];
    const most = Math.floor((2 * this.tokenReach - 24) / 13);
    this.tokenText.textContent = signs.length > most ? `${signs.slice(0, most - 1).join("")}…` : signs.join("");
    const half = Math.min(this.tokenReach, 20 + 6.6 * Math.min(signs.length, most));
    this.tokenBox.setAttribute("x", this.tokenX - half);
    this.tokenBox.setAttribute("width", 2 * half);
    this.mark(step);
  }

  mark(step) {
    for (const part of this.parts) {
      part.group.classList.toggle("on", step !== null && part.step === step);
      part.group.classList.toggle("later", step !== null && part.step > step);
    }
  }

  describe(text) {
    this.root.setAttribute("aria-label", text);
  }
}
