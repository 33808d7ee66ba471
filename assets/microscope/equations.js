// The steps of a cell as cards: formula, the numbers filled in, and one plain phrase. Built once, then filled.

function htmlSymbol(parent, text) {
  symbol(parent, text, (where, part) => html("span", {}, where, part), (span, lower) => {
    if (lower) span.replaceWith(html("sub", {}, null, span.textContent));
  });
}

class Equations {
  /** `choose(step)` is called when a card is pressed. */
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
      this.numbers.push({ name, element: html("b", { "data-value": name }, term, "") });
      htmlSymbol(html("small", {}, term), label);
    }
    this.cards.push({ card, step, say: html("span", { class: "say" }, card, "") });
  }

  update(values, step) {
    for (const { name, element } of this.numbers) element.textContent = shown(values[name]);
    for (const { step: one, say } of this.cards) say.textContent = one.say(values);
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
