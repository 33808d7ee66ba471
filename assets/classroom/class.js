// A browser's part in a class: the websocket that brings news, following the lecturer's view, and sending it.
// One object a class lives as long as the tab: Streamlit may mount and unmount the bar as often as it likes.

// Names that Python knows as well, see `NAMES` in ui/classroom/bar.py: parameters of the visitor, not of the view; the
// page of the microscope, and the parameters of its place, which moves without asking Python.
let OWN, MICROSCOPE, CURSOR;
const TICK_MS = 150; // between two looks at the lecturer's address
const SETTINGS_MS = 600; // that a page without settings in its address has for putting them there
const SILENCE_MS = 25000; // without a message, after which the connection counts as lost
const PATIENCE_MS = 6000; // for a page to open, after which it is asked for again
const RETRY_MS = [300, 1000, 2000, 4000]; // pauses before connecting again; the last one is repeated

/** The view of this tab, as its address says it: "page?settings". */
function viewHere(base) {
  const url = new URL(window.location.href);
  OWN.forEach((name) => url.searchParams.delete(name));
  const page = url.pathname.slice(base.length).replaceAll("/", "") || "home";
  return page + (url.searchParams.size ? `?${url.searchParams}` : "");
}

/** The parts of a view: its page, its settings without the microscope's place, and that place. */
function parts(view) {
  const [page, search = ""] = view.split(/\?(.*)/s);
  const settings = new URLSearchParams(search);
  const cursor = {};
  for (const name of CURSOR) {
    if (settings.has(name)) cursor[name] = settings.get(name);
    if (page === MICROSCOPE) settings.delete(name);
  }
  settings.sort();
  return { page, cursor, rest: `${page}?${settings}` };
}

function withCursor(view, cursor) {
  const [page, search = ""] = view.split(/\?(.*)/s);
  const settings = new URLSearchParams(search);
  for (const [name, value] of Object.entries(cursor)) settings.set(name, value);
  return `${page}?${settings}`;
}

class LiveClass {
  constructor(data) {
    this.code = data.code;
    this.place = `lstm_lab_class_${data.code}`;
    this.following = sessionStorage.getItem(this.place) !== "alone";
    this.showing = true; // a lecturer's view is sent
    this.opened = 0; // the newest view that this tab shows
    this.tries = 0;
    this.news = null;
    this.note = "";
    this.style = document.head.appendChild(document.createElement("style"));
    window.navigation?.addEventListener("currententrychange", (this.moved = () => this.publish()));
    const wake = () => document.visibilityState === "visible" && this.check(12000);
    this.listeners = [
      [window, "online", wake], [window, "pageshow", wake], [document, "visibilitychange", wake],
      [window, "lstm-lab-shown", (event) => (this.shown = { ...event.detail, rest: parts(viewHere(this.data.base)).rest })],
      [window, "lstm-lab-microscope", () => this.following && this.cursor && this.sendCursor()],
    ];
    this.listeners.forEach(([target, event, listener]) => target.addEventListener(event, listener));
    this.timers = [setInterval(() => this.publish(), TICK_MS), setInterval(() => this.check(SILENCE_MS), 1000)];
  }

  /** Python has drawn the bar anew. */
  update(data, trigger, draw) {
    const asked = this.data;
    Object.assign(this, { data, trigger, draw });
    if (this.pending && data.opened >= this.pending.step) {
      this.opened = this.pending.step;
      this.pending = null;
    }
    if (!this.socket || (asked && asked.leads !== data.leads)) this.connect();
    this.follow();
    draw();
  }

  // --- The connection --------------------------------------------------------------------------

  connect() {
    if (this.over) return;
    clearTimeout(this.retry);
    this.socket?.close();
    const address = new URL(`${this.data.base}/live/${this.code}`, window.location.href);
    address.protocol = address.protocol.replace("http", "ws");
    address.searchParams.set("following", this.following ? "yes" : "no");
    const socket = (this.socket = new WebSocket(address));
    this.heard = performance.now();
    socket.onmessage = ({ data }) => socket === this.socket && this.hear(JSON.parse(data));
    socket.onclose = () => socket === this.socket && this.lost();
  }

