// The microscope: view, playback, keys. All of it runs in the browser; Python sends the trace once.
// Its host says what is around it: `clamp(letter, value)` calls Python, `moved(t, unit, signal)` is told of a view that
// is stable, `address(t, unit, signal)` gives the link that is copied, `shown(t, unit, signal)` follows every token, and
// `everywhere` says whether keys count while the focus is elsewhere on the page. Each of them may be missing.

const STEP_MS = 420; // one step of the computation at 1×
const TOKEN_MS = 600; // one token at 1×, if steps are not shown
const SETTLED_MS = 350; // delay before the address and the description are updated

class Microscope {
  constructor(parent, host) {
    this.host = host;
    this.root = html("section", { class: "microscope", "aria-label": "Cell microscope" }, parent);
    this.root.tabIndex = -1;
    this.still = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.state = { t: 0, unit: 0, step: null, playing: false, speed: 1, everyStep: true, signal: null };
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.root.addEventListener("pointerdown", () => this.takeFocus());
    this.elsewhere = (event) => this.keyElsewhere(event);
    this.pointed = () => (this.tabbed = false);
    this.frame = this.frame.bind(this);
    this.sound = new Sound(() => this.show());
    this.resized = new ResizeObserver(() => this.resize());
  }

  /** Begins to listen to the page; Streamlit calls `end` before each update, too. */
  begin() {
    this.resized.observe(this.root);
    if (!this.host.everywhere) return;
    document.addEventListener("keydown", this.elsewhere);
    document.addEventListener("pointerdown", this.pointed);
  }

  /** Shows another payload; the token stays if the text is the same, and the unit if the layer is the same. */
  load(data) {
    const trace = unpack(data);
    if (trace.id === this.trace?.id) return this.repaint();
    const old = this.trace;
    const sameText = old && old.place === trace.place && old.length === trace.length;
    const sameLayer = sameText && old.layer === trace.layer && old.units === trace.units;
    this.pause();
    this.trace = trace;
    this.cell = cellOf(trace);
    this.palette = Object.fromEntries(trace.palette.map((signal) => [signal.letter, signal.colour]));
    this.palette.x = "var(--grey)";
    const { state } = this;
    if (!sameText) state.t = trace.start.t;
    if (!sameLayer) state.unit = trace.start.unit;
    state.step = null;
    if (!this.palette[state.signal]) state.signal = trace.kind === "lstm" ? "c" : "h";
    this.build();
    this.repaint();
  }

  build() {
    const { trace, root } = this;
    root.replaceChildren();
    this.controls = new Controls(root, trace, {
      go: (t) => this.go(t), move: (by) => this.go(this.state.t + by), play: () => this.toggle(),
      speed: (speed) => this.speed(speed), unit: (unit) => this.choose(unit),
      steps: () => this.everyStep(), link: this.host.address && (() => this.copyLink()),
    });
    this.strip = new Strip(root, trace, (t) => this.go(t));
    this.answer = new Answer(root, trace.answers);
    const bench = html("div", { class: "bench" }, root);
    this.diagram = new Diagram(html("div", { class: "stage" }, bench), trace, this.palette);
    this.equations = new Equations(bench, this.cell, this.palette, (step) => this.chooseStep(step), this.host.clamp);
    const below = html("div", { class: "below" }, root);
    const layer = html("div", { class: "panel" }, below);
    html("h3", {}, layer, `All ${trace.units} units, sorted`);
    this.choice = new SignalChoice(layer, trace.palette, (letter) => this.chooseSignal(letter));
    this.bars = new Bars(layer, trace, (unit) => this.choose(unit));
    const life = html("div", { class: "panel" }, below);
    const title = html("div", { class: "title" }, life);
    this.lifeTitle = html("h3", {}, title, "");
    title.append(this.sound.button);
    this.life = new Life(life, trace, (t) => this.go(t));
    const where = this.host.everywhere ? "Space plays · ← → token · in the microscope also" : "In the microscope: Space plays · ← → token ·";
    html("p", { class: "keys" }, root, `${where} ↑ ↓ unit, Home, End, + − speed; Enter presses a button`);
    this.live = html("div", { class: "only-heard", role: "status", "aria-live": "polite" }, root, "");
  }

