// Streamlit mounts a chart anew when its figure changes, and the new one is blank until Plotly has drawn it. Until then
// this keeps a picture of the old one in its place, so that a chart that changes while a network works doesn't flicker.

const SETTLED = 60; // ms after which a chart that was drawn has its final size
const PATIENCE = 2000; // ms after which a chart that isn't drawn yet is shown as it is
let page = location.pathname;
const pictures = new Map(); // the key of a chart on this page → its plot, and the picture of that plot
const outdated = new WeakSet(); // plots of an earlier page, which stay until this one is drawn
const waiting = new WeakSet(); // containers that had a picture and aren't drawn yet
const timers = new WeakMap(); // a picture that is shown → what takes it away if the next chart is late

export default function ({ data }) {
  if (window.lstmLabChartSwap) return;
  window.lstmLabChartSwap = true;
  const changes = { childList: true, subtree: true, attributes: true, attributeFilter: ["style"] };
  new MutationObserver(() => look(data.css)).observe(document.body, changes);
}

function look(css) {
  if (page !== location.pathname) {
    page = location.pathname;
    pictures.clear();
    document.querySelectorAll(".js-plotly-plot").forEach((plot) => outdated.add(plot));
  }
  for (const chart of document.querySelectorAll('[data-testid="stPlotlyChart"]')) {
    const container = chart.closest(".stElementContainer");
    const key = [...container.classList].find((name) => name.startsWith("st-key-"));
    if (key) swap(container, key, css);
  }
}

function swap(container, key, css) {
  const plot = drawn(container);
  const { plot: before, picture } = pictures.get(key) ?? {};
  if (plot) {
    container.querySelector(":scope > .lab-picture")?.remove();
    waiting.delete(container);
    if (plot === before || outdated.has(plot)) return;
    pictures.set(key, { plot, picture: picture ?? pictureOf(plot, css) });
    const settled = () => plot.isConnected && drawn(container) === plot;
    setTimeout(() => settled() && pictures.set(key, { plot, picture: pictureOf(plot, css) }), SETTLED);
  } else if (picture && !waiting.has(container)) {
    waiting.add(container);
    container.append(picture);
    clearTimeout(timers.get(picture));
    timers.set(picture, setTimeout(() => picture.remove(), PATIENCE));
  }
}

// The plot of a container, if Plotly has drawn it.
function drawn(container) {
  const plot = container.querySelector(".js-plotly-plot:has(.main-svg)");
  return plot?.style.visibility === "hidden" ? null : plot;
}

// In a closed tree, so that screen readers, styles and scripts find each chart once.
function pictureOf(plot, css) {
  const picture = document.createElement("div");
  picture.className = "lab-picture";
  picture.setAttribute("aria-hidden", "true");
  const style = document.createElement("style");
  style.textContent = css;
  picture.attachShadow({ mode: "closed" }).append(style, plot.cloneNode(true));
  return picture;
}