  lost() {
    if (this.over) return;
    this.connected = false;
    this.draw?.();
    clearTimeout(this.retry);
    const pause = RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)];
    this.retry = setTimeout(() => this.connect(), pause * (0.75 + Math.random() / 2));
  }

  /** Connects again if nothing was heard for so long: a locked phone and a lost network don't close a connection. */
  check(silence) {
    if (!this.data || this.over) return;
    const open = this.socket?.readyState === WebSocket.OPEN;
    if (performance.now() - this.heard > (open ? silence : SILENCE_MS)) this.connect();
    else this.follow();
  }

  send(message) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  hear(message) {
    this.heard = performance.now();
    if (message.beat) return;
    if (message.over) {
      this.over = message.over;
      this.news = null;
    } else if (message.trouble || message.said) {
      this.note = message.trouble ?? message.said;
    } else if (message.counted) {
      this.note = "";
      const [number, round, answer] = message.counted;
      const asked = this.news?.asked;
      if (asked?.number === number && asked.round === round) asked.mine = answer;
    } else {
      this.tries = 0;
      if (!this.connected) this.note = "";
      this.connected = true;
      if (message.view === undefined) message.view = this.news?.view;
      const before = this.news?.asked;
      if (before?.number !== message.asked?.number || before?.round !== message.asked?.round) this.note = "";
      this.news = message;
      this.cover();
      this.follow();
    }
    this.draw?.();
  }

  /** While the class votes on a page's own question, what shows the answer is covered. */
  cover() {
    const asked = this.news?.asked;
    const keys = asked && !asked.revealed ? asked.spot.split(" ").filter(Boolean) : [];
    this.covered = keys.length > 0;
    const rule = keys.map((key) => `.st-key-${CSS.escape(key)}`).join(", ");
    this.style.textContent = rule && `${rule} { display: none !important; }`;
  }

  // --- Following -------------------------------------------------------------------------------

  setFollowing(following) {
    this.following = following;
    sessionStorage.setItem(this.place, following ? "following" : "alone");
    this.send({ following });
    if (following) this.opened = 0;
    this.follow();
    this.draw?.();
  }

  /** Opens the lecturer's view, if this tab shows another one. */
  follow() {
    const { news } = this;
    if (!news || !news.view || news.lecturer || !this.following || !this.trigger || news.step === this.opened) return;
    if (this.pending && performance.now() - this.pending.since < PATIENCE_MS) return;
    const wanted = parts(news.view);
    this.cursor = wanted.page === MICROSCOPE ? wanted.cursor : null;
    if (this.cursor && parts(viewHere(this.data.base)).rest === wanted.rest) {
      this.pending = null;
      this.opened = news.step;
      this.sendCursor();
      return;
    }
    this.pending = { step: news.step, since: performance.now() };
    this.trigger("view", { step: news.step, view: news.view });
  }

  sendCursor() {
    window.dispatchEvent(new CustomEvent("lstm-lab-cursor", { detail: this.cursor }));
  }

  // --- Leading ---------------------------------------------------------------------------------

  /** Sends the lecturer's view if it has changed. */
  publish() {
    if (!this.news?.lecturer || !this.showing || !this.connected) return;
    let view = viewHere(this.data.base);
    const { page, rest } = parts(view);
    if (this.data.private.includes(page)) return;
    if (page === MICROSCOPE && this.shown?.rest === rest) {
      const { t, unit, signal } = this.shown;
      view = withCursor(view, { t: t + 1, unit, signal });
    }
    // A lecturer who comes to a class that another one leads shows nothing before the first step.
    if (this.sent === undefined && this.news.lecturers > 1 && this.news.view) this.sent = view;
    if (view === this.sent) return (this.bare = null);
    // A page that has just been opened puts its settings into the address soon: both are one step.
    if (!view.includes("?") && this.bare?.view !== view) this.bare = { view, since: performance.now() };
    if (!view.includes("?") && performance.now() - this.bare.since < SETTINGS_MS) return;
    if (this.send({ view })) this.sent = view;
  }

  leave() {
    sessionStorage.removeItem(this.place);
    this.end();
    this.trigger("leave", true);
  }

  end() {
    this.over = "left";
    this.socket?.close();
    clearTimeout(this.retry);
    this.timers.forEach(clearInterval);
    this.listeners.forEach(([target, event, listener]) => target.removeEventListener(event, listener));
    window.navigation?.removeEventListener("currententrychange", this.moved);
    this.style.remove();
  }
}
