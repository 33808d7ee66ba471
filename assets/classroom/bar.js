// The bar above each page of somebody who is in a class: who follows, the question on screen, its votes.
// What comes from the server is put in by textContent.

function element(tag, attributes = {}, parent = null, text = "") {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  parent?.append(made);
  return made;
}

function button(parent, text, pressed, kind = "") {
  const made = element("button", { type: "button", class: kind }, parent, text);
  made.onclick = pressed;
  return made;
}

const NO_COOKIE = "This browser keeps no cookie of this site, so it can't lead a class. Allow cookies, then reload.";
const share = (votes, all) => (all ? Math.round((100 * votes) / all) : 0);
const counted = (number, one, many) => `${number} ${number === 1 ? one : many}`;

class Bar {
  constructor(root, live) {
    this.root = root;
    this.live = live;
    root.replaceChildren();
    this.line = element("div", { class: "line" }, root);
    this.question = element("div", { class: "question" }, root);
    this.note = element("p", { class: "note", role: "status" }, root);
    this.heard = element("div", { class: "only-heard", role: "status", "aria-live": "polite" }, root);
  }

  draw() {
    const { live } = this;
    const { news } = live;
    const state = JSON.stringify([news?.lecturer, news?.lecturers, news?.here, news?.following, live.following,
      live.showing, live.connected, live.over, live.data.shown]);
    if (state !== this.state) this.drawLine(news);
    this.state = state;
    this.drawQuestion(news?.asked);
    const lost = live.connected === false && !live.over ? "The connection to the class is lost; it comes back by itself." : "";
    const refused = live.data.leads && news && !news.lecturer ? NO_COOKIE : "";
    this.note.textContent = live.note || lost || refused;
  }

  drawLine(news) {
    const { live, line } = this;
    const focused = line.getRootNode().activeElement?.dataset?.name;
    line.replaceChildren();
    element("strong", {}, line, `Class ${live.data.shown}`);
    if (live.over) {
      element("span", {}, line, live.over);
      button(line, "Leave the class", () => live.leave()).dataset.name = "leave";
      return;
    }
    if (news) {
      const leads = news.lecturer;
      const more = leads && news.lecturers > 1 ? `, with ${counted(news.lecturers - 1, "other browser", "other browsers")}` : "";
      const role = leads ? `You lead${more}${live.showing ? "" : "; your view is not shown"}`
        : live.following ? "You follow the lecturer" : "You explore alone";
      element("span", { class: "role" }, line, role);
      element("span", { class: "count" }, line, `${news.following} of ${news.here} follow`);
      const follow = leads
        ? button(line, live.showing ? "Pause showing" : "Show my view", () => { live.showing = !live.showing; this.draw(); })
        : button(line, live.following ? "Explore alone" : "Follow again", () => live.setFollowing(!live.following), live.following ? "" : "primary");
      follow.dataset.name = "follow";
    } else {
      element("span", {}, line, "connecting …");
    }
    button(line, "Leave", () => live.leave(), "quiet").dataset.name = "leave";
    if (focused) line.querySelector(`[data-name=${focused}]`)?.focus();
  }

  drawQuestion(asked) {
    const { live, question } = this;
    question.hidden = !asked;
    if (!asked) {
      if (this.shape) question.replaceChildren();
      this.shape = "";
      return;
    }
    const shape = JSON.stringify([asked.number, asked.round, asked.open, asked.shown, asked.revealed, live.news.lecturer,
      live.data.projected]);
    if (shape !== this.shape) this.build(asked);
    this.shape = shape;
    this.paint(asked);
  }

  build(asked) {
    const { live, question } = this;
    const { lecturer } = live.news;
    const typed = question.querySelector("input")?.value ?? "";
    question.replaceChildren();
    const title = asked.round > 1 ? `Round ${asked.round}: ${asked.prompt}` : asked.prompt;
    element("p", { class: "prompt" }, question, title);
    const seen = asked.shown || !live.data.projected; // in the presenter view, the class sees what its lecturer sees
    this.seen = seen;
    this.choices = asked.choices.map((choice, number) => this.choice(asked, choice, number));
    if (asked.kind === "text" && asked.open && !lecturer) {
      const form = element("form", { class: "form" }, question);
      this.input = element("input", { maxlength: 200, "aria-label": "Your answer", placeholder: "Your answer" }, form);
      this.input.value = typed;
      element("button", { class: "primary" }, form, "Send");
      form.onsubmit = (event) => {
        event.preventDefault();
        this.vote(asked, this.input.value);
      };
    }
    this.texts = element("ul", { class: "texts" }, question);
    this.about = element("p", { class: "about" }, question);
    if (asked.measured) element("p", { class: "measured" }, question, asked.measured);
    if (lecturer) this.actions(asked);
    this.heard.textContent = asked.open && !lecturer ? `The lecturer asks: ${title}` : "";
  }

