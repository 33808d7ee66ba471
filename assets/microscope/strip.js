// The text as a strip: click or drag to select a token. A slider for screen readers; each token is tinted by one signal.

class Strip {
  constructor(parent, trace, go) {
    this.trace = trace;
    this.root = html("div", { class: "strip", role: "slider", tabindex: "0", "aria-label": "Token",
      "aria-valuemin": "1", "aria-valuemax": String(trace.length) }, parent);
    this.chips = trace.tokens.map((token, t) => {
      const chip = html("span", { class: "chip", dir: "auto", "aria-hidden": "true" }, this.root, visible(token));
      chip.title = `${t + 1}: ${visible(token)}${trace.unknown.includes(t) ? " (unknown to the network)" : ""}`;
      if (trace.unknown.includes(t)) chip.classList.add("unknown");
      chip.dataset.t = t;
      answerMark(chip, trace.answers, t);
      return chip;
    });
    this.current = -1;
    this.dragging = false;
    this.listen(go);
  }

  listen(go) {
    const follow = (event) => {
      const t = this.nearest(event.clientX);
      if (t !== this.current) go(t);
    };
    this.root.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.dragging = true;
      this.root.setPointerCapture(event.pointerId);
      this.root.focus({ preventScroll: true });
      follow(event);
      event.preventDefault();
    });
    this.root.addEventListener("pointermove", (event) => {
      if (!this.dragging) return;
      this.autoscroll(event.clientX);
      follow(event);
    });
    const end = () => {
      this.dragging = false;
    };
    this.root.addEventListener("pointerup", end);
    this.root.addEventListener("pointercancel", end);
  }

  /** Scrolls the strip while the pointer is dragged near an edge. */
  autoscroll(x) {
    const box = this.root.getBoundingClientRect();
    const near = 48;
    if (x < box.left + near) this.root.scrollLeft -= 16;
    if (x > box.right - near) this.root.scrollLeft += 16;
  }

  /** The token at, or nearest to, a horizontal position: a binary search, since the chips are in order. */
  nearest(x) {
    let [low, high] = [0, this.chips.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.chips[middle].getBoundingClientRect().right < x) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Tints each token by a signal of the unit; `sides` are the colours above and below zero. */
  tint(letter, unit, colour, gate, sides) {
    const { units, reach, signals } = this.trace;
    this.chips.forEach((chip, t) => {
      const value = signals[letter][t * units + unit] / reach[letter];
      const strength = Math.round(62 * Math.min(1, Math.abs(value)));
      const tint = gate ? colour : sides[value > 0 ? 0 : 1];
      chip.style.setProperty("--tint", `color-mix(in srgb, ${tint} ${strength}%, transparent)`);
    });
  }

  show(t, smooth) {
    if (this.current >= 0) this.chips[this.current].classList.remove("now");
    this.current = t;
    const chip = this.chips[t];
    chip.classList.add("now");
    this.root.setAttribute("aria-valuenow", String(t + 1));
    this.root.setAttribute("aria-valuetext", `${t + 1} of ${this.trace.length}: ${visible(this.trace.tokens[t])}`);
    if (this.dragging) return;
    const left = chip.offsetLeft - (this.root.clientWidth - chip.offsetWidth) / 2;
    if (Math.abs(left - this.root.scrollLeft) > 2) {
      this.root.scrollTo({ left, behavior: smooth ? "smooth" : "instant" });
    }
  }
}