  // --- Actions ---------------------------------------------------------------------------------

  go(t) {
    if (this.state.playing) this.state.step = null;
    this.state.t = Math.max(0, Math.min(this.trace.length - 1, t));
    this.since = performance.now();
    if (!this.state.playing) this.state.step = null;
    this.show();
  }

  choose(unit) {
    this.state.unit = unit;
    this.paintUnit();
    this.show();
  }

  chooseSignal(letter) {
    this.state.signal = letter;
    this.paintUnit();
    this.show();
  }

  chooseStep(step) {
    this.pause();
    this.state.step = this.state.step === step ? null : step;
    this.show();
  }

  speed(speed) {
    this.state.speed = speed;
    this.show();
  }

  everyStep() {
    this.state.everyStep = !this.state.everyStep;
    if (!this.state.everyStep) this.state.step = null;
    this.show();
  }

  toggle() {
    if (this.state.playing) return this.pause();
    if (this.state.t === this.trace.length - 1) this.state.t = 0;
    this.state.playing = true;
    this.root.classList.add("playing");
    this.state.step = this.stepping() ? 0 : null;
    this.since = performance.now();
    this.ticket = requestAnimationFrame(this.frame);
    this.show();
  }

  pause() {
    this.state.playing = false;
    this.root.classList.remove("playing");
    cancelAnimationFrame(this.ticket);
    if (this.trace) this.show();
  }

  stepping() {
    return this.state.everyStep && !this.still.matches;
  }

  /** One frame of playback: moves to the next step or token when it is due. */
  frame(now) {
    const { state } = this;
    if (!state.playing) return;
    if (!this.root.isConnected) return this.pause();
    this.ticket = requestAnimationFrame(this.frame);
    const wait = (this.stepping() ? STEP_MS : TOKEN_MS) / state.speed;
    if (now - this.since < wait) return;
    this.since = Math.max(this.since + wait, now - wait);
    const lastStep = this.cell.steps.length - 1;
    if (this.stepping() && (state.step ?? -1) < lastStep) {
      state.step = (state.step ?? -1) + 1;
      this.markStep();
    } else if (state.t === this.trace.length - 1) {
      state.step = null;
      this.pause();
    } else {
      state.t += 1;
      state.step = this.stepping() ? 0 : null;
      this.show();
    }
  }

  // --- View ------------------------------------------------------------------------------------

  show() {
    const { state, trace } = this;
    const values = this.cell.values(trace, state.t, state.unit);
    this.diagram.update(values, trace.tokens[state.t], state.step);
    this.equations.update(values, state.step);
    this.strip.show(state.t, state.playing && !this.still.matches);
    this.bars.quiet = state.playing;
    this.bars.update(state.t, state.unit, trace.palette.find(({ letter }) => letter === state.signal), this.colours);
    this.life.show(state.t);
    this.hear();
    this.answer.show(state.t);
    this.controls.update(state);
    this.host.shown?.(state.t, state.unit, state.signal);
    this.settle(values);
  }

  /** Plays the value of the chosen signal, if sound is on. */
  hear() {
    const { t, unit, signal } = this.state;
    const drawn = this.trace.palette.find(({ letter }) => letter === signal);
    const share = this.trace.at(signal, t, unit) / this.life.reachOf(drawn, unit);
    this.sound.play(drawn.gate ? share : (1 + share) / 2, `${signal} ${t} ${unit}`);
  }

  markStep() {
    this.diagram.mark(this.state.step);
    this.equations.mark(this.state.step);
  }

  /** Updates what depends on the unit but not on the token. */
  paintUnit() {
    const { state, trace } = this;
    const signal = trace.palette.find(({ letter }) => letter === state.signal);
    this.strip.tint(signal.letter, state.unit, signal.colour, signal.gate, trace.sides);
    this.lifeTitle.textContent = `Unit ${state.unit} over the text`;
    this.life.paint(state.unit, this.colours);
    this.choice.update(state.signal);
  }

