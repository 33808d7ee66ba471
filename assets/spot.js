// Scrolls to the element that a link names, and marks it. The page is still being drawn while this runs: the element may
// come later, and figures above it grow, so the spot is held for a moment, unless the reader scrolls.

const PATIENCE = 20000; // ms to wait for the element
const HOLD = 3000; // ms for which the element is kept in place
const READER = ["wheel", "touchstart", "keydown", "pointerdown"];

export default function ({ data }) {
  if (window.lstmLabSpot === data.visit) return;
  window.lstmLabSpot = data.visit;
  const selector = `.st-key-${CSS.escape(data.spot)}`;
  const start = performance.now();
  let found = null;
  let since = 0;
  let reader = false;
  const stop = () => {
    reader = true;
  };
  READER.forEach((name) => window.addEventListener(name, stop, { once: true, passive: true, capture: true }));

  function step(now) {
    const element = document.querySelector(selector);
    if (element && element !== found) {
      found?.classList.remove("lab-spot");
      element.classList.add("lab-spot");
      since ||= now;
      found = element;
    }
    if (reader || (found ? now - since > HOLD : now - start > PATIENCE)) {
      READER.forEach((name) => window.removeEventListener(name, stop, { capture: true }));
      return;
    }
    if (found && Math.abs(found.getBoundingClientRect().top - margin()) > 4) {
      found.scrollIntoView({ block: "start", behavior: "instant" });
    }
    requestAnimationFrame(step);
  }
  requestAnimationFrame(step);
}

// The distance from the upper edge of the window at which scrollIntoView puts the element: its scroll-margin.
const margin = () => 96;
