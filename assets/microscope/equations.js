// The steps of a cell as cards: formula, numbers, and a short description. Built once, then updated.

function htmlSymbol(parent, text) {
  symbol(parent, text, (where, part) => html("span", {}, where, part), (span, lower) => {
    if (lower) span.replaceWith(html("sub", {}, null, span.textContent));
  });
}

const GATES = ["f", "i", "o", "z", "r"];

class Equations {
  /** `choose(step)` is called when a card is clicked, `clamp(letter, value)` by its buttons, if it is given; null frees the signal. */
  constructor(parent, cell, palette, choose, clamp) {
    this.cards = [];
    this.clamp = clamp;
    this.numbers = [];
    this.root = html("ol", { class: clamp ? "equations" : "equations fixed", "aria-label": `The steps of the ${cell.title}` }, parent);
    cell.steps.forEach((step, index) => this.card(step, index, palette, choose));
  }

  card(step, index, palette, choose) {
    const item = html("li", { style: `--colour:${palette[step.letter]}` }, this.root);
    const card = html("button", { type: "button", class: "card", "data-step": step.letter }, item);
    card.addEventListener("click", () => choose(index));
    const head = html("span", { class: "head" }, card);
    html("span", { class: "number" }, head, String(index + 1));
    html("strong", {}, head, step.name);
    htmlSymbol(html("span", { class: "formula" }, head), step.formula);
    const say = html("span", { class: "say" }, head, "");
    const line = html("span", { class: "line" }, card);
    for (const [name, label] of step.terms) {
      if (name === "text") {
        html("span", { class: "sign" }, line, label);
        continue;
      }
      const term = html("span", { class: "term" }, line);
      // The last term is the result, which a clamp may replace.
      const result = name === step.letter && step.terms.at(-1)[0] === name;
      this.numbers.push({ name, result, element: html("b", { "data-value": name }, term, "") });
      htmlSymbol(html("small", {}, term), label);
    }
    const clamp = html("b", { class: "clamp" }, line, "");
    this.cards.push({ card, step, clamp, say, holds: this.holds(item, step) });
  }

  /** The buttons that clamp the card's signal in all units at all tokens. */
  holds(item, { letter, name }) {
    if (letter === "x" || !this.clamp) return [];
    const group = html("span", { class: "holds", role: "group", "aria-label": `Clamp ${name}` }, item);
    return (GATES.includes(letter) ? [0, 1] : [0]).map((value) => {
      const title = `Clamp ${name} ${letter} to ${value} in all units at all tokens`;
      const button = html("button", { type: "button", class: "plain hold", title, "aria-label": title }, group, `${letter} = ${value}`);
      button.addEventListener("click", () => this.clamp(letter, button.ariaPressed === "true" ? null : value));
      return { value, button };
    });
  }

  update(values, step) {
    for (const { name, result, element } of this.numbers) {
      const replaced = result && values.clamped[name] !== undefined;
      element.textContent = shown(replaced ? values.computed[name] : values[name]);
    }
    for (const { step: one, clamp, say, holds } of this.cards) {
      const value = values.clamped[one.letter];
      clamp.textContent = value === undefined ? "" : `clamped to ${shown(value)}`;
      say.textContent = one.describe(values);
      for (const hold of holds) hold.button.setAttribute("aria-pressed", String(value === hold.value));
    }
    this.mark(step);
  }

  mark(step) {
    this.cards.forEach(({ card }, index) => {
      card.classList.toggle("on", index === step);
      card.classList.toggle("later", step !== null && index > step);
      card.setAttribute("aria-pressed", String(index === step));
    });
  }
}