  repaint() {
    this.root.classList.toggle("presenter", this.trace.present);
    const style = getComputedStyle(this.root);
    this.colours = { text: style.color, line: style.getPropertyValue("--rule-colour") || style.color, font: style.fontFamily };
    this.paintUnit();
    this.show();
  }

  resize() {
    const width = Math.round(this.root.clientWidth);
    if (!this.trace || width === 0 || width === this.width) return;
    this.width = width;
    this.repaint();
  }

  /** Once the view is stable: updates the diagram's description and the status for screen readers, and tells the host. */
  settle(values) {
    clearTimeout(this.settling);
    if (this.state.playing) return;
    this.settling = setTimeout(() => {
      if (!this.root.isConnected) return;
      const { state, trace } = this;
      const where = `Token ${state.t + 1} of ${trace.length}, “${visible(trace.tokens[state.t])}”, unit ${state.unit}`;
      const said = this.cell.steps.map((step) => `${step.name} ${shown(values[step.letter === "x" ? "sum_h" : step.letter])}`);
      this.diagram.describe(`${this.cell.title}. ${where}: ${said.join(", ")}.`);
      this.live.textContent = `${where}: ${this.cell.steps.at(-1).describe(values)}. ${this.answer.words(state.t)}`;
      this.host.moved?.(state.t, state.unit, state.signal);
    }, SETTLED_MS);
  }

  // --- Keys, focus, link -----------------------------------------------------------------------

  takeFocus() {
    const focused = this.root.getRootNode().activeElement;
    if (!this.root.contains(focused)) this.strip?.root.focus({ preventScroll: true });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
    const { state } = this;
    const faster = SPEEDS[Math.min(SPEEDS.length - 1, SPEEDS.indexOf(state.speed) + 1)];
    const slower = SPEEDS[Math.max(0, SPEEDS.indexOf(state.speed) - 1)];
    const units = this.trace.units;
    const actions = {
      ArrowRight: () => this.go(state.t + 1), ArrowLeft: () => this.go(state.t - 1), " ": () => this.toggle(),
      Home: () => this.go(0), End: () => this.go(this.trace.length - 1),
      ArrowDown: () => this.choose((state.unit + 1) % units), ArrowUp: () => this.choose((state.unit + units - 1) % units),
      "+": () => this.speed(faster), "=": () => this.speed(faster), "-": () => this.speed(slower), "−": () => this.speed(slower),
    };
    if (!(event.key in actions)) return;
    event.preventDefault();
    event.stopPropagation();
    actions[event.key]();
  }

  /** Space and ← → while the focus is elsewhere on the page: not in a field, nor on a control that Tab has led to. */
  keyElsewhere(event) {
    if (event.key === "Tab") this.tabbed = true;
    const target = event.composedPath()[0];
    if (event.defaultPrevented || !this.trace || !this.root.isConnected || this.root.contains(target)) return;
    if (![" ", "ArrowLeft", "ArrowRight"].includes(event.key)) return;
    if (target.closest?.("input, textarea, select, [contenteditable], [role=dialog], [role=grid], [data-testid=stDataFrame]")) return;
    if (this.tabbed && !target.closest?.("a") && target.tabIndex >= 0) return;
    this.key(event);
  }

  async copyLink() {
    const address = this.host.address(this.state.t, this.state.unit, this.state.signal);
    const button = this.controls.link;
    try {
      await navigator.clipboard.writeText(address.href);
      const local = ["localhost", "127.0.0.1", "[::1]"].includes(address.hostname);
      button.textContent = local ? "Copied, for this computer only" : "Copied";
    } catch {
      button.textContent = this.host.moved ? "See the address bar" : "See the link below";
    }
    setTimeout(() => (button.textContent = "Copy link"), 2000);
  }

  end() {
    this.pause();
    this.resized.disconnect();
    document.removeEventListener("keydown", this.elsewhere);
    document.removeEventListener("pointerdown", this.pointed);
  }
}