  choice(asked, choice, number) {
    const { lecturer } = this.live.news;
    const votes = asked.open && !lecturer;
    const row = element(votes ? "button" : "div", votes ? { type: "button", class: "choice" } : { class: "choice" }, this.question);
    if (votes) row.onclick = () => this.vote(asked, number);
    const words = element("span", { class: "words" }, row);
    element("b", { "aria-hidden": "true" }, words, String.fromCharCode(65 + number));
    element("span", {}, words, choice);
    const mark = element("em", {}, words);
    const bars = element("span", { class: "bars" }, row);
    return { row, mark, bars };
  }

  vote(asked, answer) {
    const { live } = this;
    if (!live.send({ vote: answer, question: asked.number, round: asked.round })) {
      live.note = "The connection to the class is lost; vote again when it is back.";
      this.draw();
    }
  }

  actions(asked) {
    const { live } = this;
    const row = element("div", { class: "line" }, this.question);
    const act = (text, name, kind) => button(row, text, () => live.send({ do: name }), kind);
    if (asked.open) act("Close the vote", "close");
    if (!asked.revealed) {
      act(asked.shown ? "Hide the votes from the class" : "Show the votes to the class", asked.shown ? "hide" : "show");
      button(row, "Reveal the answer", () => live.trigger("reveal", asked.number), "primary");
    }
    act("Vote again", "again");
    act("Remove the question", "dismiss", "quiet");
  }

  paint(asked) {
    const { lecturer } = this.live.news;
    const voters = asked.voters.at(-1);
    this.choices.forEach(({ row, mark, bars }, number) => {
      const mine = asked.mine === number;
      row.classList.toggle("mine", mine);
      if (row.tagName === "BUTTON") row.setAttribute("aria-pressed", mine);
      const right = asked.revealed && asked.answer === number;
      row.classList.toggle("right", right);
      const said = [mine && "your answer", right && "correct"].filter(Boolean);
      mark.textContent = said.length ? `(${said.join(", ")})` : "";
      bars.replaceChildren();
      ((this.seen && asked.votes) || []).forEach((votes, round) => {
        const all = asked.voters[round];
        const bar = element("span", { class: `bar ${round === asked.round - 1 ? "" : "before"}` }, bars);
        const percent = share(votes[number], all);
        element("i", {}, bar).style.width = `${percent}%`;
        element("span", {}, bar, `${asked.round > 1 ? `Round ${round + 1}: ` : ""}${votes[number]} · ${percent}%`);
      });
    });
    this.texts.replaceChildren(...((this.seen && asked.texts) || []).map((text) => element("li", { dir: "auto" }, null, text)));
    this.texts.hidden = !this.texts.children.length;
    this.about.textContent = this.words(asked, voters, lecturer);
  }

  words(asked, voters, lecturer) {
    const said = [];
    if (asked.kind === "text" && asked.mine) said.push(`Your answer: ${asked.mine}`);
    else if (!lecturer && asked.open) said.push(asked.mine === null ? "Choose an answer." : "You may change it until the vote is closed.");
    said.push(`${counted(voters, "answer", "answers")}${asked.open ? " so far" : "; the vote is closed"}.`);
    if (this.live.covered) said.push("What shows the answer on the page is covered until it is revealed.");
    if (asked.revealed && asked.answer !== null) {
      const right = asked.votes.map((votes, round) => `${votes[asked.answer]} of ${asked.voters[round]}`);
      said.push(right.length === 1 ? `${right[0]} correct.` : `Correct: ${right.map((words, round) => `${words} in round ${round + 1}`).join(", ")}.`);
      if (!lecturer && asked.mine !== null) said.push(asked.mine === asked.answer ? "You were right." : "Not this time.");
    }
    return said.join(" ");
  }
}

const bars = new WeakMap();

// Streamlit calls this on mounting and whenever the data change.
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".classbar");
  ({ own: OWN, microscope: MICROSCOPE, cursor: CURSOR } = data.names);
  if (window.lstmLabClass?.code !== data.code || window.lstmLabClass.over === "left") {
    window.lstmLabClass?.end();
    window.lstmLabClass = new LiveClass(data);
  }
  const live = window.lstmLabClass;
  let bar = bars.get(root);
  if (bar?.live !== live) bars.set(root, (bar = new Bar(root, live)));
  live.update(data, setTriggerValue, () => bar.draw());
}
