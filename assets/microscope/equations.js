// The steps of a cell as cards: formula, numbers, and a short description. Built once, then updated.

function htmlSymbol(parent, text) {
  symbol(parent, text, (where, part) => html("span", {}, where, part), (span, lower) => {
    if (lower) span.replaceWith(html("sub", {}, null, span.textContent));
  });
}

class Equations {
  /** `choose(step)` is called when a card is clicked. */
  constructor(parent, cell, palette, choose) {
    this.cards = [];
    this.numbers = [];
    this.root = html("ol", { class: "equations", "aria-label": `The steps of the ${cell.title}` }, parent);
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
    this.cards.push({ card, step, clamp, say: html("span", { class: "say" }, card, "") });
  }

  update(values, step) {
    for (const { name, result, element } of this.numbers) {
      const replaced = result && values.clamped[name] !== undefined;
      element.textContent = shown(replaced ? values.computed[name] : values[name]);
    }
    for (const { step: one, clamp, say } of this.cards) {
      const value = values.clamped[one.letter];
      clamp.textContent = value === undefined ? "" : `clamped to ${shown(value)}`;
      say.textContent = one.describe(values);
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
