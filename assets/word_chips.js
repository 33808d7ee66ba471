// Words that can be reordered: dragged with mouse or finger, or moved with the arrow keys.
// Everything from outside goes through textContent; nothing is parsed as HTML.

const DRAG_THRESHOLD = 5; // pixels that the pointer must move before a press becomes a drag

const chipsIn = (row) => [...row.children];
const orderOf = (row) => chipsIn(row).map((chip) => Number(chip.dataset.place));

function tint(value, data) {
  const share = Math.min(Math.max(value, 0) / data.limit, 1);
  return data.colour + Math.round(share * 170).toString(16).padStart(2, "0");
}

function describe(row) {
  const chips = chipsIn(row);
  chips.forEach((chip, index) => {
    const unknown = chip.classList.contains("unknown") ? ", unknown to the network" : "";
    chip.setAttribute("aria-label", `${chip.textContent}, word ${index + 1} of ${chips.length}${unknown}`);
  });
}

function build(row, data, focused) {
  row.replaceChildren(
    ...data.order.map((place, index) => {
      const chip = document.createElement("button");
      chip.type = "button";
      chip.className = data.known[place] ? "chip" : "chip unknown";
      chip.textContent = data.words[place];
      chip.dir = "auto";
      chip.dataset.place = place;
      chip.style.backgroundColor = tint(data.surprisal[index], data);
      chip.title = `${data.surprisal[index].toFixed(2)} nats of surprisal`;
      return chip;
    }),
  );
  describe(row);
  if (focused !== undefined) row.querySelector(`[data-place="${focused}"]`)?.focus();
}

// Puts the dragged chip before or after the chip under the pointer.
function follow(row, drag, event) {
  const { chip } = drag;
  const under = chipsIn(row).find((other) => {
    if (other === chip) return false;
    const box = other.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right;
    return inside && event.clientY >= box.top && event.clientY <= box.bottom;
  });
  if (under) {
    const box = under.getBoundingClientRect();
    const before = event.clientX < box.left + box.width / 2;
    const goal = before ? under : under.nextSibling;
    if (goal !== chip && goal !== chip.nextSibling) row.insertBefore(chip, goal);
  }
  chip.style.transform = "none";
  const home = chip.getBoundingClientRect();
  chip.style.transform = `translate(${event.clientX - drag.x - home.left}px, ${event.clientY - drag.y - home.top}px)`;
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".order");
  const [row, status] = root.children;
  const state = (root.state ??= { drag: null, timer: 0, moves: 0 });
  row.setAttribute("aria-label", data.label);

  // A drawing made before the last move arrived must not undo that move on screen.
  const late = data.moves < state.moves;
  if (!late) state.moves = data.moves;
  if (!late && !state.drag) {
    const active = row.getRootNode().activeElement;
    build(row, data, row.contains(active) ? active.dataset.place : undefined);
  }

  const report = (chip) => {
    describe(row);
    status.textContent = `${chip.textContent} is word ${chipsIn(row).indexOf(chip) + 1}`;
    state.moves += 1;
    clearTimeout(state.timer);
    // It is sent although the page is drawn meanwhile, but not from a page that has been left.
    const send = () => root.isConnected && setTriggerValue("moved", { order: orderOf(row), moves: state.moves });
    state.timer = setTimeout(send, 150);
  };

  row.onpointerdown = (event) => {
    const chip = event.target.closest?.(".chip");
    if (!chip || event.button !== 0) return;
    const box = chip.getBoundingClientRect();
    state.drag = { chip, x: event.clientX - box.left, y: event.clientY - box.top, from: [event.clientX, event.clientY] };
    state.drag.before = orderOf(row).join();
    row.setPointerCapture(event.pointerId);
  };
  row.onpointermove = (event) => {
    const { drag } = state;
    if (!drag) return;
    const far = Math.hypot(event.clientX - drag.from[0], event.clientY - drag.from[1]) > DRAG_THRESHOLD;
    if (!drag.moving && !far) return;
    drag.moving = true;
    drag.chip.classList.add("lifted");
    follow(row, drag, event);
  };
  row.onpointerup = row.onpointercancel = () => {
    const { drag } = state;
    state.drag = null;
    if (!drag) return;
    drag.chip.classList.remove("lifted");
    drag.chip.style.transform = "";
    drag.chip.focus();
    if (drag.moving && orderOf(row).join() !== drag.before) report(drag.chip);
  };
  row.onkeydown = (event) => {
    const chip = event.target.closest?.(".chip");
    const goals = {
      ArrowLeft: () => chip.previousSibling,
      ArrowRight: () => chip.nextSibling?.nextSibling ?? null,
      Home: () => row.firstChild,
      End: () => null,
    };
    if (!chip || !(event.key in goals)) return;
    event.preventDefault();
    const before = orderOf(row).join();
    const goal = goals[event.key]();
    if (event.key === "ArrowLeft" && !goal) return;
    if (goal !== chip) row.insertBefore(chip, goal);
    chip.focus();
    if (orderOf(row).join() !== before) report(chip);
  };
}
