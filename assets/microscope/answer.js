// What the network answers at the selected token: a bar for each class or character, before and under the clamps.

/** A line below a token: the colour of its class, the character that would follow, or a hand-set network's number. */
function answerMark(chip, answers, t) {
  const row = answers.rows.length > 1 ? answers.rows[t] : null;
  if (!row) return;
  const [index, value] = row.reduce((best, one) => (one[1] > best[1] ? one : best));
  const mark = html("small", { class: "mark" }, chip);
  if (answers.colours.length) mark.style.background = answers.colours[index];
  else mark.textContent = answers.shares ? visible(answers.labels[index]) : value.toFixed(1).replace("-", "−").replace(".0", "");
  chip.title += ` · ${visible(answers.labels[index])} ${answers.shares ? percent(value) : shown(value)}`;
}

class Answer {
  constructor(parent, answers) {
    this.answers = answers;
    this.root = html("div", { class: "answer", role: "group", "aria-label": "Answer" }, parent);
    if (!answers.title) this.root.style.display = "none"; // a trace alone answers nothing
    html("strong", {}, this.root, `${answers.title}:`);
    if (answers.note) html("span", { class: "note" }, this.root, answers.note);
    this.list = html("span", { class: "answers" }, this.root);
  }

  show(t) {
    const { rows, labels, shares, colours } = this.answers;
    const best = (rows[t] ?? rows.at(-1) ?? []).map(([index, value, before]) => {
      const item = document.createElement("span");
      const [own, was] = [value, before].map((one) => (one === undefined ? "" : shares ? `${(100 * one).toFixed(1)}%` : shown(one)));
      const name = html("span", {}, item, `${visible(labels[index])} `);
      html("b", {}, item, own);
      if (was && !shares) html("small", {}, item, ` was ${was}`);
      if (shares) {
        const track = html("span", { class: "share", style: `--colour:${colours[index] ?? "var(--grey)"}` }, item);
        html("i", { style: `width:${100 * value}%` }, track);
        if (was) {
          html("em", { style: `left:${100 * before}%` }, track);
          html("small", {}, track, `was ${was}`);
        }
      }
      name.dir = "auto";
      return item;
    });
    this.list.replaceChildren(...best);
  }

  /** The answer in words, for screen readers. */
  words(t) {
    const row = this.answers.rows[t] ?? this.answers.rows.at(-1) ?? [];
    if (!row.length) return "";
    const [index, value] = row.reduce((best, one) => (one[1] > best[1] ? one : best));
    return `${this.answers.title}: ${visible(this.answers.labels[index])} ${this.answers.shares ? percent(value) : shown(value)}`;
  }
}
